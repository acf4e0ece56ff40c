//! How long a worker's partitions are not served when it is killed.

use crate::audit::{Audit, Extent};
use crate::job::{Guarantee, Job, Peers, Route};
use crate::paced::{Pace, Record, TOLERABLE_LAG, too_late};
use crate::stage::Stage;
use anyhow::{Context, Result};
use load::latency::Percentiles;
use serde::Serialize;
use std::cell::Cell;

/// When one of the two workers is killed, seconds after the first point.
const KILL: f64 = 8.0;
/// Within this the partitions are to be served again.
const GOAL_SECONDS: f64 = 10.0;
/// A partition that is not served for so long was the killed worker's: nobody else takes it before
/// its session is over, which lasts some seconds. The others go on within milliseconds.
const PAUSE: f64 = 2.0;

/// What became of the partitions of a worker that was killed.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Recovered {
    pub(crate) guarantee: Guarantee,
    /// Whether the generator has kept to its rate, to a tenth of what recovery may take.
    pub(crate) valid: bool,
    /// From the kill to the first result of a point that was appended after it, in the partition
    /// where that took longest.
    pub(crate) seconds: f64,
    /// Partitions that were not served for a while. When there is none, the killed worker had none.
    pub(crate) paused_partitions: usize,
    pub(crate) points_per_second: f64,
    pub(crate) generator_lag_ms: Percentiles,
    pub(crate) audit: Audit,
}

/// Kills one of two workers while points come at a steady rate.
pub(crate) fn measure(
    stage: &Stage,
    peers: &Peers,
    job: &Job,
    route: &Route,
    pace: &Pace,
) -> Result<Recovered> {
    let killed = Cell::new(None);
    let record = pace.run(stage, peers, job, route, 2, |seconds, crew| {
        if seconds >= KILL && killed.get().is_none() {
            crew.kill_one()?;
            killed.set(Some(crate::arrivals::now()));
        }
        Ok(())
    })?;
    let killed = killed.get().context("the run was too short to kill a worker")?;
    let seconds =
        (0..route.partitions).map(|p| outage(&record, p, killed)).collect::<Result<Vec<_>>>()?;
    Ok(Recovered {
        guarantee: job.guarantee(),
        valid: record.generator_lag.p99 <= TOLERABLE_LAG * 1e3 * GOAL_SECONDS,
        paused_partitions: seconds.iter().filter(|outage| **outage > PAUSE).count(),
        seconds: seconds.into_iter().fold(0.0, f64::max),
        points_per_second: pace.rate,
        generator_lag_ms: record.generator_lag,
        audit: Audit::of(&record.history, job, &record.arrivals, Extent::Whole)?,
    })
}

impl Recovered {
    /// What was wrong.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.audit.faults(self.guarantee);
        if !self.valid {
            faults.push(too_late(self.generator_lag_ms.p99));
        }
        if self.paused_partitions == 0 {
            faults.push("no partition paused: the worker that was killed had none".into());
        }
        faults
    }
}

/// Seconds until a result of a point came that was appended after the kill.
fn outage(record: &Record, partition: i32, killed: f64) -> Result<f64> {
    let of_later = record.arrivals.iter().filter(|arrival| {
        let appended = record.history.series[arrival.series].appended(arrival.time);
        arrival.partition == partition && appended.is_some_and(|at| at as f64 > killed)
    });
    let first = of_later.map(|arrival| arrival.readable).min_by(f64::total_cmp);
    let first = first.with_context(|| format!("partition {partition} is not served any more"))?;
    Ok((first - killed) / 1e3)
}
