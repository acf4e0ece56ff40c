//! `mesh.json`.

use crate::audit::Audit;
use crate::backlog::Drained;
use crate::job::Guarantee;
use crate::machine::Machine;
use crate::paced::Paced;
use crate::recovery::Recovered;
use crate::sharing::{self, Shared};
use load::latency::Percentiles;
use serde::Serialize;
use std::collections::BTreeMap;

/// How the figures come about, in words that stand beside them.
const METHOD: [&str; 8] = [
    "One Apache Kafka, 4 partitions unless something else is said, 8 series of points as JSON; \
     windows of 1,000 points, diagrams (H0, H1) every 10, up to the radius at which points have 50 \
     neighbours on average.",
    "Rates: points are in the topic before, and are worked off for some seconds by processes with \
     one thread that computes. CPU time is that of the whole process, all of its threads and the \
     system's work for it (/proc/<pid>/stat), warm-up left out. What was computed meanwhile is \
     counted by the times at which the broker appended the results, each once. A reader reads \
     them, on the same machine as everything else. Features and scores are made with the \
     defaults, but for a warm-up of 20 emissions, which lies before what is measured.",
    "Points a second and core are points per second of that CPU time, at least once, on the \
     workload where there are fewest.",
    "Latency: points come at a steady rate, each at its intended time whatever becomes of those \
     before; from the intended time of the point with which a result became due until a reader of \
     committed results has it. All points go into one partition, unless it says otherwise: each \
     partition more costs the broker, which has its share of the same cores, as many requests \
     again. The producer waits for up to 1 ms for each partition to send some points together, \
     and that counts. The series began one after another, so that their results do not all fall \
     due at once. Beside it stands the latency from the append of that point, as the broker tells \
     it (whole milliseconds, rounded down). A run whose generator was late by more than a tenth \
     of the goal of 20 ms, at the 99th percentile, is invalid, and repeated up to twice.",
    "CPU time by number of workers: the same points at one rate that a single worker holds with \
     room to spare, since more workers than cores cannot be saturated. They come in pulses, 500 ms \
     after one another: what a worker fetches at once has as many points of each partition \
     whether it has one or all four. Beside it stands what as many processes cost at once that \
     only compute, each the same points from a file: so much of the growth is the machine's, \
     whose cores share caches.",
    "Recovery: one of two workers is killed while points come at a steady rate; from the kill to \
     the first result of a point appended after it, in the partition where that took longest.",
    "Every run, with those in which a worker was killed, is audited against the input topic: \
     results lost, come again, come again with other bytes, out of order.",
    "Kafka Streams passes every point through unread: what its ceiling is, not the same work. Its \
     latency is that with properties which hasten it, beside that as it comes. The latency of the \
     Python program is measured at a third of the rate that it can do.",
];

/// All that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    method: [&'static str; 8],
    /// What was wrong in some run. When there is something, the figures are not to be trusted.
    pub(crate) faults: Vec<String>,
    /// Those of the worker.
    #[serde(flatten)]
    pub(crate) figures: Figures,
    pub(crate) worker: WorkerResults,
    pub(crate) peers: Peers,
}

/// One figure for each guarantee.
pub(crate) type ByGuarantee<T> = BTreeMap<Guarantee, T>;

/// What is said of the worker and of each peer alike.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    /// At least once, at the workload where there are fewest.
    pub(crate) points_per_second_per_core: f64,
    /// From the intended time of a point.
    pub(crate) latency_ms: ByGuarantee<LatencyOf>,
    /// From its append by the broker.
    pub(crate) latency_from_append_ms: ByGuarantee<LatencyOf>,
    /// Over all runs, as what follows.
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    pub(crate) contradicted: usize,
    pub(crate) reordered: usize,
    /// By the number of processes.
    pub(crate) cpu_seconds_per_million_points: BTreeMap<usize, f64>,
    pub(crate) recovery_seconds: Option<f64>,
    /// Why figures are missing, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) not_measured: BTreeMap<String, &'static str>,
}

/// The percentiles, as the headline has them.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct LatencyOf {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

impl From<Percentiles> for LatencyOf {
    fn from(Percentiles { p50, p95, p99, .. }: Percentiles) -> LatencyOf {
        LatencyOf { p50, p95, p99 }
    }
}

