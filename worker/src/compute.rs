//! A thread that computes partitions. A partition, and with it every key, stays on one thread
//! while it is owned.

use crate::batching::Batching;
use crate::metrics::{Advance, Busy, Metrics};
use crate::partition::{Partition, Taken};
use crate::queue::Outlet;
use crate::replay::Log;
use crate::schemas::Unread;
use crossbeam_channel::Sender;
use mesh::topics::Policy;
use mesh::{Batch, Lease, Outgoing, Record};
use rayon::ThreadPool;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Work that is worth to be shared between threads: to wake them costs some tens of microseconds,
/// and more where they have to wait for a core.
const WORTH: Duration = Duration::from_millis(2);
/// How often memory is measured.
const MEASURE: Duration = Duration::from_secs(1);
/// How often to tell how far a replay is.
const TELL: Duration = Duration::from_secs(5);

/// What a thread is told.
pub(crate) enum Task {
    /// Compute this partition from now on.
    Begin(Box<Held>),
    /// Compute these records.
    Take(i32, Vec<Record>),
    /// What a partition waited for is there.
    GoOn(i32),
    /// Finish a partition, and say so when its outputs and its checkpoint are acknowledged.
    End(i32, Sender<i32>),
    /// A partition is another's already.
    Drop(i32),
}

/// A partition that is computed.
pub(crate) struct Held {
    pub(crate) number: i32,
    pub(crate) partition: Partition,
    /// Where it ended when it was taken up.
    pub(crate) end: i64,
    pub(crate) lease: Lease,
    /// Records that have not been begun shall not be.
    pub(crate) leaving: Arc<AtomicBool>,
    /// There are records that wait.
    pub(crate) waits: Arc<AtomicBool>,
    /// Records that wait until the schema of the first one is known.
    pub(crate) waiting: Vec<Record>,
    /// Offset of the first record of the partition that still exists.
    pub(crate) first: Arc<AtomicI64>,
    /// How long the input keeps its records.
    pub(crate) policy: Policy,
    /// When it was taken up, and when it was last told that this takes time.
    pub(crate) begun: Instant,
    pub(crate) told: Option<Instant>,
    /// What its records take.
    pub(crate) cost: Cost,
}

/// Seconds that a record takes to be computed, as an average of late.
#[derive(Debug, Default)]
pub(crate) struct Cost(f64);

impl Cost {
    /// The share of what is new in the average.
    const NEW: f64 = 0.1;

    fn observe(&mut self, records: usize, took: Duration) {
        let each = took.as_secs_f64() / records.max(1) as f64;
        self.0 += Cost::NEW * (each - self.0);
    }

    fn expected(&self, records: usize) -> Duration {
        Duration::from_secs_f64(self.0 * records as f64)
    }
}

pub(crate) struct Thread {
    pub(crate) index: usize,
    pub(crate) outlet: Outlet<Task>,
    pub(crate) pool: Arc<ThreadPool>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) busy: Arc<Busy>,
    pub(crate) batching: Arc<Batching>,
    /// Where records wait for their schemas.
    pub(crate) unread: Sender<Unread>,
    pub(crate) checkpoint: Duration,
    /// Names of the scales.
    pub(crate) scales: Vec<String>,
}

impl Thread {
    /// Works until nobody can tell it anything any more.
    pub(crate) fn run(self) {
        let mut held = BTreeMap::new();
        let (mut remembered, mut measured) = (Instant::now(), Instant::now());
        let wait = self.checkpoint.min(MEASURE);
        while self.outlet.work(wait, |task| self.perform(task, &mut held)).is_ok() {
            self.metrics.queue(self.index, self.outlet.bytes());
            if remembered.elapsed() >= self.checkpoint {
                held.values_mut().for_each(remember);
                remembered = Instant::now();
            }
            if measured.elapsed() >= MEASURE {
                held.values().for_each(|held| self.measure(held));
                measured = Instant::now();
            }
        }
    }

    pub(crate) fn perform(&self, task: Task, held: &mut BTreeMap<i32, Held>) {
        match task {
            Task::Begin(mut new) => {
                begin(&mut new);
                self.metrics.begin(new.number, new.end, new.advance(0));
                held.insert(new.number, *new);
            }
            Task::Take(number, records) => match stays(held, number) {
                Some(held) if held.waiting.is_empty() => self.take(held, records),
                Some(held) => held.waiting.extend(records),
                None => {}
            },
            Task::GoOn(number) => {
                if let Some(held) = stays(held, number) {
                    let records = std::mem::take(&mut held.waiting);
                    self.take(held, records);
                }
            }
            Task::End(number, done) => match held.remove(&number) {
                Some(mut held) => {
                    let snapshot = held.partition.snapshot(&held.log());
                    held.lease.release(held.partition.next(), snapshot, done);
                    self.forget(number);
                }
                None => _ = done.send(number),
            },
            Task::Drop(number) => {
                held.remove(&number);
                self.forget(number);
            }
        }
    }

