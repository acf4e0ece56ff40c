//! What `/status` says: what this worker does now, partition by partition.

use crate::metrics::Metrics;
use serde::Serialize;

/// What does not change while a worker runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct About {
    /// Its consumer group.
    pub(crate) group: String,
    /// Its input.
    pub(crate) topic: String,
    /// The revision of the resource that it was started for.
    pub(crate) revision: Option<String>,
    /// Threads that compute.
    pub(crate) threads: usize,
}

/// What a worker does.
#[derive(Debug, Serialize)]
pub(crate) struct Status<'a> {
    #[serde(flatten)]
    about: &'a About,
    #[serde(flatten)]
    work: Work,
}

/// What changes.
#[derive(Debug, Serialize)]
pub(crate) struct Work {
    /// Partitions of the input; 0 until the brokers have said so.
    pub(crate) partitions_total: i32,
    /// The share of their recent time for which the threads have computed, in percent.
    pub(crate) busy_percent: f64,
    /// The partitions that it owns, in order.
    pub(crate) partitions: Vec<OfPartition>,
}

/// A partition that it owns.
#[derive(Debug, Serialize)]
pub(crate) struct OfPartition {
    pub(crate) partition: i32,
    pub(crate) state: Phase,
    pub(crate) next_offset: i64,
    pub(crate) end_offset: i64,
    pub(crate) lag_records: i64,
    /// How long the oldest record that is not computed has been there; nothing while no broker can be
    /// reached, which would tell of others.
    pub(crate) lag_seconds: Option<f64>,
    pub(crate) series: usize,
    pub(crate) points_per_second: f64,
}

/// What is done with a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Phase {
    /// Its windows are rebuilt.
    Replaying,
    /// Its new records are computed.
    Running,
    /// Its records wait for their schema, or the whole input does because results cannot be delivered.
    Waiting,
}

impl Status<'_> {
    /// What a worker does now.
    pub(crate) fn of<'a>(about: &'a About, metrics: &Metrics) -> Status<'a> {
        Status { about, work: metrics.work() }
    }
}

/// Rounded to a tenth: what is measured is no more exact.
pub(crate) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Advance;
    use mesh::breaker::{Cause, State};
    use serde_json::json;
    use std::time::Duration;

    fn about() -> About {
        About { group: "g".into(), topic: "ecg".into(), revision: None, threads: 2 }
    }

    #[test]
    fn what_is_told_has_the_fields_that_others_read() {
        let metrics = Metrics::default();
        metrics.partitions(12);
        metrics.thread(0);
        metrics.begin(3, 130, Advance { next: 123, series: 3, ..Advance::default() });
        metrics.begin(5, 9, Advance { next: 9, replays: true, ..Advance::default() });
        let mut told = serde_json::to_value(Status::of(&about(), &metrics)).unwrap();
        // It grows with the time that this takes.
        let lag = &mut told["partitions"][0]["lag_seconds"];
        assert!(lag.is_f64());
        *lag = json!(0.0);
        let of = |partition: i32, state, next: i64, end: i64, series| {
            json!({
                "partition": partition, "state": state, "next_offset": next, "end_offset": end,
                "lag_records": end - next, "lag_seconds": 0.0, "series": series,
                "points_per_second": 0.0,
            })
        };
        let wanted = json!({
            "group": "g", "topic": "ecg", "revision": null, "threads": 2, "partitions_total": 12,
            "busy_percent": 0.0,
            "partitions": [of(3, "Running", 123, 130, 3), of(5, "Replaying", 9, 9, 0)],
        });
        assert_eq!(told, wanted);
    }

    #[test]
    fn what_cannot_be_seen_is_not_told() {
        let metrics = Metrics::default();
        metrics.begin(0, 7, Advance::default());
        let first = || metrics.work().partitions.remove(0);
        std::thread::sleep(Duration::from_millis(120));
        assert!(first().lag_seconds.unwrap() >= 0.1);
        metrics.pulse().reachable(false);
        assert_eq!((first().lag_seconds, first().lag_records), (None, 7));
        metrics.pulse().reachable(true);
        let until = Duration::from_secs(1);
        metrics.breaker(&State::Open { cause: Cause::Failures, until });
        assert_eq!(first().state, Phase::Waiting);
        metrics.breaker(&State::Closed);
        metrics.advance(0, &Advance { next: 7, points: 30, ..Advance::default() });
        assert_eq!((first().state, first().lag_seconds), (Phase::Running, Some(0.0)));
        assert!(first().points_per_second > 1.0);
        // What is said of a partition that has gone is not heard any more.
        metrics.forget(0, &[]);
        metrics.end(0, 8);
        assert!(metrics.work().partitions.is_empty());
    }
}
