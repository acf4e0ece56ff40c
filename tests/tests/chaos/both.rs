//! Both guarantees at once, under the same faults.

use crate::scene::Scene;
use harness::kafka::Kafka;
use std::time::{Duration, Instant};

/// A scene of each guarantee, on the same brokers.
pub(crate) struct Both([Scene; 2]);

impl Both {
    /// Inputs with this name of four letters.
    pub(crate) fn new(kafka: &Kafka, name: &str) -> Both {
        let [least, exact] = ["chaos", "exact"].map(|guarantee| format!("{guarantee}-{name}"));
        Both([Scene::new(kafka, &least), Scene::exactly_once(kafka, &exact)])
    }

    /// The same with a worker each, which is being fed and has put out so many tenths.
    pub(crate) fn at_work(kafka: &Kafka, name: &str, tenths: usize) -> Both {
        let mut both = Both::new(kafka, name);
        both.each(Scene::hire);
        both.each(Scene::feed);
        both.each(|scene| scene.reach(tenths));
        both
    }

    /// Does the same with one after the other.
    pub(crate) fn each(&mut self, act: impl FnMut(&mut Scene)) {
        self.0.iter_mut().for_each(act);
    }

    /// Reads for a while.
    pub(crate) fn watch(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.each(|scene| scene.watch(Duration::from_millis(50)));
        }
    }

    /// Reads the rest of each, ends its workers, and compares all of it with an undisturbed run.
    pub(crate) fn conclude(self) {
        self.0.into_iter().for_each(Scene::conclude);
    }
}