/// Every run, by the number of processes.
pub(crate) type Rounds<T> = BTreeMap<usize, Vec<T>>;

/// The worker in detail.
#[derive(Debug, Default, Serialize)]
pub(crate) struct WorkerResults {
    /// By workload.
    pub(crate) rate: BTreeMap<&'static str, Drained>,
    /// On the torus, by what is done otherwise.
    pub(crate) rate_of_variants: BTreeMap<&'static str, Drained>,
    /// Every run, by the number of workers.
    pub(crate) scaling: Rounds<Shared>,
    /// The control: CPU seconds per million points of as many processes at once that only compute.
    pub(crate) engine_alone: Rounds<f64>,
    /// Of points in one partition.
    pub(crate) latency: ByGuarantee<Paced>,
    /// Of as many points in more partitions.
    pub(crate) latency_of_more: ByGuarantee<Paced>,
    pub(crate) recovery: ByGuarantee<Recovered>,
}

/// The others.
#[derive(Debug, Serialize)]
pub(crate) struct Peers {
    pub(crate) python: Python,
    pub(crate) kafka_streams: Streams,
}

/// The Python consumer.
#[derive(Debug, Serialize)]
pub(crate) struct Python {
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// By workload.
    pub(crate) rate: BTreeMap<&'static str, Drained>,
    /// The library that was fastest, by workload.
    pub(crate) library: BTreeMap<&'static str, String>,
    /// At a third of the rate that it can do: at that of the worker it would fall behind for ever.
    pub(crate) latency: ByGuarantee<Paced>,
}

/// Kafka Streams.
#[derive(Debug, Serialize)]
pub(crate) struct Streams {
    #[serde(flatten)]
    pub(crate) figures: Figures,
    pub(crate) rate: ByGuarantee<Drained>,
    /// As it comes, and with what is told to hasten it.
    pub(crate) latency: BTreeMap<&'static str, ByGuarantee<Paced>>,
}

/// The name of the setting of Kafka Streams with which it is quickest.
pub(crate) const HASTENED: &str = "hastened";
const ONLY_OURS: &str = "only workers of this repository are killed";
const NO_TRANSACTIONS: &str = "the Python program commits offsets after outputs, no transactions";
const LATE: &str = "the generator was late while it was measured";

impl Results {
    pub(crate) fn of(machine: Machine, worker: WorkerResults, peers: Peers) -> Results {
        let faults = [worker.faults(), peers.faults()].concat();
        Results { machine, method: METHOD, faults, figures: worker.figures(), worker, peers }
    }
}

impl Figures {
    fn counting(audits: impl Iterator<Item = Audit>) -> Figures {
        let Audit { lost, duplicated, contradicted, reordered, .. } =
            audits.fold(Audit::default(), Audit::plus);
        Figures { lost, duplicated, contradicted, reordered, ..Figures::default() }
    }

    /// Takes the latencies that mean something, and says why others are missing.
    fn take_latency(&mut self, measured: &ByGuarantee<Paced>) {
        for (guarantee, paced) in measured {
            if paced.valid {
                self.latency_ms.insert(*guarantee, paced.latency_ms.into());
                self.latency_from_append_ms.insert(*guarantee, paced.from_append_ms.into());
            } else {
                self.miss(&format!("latency_ms.{}", guarantee.name()), LATE);
            }
        }
    }

    /// One process was measured, and none was killed.
    fn take_rate_of_one(&mut self, points_per_cpu_second: f64) {
        self.points_per_second_per_core = points_per_cpu_second;
        self.cpu_seconds_per_million_points.insert(1, 1e6 / points_per_cpu_second);
        self.miss("recovery_seconds", ONLY_OURS);
    }

    fn miss(&mut self, figure: &str, why: &'static str) {
        self.not_measured.insert(figure.into(), why);
    }
}

impl WorkerResults {
    fn figures(&self) -> Figures {
        let mut figures = Figures::counting(self.audits());
        figures.points_per_second_per_core = slowest(&self.rate);
        figures.take_latency(&self.latency);
        let costs = self.scaling.iter().map(|(workers, runs)| (*workers, sharing::cost(runs)));
        figures.cpu_seconds_per_million_points = costs.collect();
        figures.recovery_seconds = self.recovery.values().map(|r| r.seconds).max_by(f64::total_cmp);
        figures
    }

