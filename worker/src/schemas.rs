//! Asks for the schemas that partitions wait for, so that no thread that computes ever waits.

use crate::metrics::Metrics;
use crate::ownership::Ownership;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use mesh::Record;
use mesh::schema::{Decoder, Failure};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long to wait after a first attempt without an answer; each further one doubles it.
const FIRST: Duration = Duration::from_millis(100);
/// How long to wait between two attempts at most.
const LONGEST: Duration = Duration::from_secs(5);

/// A record whose schema is not known yet.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) partition: i32,
    pub(crate) record: Record,
    /// The partition leaves: nobody waits any more.
    pub(crate) leaving: Arc<AtomicBool>,
}

/// Asks the registry, on a thread of its own.
pub(crate) struct Schemas {
    pub(crate) decoder: Arc<Decoder>,
    pub(crate) unread: Receiver<Unread>,
    /// Who is told that a partition may go on.
    pub(crate) owner: Weak<Ownership>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Schemas {
    /// Works until nobody can wait any more.
    pub(crate) fn run(self) {
        let mut waiting = VecDeque::new();
        let mut pause = FIRST;
        while self.receive(&mut waiting, pause) {
            // Those that were answered are followed by the next at once.
            while let Some(unread) = waiting.pop_front() {
                if let Err(reason) = self.ask(&unread) {
                    tell(&unread, &reason, pause);
                    self.metrics.registry_failed();
                    waiting.push_back(unread);
                    pause = LONGEST.min(2 * pause);
                    break;
                }
                pause = FIRST;
                self.go_on(&unread);
            }
            waiting.retain(|unread| !unread.leaving.load(Ordering::Relaxed));
            self.metrics.waiting(waiting.len());
        }
    }

    /// Takes in what has come; waits for it as long as there is nothing else to do, else until
    /// the pause is over. `false` when nothing will come any more.
    fn receive(&self, waiting: &mut VecDeque<Unread>, pause: Duration) -> bool {
        let first = match waiting.is_empty() {
            true => self.unread.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => self.unread.recv_timeout(pause),
        };
        match first {
            Ok(unread) => waiting.push_back(unread),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        waiting.extend(self.unread.try_iter());
        self.metrics.waiting(waiting.len());
        true
    }

    /// # Errors
    /// Says why there is no answer.
    fn ask(&self, unread: &Unread) -> Result<(), String> {
        if unread.leaving.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.decoder.decode(&unread.record.incoming()) {
            Err(Failure::Unavailable(reason)) => Err(reason),
            Ok(_) | Err(Failure::Rejected(_)) => Ok(()),
        }
    }

    fn go_on(&self, unread: &Unread) {
        if let Some(owner) = self.owner.upgrade() {
            owner.go_on(unread.partition);
        }
    }
}

fn tell(unread: &Unread, reason: &str, pause: Duration) {
    tracing::warn!(
        partition = unread.partition,
        offset = unread.record.offset,
        again_in = ?pause,
        "the record waits, the schema registry gives no answer: {reason}"
    );
}
