//! What stands in an input topic: the truth that results are compared with.

use crate::arrivals;
use crate::stage::{SERIES, Stage};
use anyhow::{Context, Result};
use mesh::Tail;
use mesh::tail::Begin;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The points of an input topic.
#[derive(Debug)]
pub(crate) struct History {
    /// Those of each series, in order.
    pub(crate) series: Vec<Points>,
}

/// The points of one series.
#[derive(Debug, Default)]
pub(crate) struct Points {
    /// When each was measured and when the broker appended it, milliseconds since 1970.
    points: Vec<(f64, i64)>,
    /// The append time by the bits of the time.
    appended: HashMap<u64, i64>,
}

impl Points {
    /// Points by time and append time.
    pub(crate) fn new(points: Vec<(f64, i64)>) -> Points {
        let appended = points.iter().map(|(time, at)| (time.to_bits(), *at)).collect();
        Points { points, appended }
    }

    /// When they were measured.
    pub(crate) fn times(&self) -> impl Iterator<Item = f64> + '_ {
        self.points.iter().map(|(time, _)| *time)
    }

    /// When the broker appended the point of a time.
    pub(crate) fn appended(&self, time: f64) -> Option<i64> {
        self.appended.get(&time.to_bits()).copied()
    }
}

impl History {
    /// Reads the `count` points of a topic.
    ///
    /// # Errors
    /// When they cannot be read, or there are not so many.
    pub(crate) fn read(stage: &Stage, topic: &str, count: usize) -> Result<History> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let tail = Tail::open(&stage.connection, &[topic], Begin::First)?;
        let mut series = vec![Vec::new(); SERIES];
        let (mut left, mut last) = (count, Instant::now());
        while left > 0 {
            let Some(located) = tail.next(Duration::from_millis(100))? else {
                anyhow::ensure!(last.elapsed() < PATIENCE, "{left} points of {topic} are missing");
                continue;
            };
            last = Instant::now();
            let (of, time) = arrivals::stamp(&located.record)?;
            let appended = located.record.timestamp.context("a point has no append time")?;
            series.get_mut(of).context("a point of no series")?.push((time, appended));
            left -= 1;
        }
        Ok(History { series: series.into_iter().map(Points::new).collect() })
    }
}
