//! What the same work costs when more workers share it.
//!
//! Points come at one rate, which one worker and a few cores can hold with room to spare: nobody is
//! saturated, and nobody waits for a core that another has. They come in long pulses, so that what a
//! worker fetches at once is as long whether it has one partition or all, and as long as for a worker
//! that is behind: otherwise one worker would find more points at each look than each of four, and
//! the cost of looking would be compared.

use crate::audit::Audit;
use crate::job::{Guarantee, Job, Peers, Route};
use crate::paced::{Pace, Paced};
use crate::stage::Stage;
use anyhow::{Result, ensure};
use load::latency::Percentiles;
use serde::Serialize;

/// Results that take longer than this, the pulse included, have waited for others: the workers are
/// saturated, or the points came late.
const UNHURRIED_MS: f64 = 1500.0;

/// What it cost to work points off together.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Shared {
    pub(crate) guarantee: Guarantee,
    /// Whether there was room to spare.
    pub(crate) valid: bool,
    pub(crate) points_per_second: f64,
    pub(crate) points: usize,
    /// Of all processes, in all their threads and in the system for them.
    pub(crate) cpu_seconds: f64,
    /// From the intended time of a point until its result was read.
    pub(crate) latency_ms: Percentiles,
    pub(crate) audit: Audit,
}

/// Lets so many workers share what comes.
pub(crate) fn measure(
    stage: &Stage,
    peers: &Peers,
    job: &Job,
    route: &Route,
    workers: usize,
    pace: &Pace,
) -> Result<Shared> {
    let record = pace.run(stage, peers, job, route, workers, |_, _| Ok(()))?;
    let (points, cpu_seconds) = record.work(job);
    ensure!(points > 0, "{workers} workers had no result while they were measured");
    let Paced { latency_ms, audit, .. } = record.paced(pace, job)?;
    Ok(Shared {
        guarantee: job.guarantee(),
        valid: latency_ms.p99 <= UNHURRIED_MS,
        points_per_second: pace.rate,
        points,
        cpu_seconds,
        latency_ms,
        audit,
    })
}

impl Shared {
    /// What was wrong.
    pub(crate) fn faults(&self) -> Vec<String> {
        let p99 = self.latency_ms.p99;
        let late = (!self.valid).then(|| {
            format!("results took {p99:.0} ms (P99): there was no room to spare at this rate")
        });
        self.audit.faults(self.guarantee).into_iter().chain(late).collect()
    }

    pub(crate) fn cost(&self) -> f64 {
        cost(std::slice::from_ref(self))
    }
}

/// CPU seconds of a million points, over some runs. The mean: a run in which other processes took
/// the cores is as likely for any number of workers.
pub(crate) fn cost(runs: &[Shared]) -> f64 {
    let cpu: f64 = runs.iter().map(|run| run.cpu_seconds).sum();
    let points: usize = runs.iter().map(|run| run.points).sum();
    1e6 * cpu / points as f64
}
