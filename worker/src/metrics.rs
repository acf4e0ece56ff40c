//! What the worker tells Prometheus.

mod arrivals;
mod brake;
mod busy;
mod progress;
mod recent;

pub(crate) use busy::Busy;
pub(crate) use progress::Advance;

use crate::partition::Judged;
use crate::status::{Work, tenths};
use brake::Brake;
use mesh::breaker::State;
use mesh::schema::Kind;
use mesh::{Acknowledged, Observer, Pulse, Refused, Target};
use progress::Progress;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfScale {
    scale: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPartition {
    partition: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfThread {
    thread: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWindow {
    scale: String,
    partition: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfChange {
    change: String,
}

/// What may have changed since a partition was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The input is another topic.
    Recreated,
    /// Records were deleted that had not been computed.
    RecordsLost,
    /// Records were deleted that a series needs; counted by series.
    SeriesLost,
    /// There is no checkpoint, and the group has read before.
    NoCheckpoint,
    /// The input has another number of partitions.
    Partitions,
    /// Records are read in another way.
    Records,
    /// Series are filtered in another way.
    Filters,
    /// Scales are new or have changed.
    Scales,
    /// The engine has another revision.
    Engine,
}

impl Change {
    const ALL: [Change; 9] = [
        Change::Recreated,
        Change::RecordsLost,
        Change::SeriesLost,
        Change::NoCheckpoint,
        Change::Partitions,
        Change::Records,
        Change::Filters,
        Change::Scales,
        Change::Engine,
    ];

    fn name(self) -> &'static str {
        match self {
            Change::Recreated => "input-recreated",
            Change::RecordsLost => "records-lost",
            Change::SeriesLost => "series-lost",
            Change::NoCheckpoint => "no-checkpoint",
            Change::Partitions => "partitions",
            Change::Records => "records",
            Change::Filters => "filters",
            Change::Scales => "scales",
            Change::Engine => "engine",
        }
    }
}

/// The worker's metrics.
pub(crate) struct Metrics {
    registry: Registry,
    points: Counter,
    replayed: Counter,
    rejected: Family<Code, Counter>,
    judged: Family<Verdict, Counter>,
    emissions: Family<OfScale, Counter>,
    outputs: Family<OfKind, Counter>,
    refused: Counter,
    dead_letters: Counter,
    registry_failures: Counter,
    waiting: Gauge,
    cold: Counter,
    changes: Family<OfChange, Counter>,
    lost: Counter,
    headroom: Family<OfPartition, Gauge>,
    replay: Family<OfPartition, Gauge>,
    checkpoints: Counter,
    engine: Family<OfScale, Histogram>,
    end_to_end: Family<OfKind, Histogram>,
    lag: Family<OfPartition, Gauge>,
    age: Family<OfPartition, Gauge<f64, AtomicU64>>,
    busy: Family<OfThread, Counter<f64, AtomicU64>>,
    series: Family<OfPartition, Gauge>,
    queue_bytes: Family<OfThread, Gauge>,
    in_flight: Gauge,
    window_bytes: Family<OfWindow, Gauge>,
    brake: Brake,
    pulse: Pulse,
    progress: Mutex<BTreeMap<i32, Progress>>,
    threads: Mutex<BTreeMap<usize, Arc<Busy>>>,
    partitions: AtomicI32,
    ready: AtomicBool,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// From 10 µs to 84 s by factors of 2 and less.
fn latency() -> Histogram {
    Histogram::new(exponential_buckets(10e-6, 1.5, 40))
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("streaming_tda"),
            points: Counter::default(),
            replayed: Counter::default(),
            rejected: Family::default(),
            judged: Family::default(),
            emissions: Family::default(),
            outputs: Family::default(),
            refused: Counter::default(),
            dead_letters: Counter::default(),
            registry_failures: Counter::default(),
            waiting: Gauge::default(),
            cold: Counter::default(),
            changes: Family::default(),
            lost: Counter::default(),
            headroom: Family::default(),
            replay: Family::default(),
            checkpoints: Counter::default(),
            engine: Family::new_with_constructor(latency),
            end_to_end: Family::new_with_constructor(latency),
            lag: Family::default(),
            age: Family::default(),
            busy: Family::default(),
            series: Family::default(),
            queue_bytes: Family::default(),
            in_flight: Gauge::default(),
            window_bytes: Family::default(),
            brake: Brake::new(latency()),
            pulse: Pulse::default(),
            progress: Mutex::default(),
            threads: Mutex::default(),
            partitions: AtomicI32::default(),
            ready: AtomicBool::new(false),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let mut registry = Registry::with_prefix("streaming_tda");
        let r = &mut registry;
        r.register("points", "Points computed", self.points.clone());
        r.register(
            "points_replayed",
            "Records read again to rebuild windows",
            self.replayed.clone(),
        );
        r.register("records_skipped", "Records skipped, by the rule broken", self.rejected.clone());
        r.register("records", "New records, by whether they gave points", self.judged.clone());
        r.register("emissions", "Emissions computed", self.emissions.clone());
        r.register("outputs", "Outputs acknowledged", self.outputs.clone());
        r.register("outputs_refused", "Outputs that Kafka will never accept", self.refused.clone());
        r.register("dead_letters", "Dead letters acknowledged", self.dead_letters.clone());
        let help = "Requests that the schema registry did not answer";
        r.register("registry_failures", help, self.registry_failures.clone());
        let help = "Partitions that wait for the schema registry";
        r.register("partitions_waiting", help, self.waiting.clone());
        r.register("series_cold", "Series forgotten to make room for others", self.cold.clone());
        r.register("checkpoints", "Checkpoints acknowledged", self.checkpoints.clone());
        let help = "Changes found when partitions were taken up";
        r.register("changes", help, self.changes.clone());
        let help = "Records that were deleted before they were computed";
        r.register("records_lost", help, self.lost.clone());
        let help = "Records from the first that exists to the first that a restart would read";
        r.register("replay_headroom", help, self.headroom.clone());
        let help = "Records to be read again before new ones";
        r.register("replay_left", help, self.replay.clone());
        let seconds = || Unit::Seconds;
        let help = "Time of the engine for an emission";
        r.register_with_unit("engine_latency", help, seconds(), self.engine.clone());
        let help = "Time from the append of a record to the acknowledgement of its result";
        r.register_with_unit("end_to_end_latency", help, seconds(), self.end_to_end.clone());
        r.register("lag", "Records of a partition that are not yet computed", self.lag.clone());
        let help = "How long the oldest record that is not yet computed has been there";
        r.register_with_unit("lag", help, seconds(), self.age.clone());
        let help = "Time for which a thread has computed";
        r.register_with_unit("busy", help, seconds(), self.busy.clone());
        r.register("series", "Series held", self.series.clone());
        let help = "Records waiting for a thread";
        r.register_with_unit("queue", help, Unit::Bytes, self.queue_bytes.clone());
        r.register("outputs_in_flight", "Outputs not yet acknowledged", self.in_flight.clone());
        let help = "Memory of the windows of a scale";
        r.register_with_unit("window", help, Unit::Bytes, self.window_bytes.clone());
        self.brake.register(r);
        self.registry = registry;
        for code in mesh::schema::Rejection::CODES {
            drop(self.rejected.get_or_create(&Code { code: code.into() }));
        }
        for change in Change::ALL {
            drop(self.changes.get_or_create(&OfChange { change: change.name().into() }));
        }
        for kind in Kind::ALL {
            drop(self.outputs.get_or_create(&of_kind(kind)));
        }
    }

    /// The text format of Prometheus.
    pub(crate) fn encode(&self) -> Result<String, fmt::Error> {
        self.tell_ages();
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Whether partitions have been assigned since the start.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    pub(crate) fn ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    pub(crate) fn point(&self) {
        self.points.inc();
    }

    pub(crate) fn replayed(&self) {
        self.replayed.inc();
    }

    pub(crate) fn rejected(&self, code: &str) {
        self.rejected.get_or_create(&Code { code: code.into() }).inc();
    }

    /// The signs of life of delivery.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// The breaker has another state.
    pub(crate) fn breaker(&self, state: &State) {
        self.brake.changed(state);
    }

    /// The input has waited for so long again.
    pub(crate) fn waited(&self, time: Duration) {
        self.brake.waited(time);
    }

    pub(crate) fn batch_target(&self, records: usize) {
        self.brake.target(records);
    }

    pub(crate) fn batch(&self, took: Duration) {
        self.brake.batch(took);
    }

    pub(crate) fn registry_failed(&self) {
        self.registry_failures.inc();
    }

    pub(crate) fn waiting(&self, partitions: usize) {
        self.waiting.set(partitions as i64);
    }

    pub(crate) fn judged(&self, judged: Judged) {
        let Judged { records, dead, .. } = judged;
        self.pulse.judged(records, dead);
        for (verdict, count) in [("admitted", records - dead), ("rejected", dead)] {
            self.judged.get_or_create(&Verdict { verdict }).inc_by(count);
        }
    }

    pub(crate) fn cold(&self) {
        self.cold.inc();
    }

    /// Something has changed since a partition was left.
    pub(crate) fn changed(&self, change: Change) {
        self.changes.get_or_create(&OfChange { change: change.name().into() }).inc();
    }

    /// So many records were deleted before they were computed.
    pub(crate) fn lost(&self, records: i64) {
        self.lost.inc_by(records.max(0) as u64);
    }

    pub(crate) fn headroom(&self, partition: i32, records: i64) {
        self.headroom.get_or_create(&OfPartition { partition }).set(records);
    }

    pub(crate) fn replay(&self, partition: i32, records: i64) {
        self.replay.get_or_create(&OfPartition { partition }).set(records);
    }

    pub(crate) fn emission(&self, scale: &str, engine: Duration) {
        let scale = OfScale { scale: scale.into() };
        self.emissions.get_or_create(&scale).inc();
        self.engine.get_or_create(&scale).observe(engine.as_secs_f64());
    }

    pub(crate) fn series(&self, partition: i32, count: usize) {
        self.series.get_or_create(&OfPartition { partition }).set(count as i64);
    }

    pub(crate) fn queue(&self, thread: usize, bytes: usize) {
        self.queue_bytes.get_or_create(&OfThread { thread: thread as u64 }).set(bytes as i64);
    }

    pub(crate) fn in_flight(&self, count: usize) {
        self.in_flight.set(count as i64);
    }

    pub(crate) fn window_bytes(&self, scale: &str, partition: i32, bytes: usize) {
        let window = OfWindow { scale: scale.into(), partition };
        self.window_bytes.get_or_create(&window).set(bytes as i64);
    }

    /// The input has so many partitions.
    pub(crate) fn partitions(&self, partitions: i32) {
        self.partitions.store(partitions, Ordering::Relaxed);
    }

    /// Where a thread counts for how long it computes.
    pub(crate) fn thread(&self, index: usize) -> Arc<Busy> {
        let seconds = self.busy.get_or_create(&OfThread { thread: index as u64 }).clone();
        let busy = Arc::new(Busy::new(self.pulse.clone(), seconds));
        lock(&self.threads).insert(index, busy.clone());
        busy
    }

    /// A partition that ends at this offset is computed from now on.
    pub(crate) fn begin(&self, partition: i32, end: i64, advance: Advance) {
        let mut progress = Progress::new(end, self.pulse.now());
        progress.advance(&advance, self.pulse.now());
        self.lag.get_or_create(&OfPartition { partition }).set(progress.lag());
        lock(&self.progress).insert(partition, progress);
    }

    /// Records of a partition were computed.
    pub(crate) fn advance(&self, partition: i32, advance: &Advance) {
        self.progressed(partition, |p| p.advance(advance, self.pulse.now()));
    }

    /// A partition ends there now.
    pub(crate) fn end(&self, partition: i32, end: i64) {
        self.progressed(partition, |p| p.end(end, self.pulse.now()));
    }

    /// What is done now.
    pub(crate) fn work(&self) -> Work {
        let (now, stands, seen) = (self.pulse.now(), self.brake.stands(), self.sees_ends());
        let threads = lock(&self.threads);
        let shares: f64 = threads.values().map(|busy| busy.share()).sum();
        let progress = lock(&self.progress);
        let told = progress.iter().map(|(&number, p)| p.told(number, stands, seen, now));
        Work {
            partitions_total: self.partitions.load(Ordering::Relaxed),
            busy_percent: tenths(100.0 * shares / threads.len().max(1) as f64),
            partitions: told.collect(),
        }
    }

    /// Whether brokers tell where partitions end.
    fn sees_ends(&self) -> bool {
        self.pulse.vitals().down.is_none()
    }

    fn tell_ages(&self) {
        let (now, seen) = (self.pulse.now(), self.sees_ends());
        for (&partition, progress) in &*lock(&self.progress) {
            match seen {
                true => {
                    let age = progress.age(now).as_secs_f64();
                    self.age.get_or_create(&OfPartition { partition }).set(age);
                }
                false => _ = self.age.remove(&OfPartition { partition }),
            }
        }
    }

    /// A partition is no longer ours to speak of.
    pub(crate) fn forget(&self, partition: i32, scales: &[String]) {
        lock(&self.progress).remove(&partition);
        self.lag.remove(&OfPartition { partition });
        self.age.remove(&OfPartition { partition });
        self.series.remove(&OfPartition { partition });
        self.headroom.remove(&OfPartition { partition });
        self.replay.remove(&OfPartition { partition });
        for scale in scales {
            self.window_bytes.remove(&OfWindow { scale: scale.clone(), partition });
        }
    }

    fn progressed(&self, partition: i32, change: impl FnOnce(&mut Progress)) {
        let mut progress = lock(&self.progress);
        // Before it is begun, and when it has gone, there is nothing to tell.
        let Some(of) = progress.get_mut(&partition) else { return };
        change(of);
        self.lag.get_or_create(&OfPartition { partition }).set(of.lag());
    }
}

impl Observer for Metrics {
    fn acknowledged(&self, output: Acknowledged) {
        self.pulse.acknowledged();
        let Target::Output(kind) = output.to else {
            self.dead_letters.inc();
            return;
        };
        let kind = of_kind(kind);
        self.outputs.get_or_create(&kind).inc();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Some(appended) = output.timestamp {
            let seconds = (now.as_secs_f64() - appended as f64 / 1000.0).max(0.0);
            self.end_to_end.get_or_create(&kind).observe(seconds);
        }
    }

    fn refused(&self, output: Refused<'_>) {
        self.refused.inc();
        tracing::error!(id = output.id, "output refused for good: {}", output.reason);
    }

    fn failed(&self) {
        self.pulse.failed();
    }

    fn saved(&self, _partition: i32, _next: i64) {
        self.checkpoints.inc();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn of_kind(kind: Kind) -> OfKind {
    OfKind { kind: kind.name().into() }
}