    fn take(&self, held: &mut Held, mut records: Vec<Record>) {
        let behind = held.partition.behind();
        let pool =
            held.cost.expected(records.len()) >= WORTH && self.pool.current_num_threads() > 1;
        let pool = pool.then_some(&*self.pool);
        let take = || held.partition.take(&records, pool, &self.metrics);
        let (taken, took) = self.busy.during(take);
        self.batching.computed(records.len(), took);
        held.cost.observe(records.len(), took);
        let Taken { outputs, dead_letters, judged, waits } = taken;
        self.metrics.judged(judged);
        let outputs = outputs.into_iter().map(Outgoing::from);
        let outgoing: Vec<_> = outputs.chain(dead_letters).collect();
        let next = held.partition.next();
        let sent = (!outgoing.is_empty()).then(|| self.metrics.pulse().sent());
        let due = held.partition.must_remember();
        let snapshot = due.then(|| held.partition.snapshot(&held.log())).flatten();
        held.lease.deliver(Batch { records: outgoing, next, snapshot, waits: sent });
        held.waits.store(waits.is_some(), Ordering::Relaxed);
        if let Some(first) = waits {
            held.waiting = records.split_off(first);
            let (record, leaving) = (held.waiting[0].clone(), held.leaving.clone());
            let _ = self.unread.send(Unread { partition: held.number, record, leaving });
        }
        self.metrics.advance(held.number, &held.advance(judged.points));
        if behind > 0 {
            self.tell_of_replay(held);
        }
    }

    fn tell_of_replay(&self, held: &mut Held) {
        let (partition, left) = (held.number, held.partition.behind());
        self.metrics.replay(partition, left);
        let elapsed = held.begun.elapsed();
        if left == 0 {
            tracing::info!(partition, took = ?elapsed, "windows are rebuilt");
        } else if held.told.unwrap_or(held.begun).elapsed() >= TELL {
            held.told = Some(Instant::now());
            tracing::info!(partition, records_left = left, so_far = ?elapsed, "rebuilding windows");
        }
    }

    fn measure(&self, held: &Held) {
        for (scale, bytes) in self.scales.iter().zip(held.partition.heap_bytes()) {
            self.metrics.window_bytes(scale, held.number, bytes);
        }
        let first = held.log().first;
        // As long as nothing was deleted, there is nothing to come near to.
        if let Some(oldest) = held.partition.oldest().filter(|_| first > 0) {
            self.metrics.headroom(held.number, oldest - first);
        }
    }

    fn forget(&self, partition: i32) {
        self.metrics.forget(partition, &self.scales);
    }
}

/// A partition that is held and does not leave.
fn stays(held: &mut BTreeMap<i32, Held>, number: i32) -> Option<&mut Held> {
    held.get_mut(&number).filter(|held| !held.leaving.load(Ordering::Relaxed))
}

impl Held {
    /// Where it is, after so many new points.
    fn advance(&self, points: u64) -> Advance {
        Advance {
            next: self.partition.next(),
            replays: self.partition.behind() > 0,
            waits: !self.waiting.is_empty(),
            series: self.partition.series(),
            points,
        }
    }

    /// What is known of the partition's log now.
    fn log(&self) -> Log {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Log {
            first: self.first.load(Ordering::Relaxed),
            policy: self.policy,
            now: now.as_millis() as i64,
        }
    }
}

/// Has the place of a partition remembered, if there is no checkpoint of it, and committed: its
/// last owner may not have been able to.
fn begin(held: &mut Held) {
    let snapshot = held.partition.snapshot(&held.log());
    let (records, next) = (Vec::new(), held.partition.next());
    held.lease.deliver(Batch { records, next, snapshot, waits: None });
}

/// Has the place of a partition remembered, if it has come further.
pub(crate) fn remember(held: &mut Held) {
    if let Some(snapshot) = held.partition.snapshot(&held.log()) {
        let (records, next) = (Vec::new(), held.partition.next());
        held.lease.deliver(Batch { records, next, snapshot: Some(snapshot), waits: None });
    }
}
