//! `mesh.json`.

use crate::audit::Audit;
use crate::backlog::Drained;
use crate::job::Guarantee;
use crate::machine::Machine;
use crate::paced::Paced;
use crate::recovery::Recovered;
use serde::Serialize;
use std::collections::BTreeMap;

/// How the figures come about, in words that stand beside them.
const METHOD: [&str; 6] = [
    "One Apache Kafka, 4 partitions, 8 series of points as JSON; windows of 1,000 points, diagrams \
     (H0, H1) every 10, up to the radius at which points have 50 neighbours on average.",
    "Rates: points are in the topic before, and are worked off for some seconds by processes with \
     one thread that computes. CPU time is that of the whole process, all of its threads and the \
     system's work for it (/proc/<pid>/stat), warm-up left out. A reader reads the results \
     meanwhile, on the same machine as everything else. Features and scores are made with the \
     defaults, but for a warm-up of 20 emissions, which lies before what is measured.",
    "Points a second and core are points per second of that CPU time, on the workload where there \
     are fewest.",
    "Latency: points come at a steady rate, each at its intended time whatever becomes of those \
     before; from the append of the point with which a result became due, as the broker tells it \
     (whole milliseconds, rounded down), until a reader of committed results has it.",
    "Every run is audited against the input topic: results lost, come again, out of order.",
    "Kafka Streams passes every point through unread: what its ceiling is, not the same work.",
];

/// All that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    method: [&'static str; 6],
    /// On one worker, at the workload where there are fewest.
    pub(crate) points_per_second_per_core: f64,
    pub(crate) latency_ms: ByGuarantee<LatencyOf>,
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    pub(crate) reordered: usize,
    /// By the number of workers.
    pub(crate) cpu_seconds_per_million_points: BTreeMap<usize, f64>,
    pub(crate) recovery_seconds: f64,
    pub(crate) worker: WorkerResults,
    pub(crate) peers: Peers,
}

/// One figure for each guarantee.
pub(crate) type ByGuarantee<T> = BTreeMap<Guarantee, T>;

/// The percentiles, as the headline has them.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct LatencyOf {
    p50: f64,
    p95: f64,
    p99: f64,
}

/// The worker in detail.
#[derive(Debug, Default, Serialize)]
pub(crate) struct WorkerResults {
    /// By workload.
    pub(crate) rate: BTreeMap<&'static str, Drained>,
    /// On the torus, by what is done otherwise.
    pub(crate) rate_of_variants: BTreeMap<&'static str, Drained>,
    /// Every run, by the number of workers.
    pub(crate) scaling: BTreeMap<usize, Vec<Drained>>,
    pub(crate) latency: ByGuarantee<Paced>,
    pub(crate) recovery: ByGuarantee<Recovered>,
}

/// The others.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Peers {
    pub(crate) python: Python,
    pub(crate) kafka_streams: Streams,
}

/// The Python consumer.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Python {
    pub(crate) points_per_second_per_core: f64,
    /// By workload.
    pub(crate) rate: BTreeMap<&'static str, Drained>,
    /// The library that was fastest, by workload.
    pub(crate) library: BTreeMap<&'static str, String>,
    /// At a third of the rate that it can do: at that of the worker it would fall behind for ever.
    pub(crate) latency: Option<Paced>,
}

/// Kafka Streams.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Streams {
    pub(crate) points_per_second_per_core: ByGuarantee<f64>,
    pub(crate) rate: ByGuarantee<Drained>,
    /// As it comes, and with what is told to hasten it.
    pub(crate) latency: BTreeMap<&'static str, ByGuarantee<Paced>>,
}

impl Results {
    pub(crate) fn of(machine: Machine, worker: WorkerResults, peers: Peers) -> Results {
        let audits = worker.undisturbed();
        let audit = audits.into_iter().fold(Audit::default(), Audit::plus);
        let latency = |paced: &Paced| {
            let l = paced.latency_ms;
            LatencyOf { p50: l.p50, p95: l.p95, p99: l.p99 }
        };
        Results {
            machine,
            method: METHOD,
            points_per_second_per_core: slowest(&worker.rate),
            latency_ms: worker.latency.iter().map(|(g, paced)| (*g, latency(paced))).collect(),
            lost: audit.lost,
            duplicated: audit.duplicated,
            reordered: audit.reordered,
            cpu_seconds_per_million_points: worker
                .scaling
                .iter()
                .map(|(workers, runs)| (*workers, cost(runs)))
                .collect(),
            recovery_seconds: worker.recovery.values().map(|r| r.seconds).fold(0.0, f64::max),
            worker,
            peers,
        }
    }
}

impl WorkerResults {
    /// The audits of all runs in which no process was killed.
    fn undisturbed(&self) -> Vec<Audit> {
        let rates = self.rate.values().chain(self.rate_of_variants.values());
        let drained = rates.chain(self.scaling.values().flatten()).map(|drained| drained.audit);
        drained.chain(self.latency.values().map(|paced| paced.audit)).collect()
    }
}

impl Results {
    /// Whether the generator kept to its rate in every run.
    pub(crate) fn is_valid(&self) -> bool {
        let ours = self.worker.latency.values();
        let streams = self.peers.kafka_streams.latency.values().flat_map(BTreeMap::values);
        let theirs = streams.chain(&self.peers.python.latency);
        ours.chain(theirs).all(|paced| paced.valid)
    }
}

/// Points per CPU second, where they are fewest.
pub(crate) fn slowest(rate: &BTreeMap<&'static str, Drained>) -> f64 {
    rate.values().map(|drained| drained.points_per_cpu_second).fold(f64::INFINITY, f64::min)
}

/// CPU seconds of a million points, over all runs.
fn cost(runs: &[Drained]) -> f64 {
    let cpu: f64 = runs.iter().map(|run| run.cpu_seconds).sum();
    let points: usize = runs.iter().map(|run| run.points).sum();
    1e6 * cpu / points as f64
}