    /// Those of all runs, with those in which a worker was killed.
    fn audits(&self) -> impl Iterator<Item = Audit> + '_ {
        let drained = self.rate.values().chain(self.rate_of_variants.values()).map(|d| d.audit);
        let shared = self.scaling.values().flatten().map(|shared| shared.audit);
        let paced = self.latencies().map(|(_, paced)| paced.audit);
        drained.chain(shared).chain(paced).chain(self.recovery.values().map(|r| r.audit))
    }

    fn latencies(&self) -> impl Iterator<Item = (&Guarantee, &Paced)> {
        self.latency.iter().chain(&self.latency_of_more)
    }

    /// Runs in which results were wrong, or that mean nothing. That the generator was late is no
    /// fault where latency was measured: it is left out, and it is said why.
    fn faults(&self) -> Vec<String> {
        let rates = self.rate.iter().chain(&self.rate_of_variants);
        let rates = rates.flat_map(|(name, drained)| named("rate", name, drained.faults()));
        let shared = self.scaling.iter().flat_map(|(workers, runs)| {
            let faults = runs.iter().flat_map(Shared::faults).collect();
            named("workers", &workers.to_string(), faults)
        });
        let latency = self.latencies();
        let latency =
            latency.flat_map(|(g, paced)| named("latency", g.name(), paced.audit.faults(*g)));
        let recovery = self.recovery.iter();
        let recovery = recovery.flat_map(|(g, r)| named("a worker killed", g.name(), r.faults()));
        rates.chain(shared).chain(latency).chain(recovery).collect()
    }
}

impl Peers {
    /// Runs in which results were wrong: the work was not the same then.
    fn faults(&self) -> Vec<String> {
        let Peers { python, kafka_streams: streams } = self;
        let rates = python.rate.iter();
        let rates = rates.flat_map(|(name, drained)| named("Python", name, drained.faults()));
        let passed = streams.rate.iter();
        let passed = passed.flat_map(|(g, d)| named("Kafka Streams", g.name(), d.faults()));
        let theirs = python.latency.values().map(|paced| ("Python, latency", paced));
        let latency = streams.latency.values().flat_map(BTreeMap::values);
        let theirs = theirs.chain(latency.map(|paced| ("Kafka Streams, latency", paced)));
        let latency = theirs.flat_map(|(who, paced)| {
            named(who, paced.guarantee.name(), paced.audit.faults(paced.guarantee))
        });
        rates.chain(passed).chain(latency).collect()
    }
}

impl Python {
    pub(crate) fn of(
        rate: BTreeMap<&'static str, Drained>,
        library: BTreeMap<&'static str, String>,
        latency: ByGuarantee<Paced>,
    ) -> Python {
        let audits = rate.values().map(|drained| drained.audit);
        let mut figures = Figures::counting(audits.chain(latency.values().map(|p| p.audit)));
        figures.take_rate_of_one(slowest(&rate));
        figures.take_latency(&latency);
        figures.miss("latency_ms.exactly_once", NO_TRANSACTIONS);
        Python { figures, rate, library, latency }
    }
}

impl Streams {
    pub(crate) fn of(
        rate: ByGuarantee<Drained>,
        latency: BTreeMap<&'static str, ByGuarantee<Paced>>,
    ) -> Streams {
        let paced = latency.values().flat_map(BTreeMap::values).map(|paced| paced.audit);
        let mut figures = Figures::counting(rate.values().map(|d| d.audit).chain(paced));
        let rates = rate.get(&Guarantee::AtLeastOnce).map(|d| d.points_per_cpu_second);
        figures.take_rate_of_one(rates.unwrap_or(f64::NAN));
        latency.get(HASTENED).into_iter().for_each(|paced| figures.take_latency(paced));
        Streams { figures, rate, latency }
    }
}

/// Faults, with the name of what they were found in.
fn named(kind: &str, name: &str, faults: Vec<String>) -> Vec<String> {
    faults.into_iter().map(|fault| format!("{kind}, {}: {fault}", name.replace('_', " "))).collect()
}

/// Points per CPU second, where they are fewest.
fn slowest(rate: &BTreeMap<&'static str, Drained>) -> f64 {
    rate.values().map(|drained| drained.points_per_cpu_second).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests;
