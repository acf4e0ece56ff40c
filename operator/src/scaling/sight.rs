//! What is seen of the load, and what can be told from two looks at it.

use std::time::Duration;

/// What can be seen of the load.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// Not enough.
    Blind(Cause, String),
    /// All of it.
    Load(Load),
}

/// Why the load cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Pods come or go.
    Pods,
    /// Workers do not answer.
    Silent,
    /// Partitions are on their way from one worker to another.
    Moving,
    /// Windows are rebuilt.
    Replaying,
    /// Records wait for something that more pods would not bring.
    Waiting,
    /// The brokers do not tell how far it is to the end.
    Lag,
}

/// What workers carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Partitions of the input.
    pub partitions: i32,
    /// The shares of their time for which workers have computed, added up, in percent.
    pub busy_percent: f64,
    /// How far the partition that is furthest behind is behind, in seconds.
    pub lag_seconds: f64,
    /// The offsets after the last record of each partition, added up.
    pub end_offsets: i64,
    /// The offsets of the next record to be computed of each, added up.
    pub next_offsets: i64,
}

/// What comes in is taken for no more times what is computed: first, there are twice as many pods.
const MOST_AHEAD: f64 = 4.0;
/// How long it may take to catch up, in seconds, if the target is not longer.
const CATCH_UP: f64 = 120.0;
/// A pod that computes for less of its time, in percent, computes nothing.
const IDLE: f64 = 1.0;

impl Load {
    fn lag_records(&self) -> i64 {
        self.end_offsets.saturating_sub(self.next_offsets)
    }

    /// The busy time that would be if as much were computed as comes in, in percent; nothing when that
    /// cannot be told from what was before.
    pub(super) fn demand(&self, before: &Load) -> Option<f64> {
        let came = self.end_offsets.checked_sub(before.end_offsets)?;
        let computed = self.next_offsets.checked_sub(before.next_offsets)?;
        match (came, computed) {
            (0, 0) => Some(self.busy_percent),
            (came, computed) if came >= 0 && computed > 0 => {
                Some(self.busy_percent * (came as f64 / computed as f64).min(MOST_AHEAD))
            }
            _ => None,
        }
    }

    /// Whether the records that are behind become fewer, so fast that none will be soon.
    pub(super) fn catches_up(&self, before: &Load, time: Duration, target: f64) -> bool {
        let fewer = -self.shortfall(before, time);
        fewer > 0.0 && self.lag_records() as f64 / fewer <= CATCH_UP.max(target)
    }

    /// How many more records have come than were computed, for each second since `before`.
    pub(super) fn shortfall(&self, before: &Load, time: Duration) -> f64 {
        let more = self.lag_records().saturating_sub(before.lag_records());
        more as f64 / time.as_secs_f64()
    }

    /// Whether so many pods have computed nothing since `before`: more of them would not either. The end
    /// of a partition may be behind something that is no record, as the marks of transactions are.
    pub(super) fn stands(&self, before: &Load, replicas: i32) -> bool {
        let idle = self.busy_percent < IDLE * f64::from(replicas.max(1));
        idle && self.next_offsets == before.next_offsets
    }
}
