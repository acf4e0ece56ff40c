use super::arrivals::Arrivals;
use super::recent::{Recent, span};
use crate::status::{OfPartition, Phase, tenths};
use std::time::Duration;

/// Where a partition is.
#[derive(Debug)]
pub(super) struct Progress {
    next: i64,
    arrivals: Arrivals,
    replays: bool,
    waits: bool,
    series: usize,
    points: Recent,
}

/// What came of records of a partition, or that it was taken up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Advance {
    /// Offset of the next record.
    pub(crate) next: i64,
    /// Whether records are still read again before new ones.
    pub(crate) replays: bool,
    /// Whether records wait for their schema.
    pub(crate) waits: bool,
    /// Series held.
    pub(crate) series: usize,
    /// New points that were computed.
    pub(crate) points: u64,
}

impl Progress {
    pub(super) fn new(end: i64, now: Duration) -> Progress {
        Progress {
            next: 0,
            arrivals: Arrivals::new(end, now),
            replays: false,
            waits: false,
            series: 0,
            points: Recent::default(),
        }
    }

    pub(super) fn advance(&mut self, advance: &Advance, now: Duration) {
        let Advance { next, replays, waits, series, points } = *advance;
        (self.next, self.replays, self.waits, self.series) = (next, replays, waits, series);
        self.arrivals.passed(next);
        if points > 0 {
            self.points.add(now, now, points as f64);
        }
    }

    pub(super) fn end(&mut self, end: i64, now: Duration) {
        self.arrivals.see(end, now);
    }

    /// Records that are not yet computed.
    pub(super) fn lag(&self) -> i64 {
        (self.arrivals.end() - self.next).max(0)
    }

    /// How long the oldest of them has been there.
    pub(super) fn age(&self, now: Duration) -> Duration {
        self.arrivals.age(self.next, now)
    }

    /// What is told of it, while the input waits or does not, and its end can be seen or cannot.
    pub(super) fn told(
        &self,
        partition: i32,
        stands: bool,
        seen: bool,
        now: Duration,
    ) -> OfPartition {
        let state = match (stands || self.waits, self.replays) {
            (true, _) => Phase::Waiting,
            (false, true) => Phase::Replaying,
            (false, false) => Phase::Running,
        };
        OfPartition {
            partition,
            state,
            next_offset: self.next,
            end_offset: self.arrivals.end().max(self.next),
            lag_records: self.lag(),
            lag_seconds: seen.then(|| tenths(self.age(now).as_secs_f64())),
            series: self.series,
            points_per_second: tenths(self.points.sum(now) / span(now)),
        }
    }
}
