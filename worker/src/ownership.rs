//! Who owns which partition: between the polling thread and the threads that compute.

use crate::batching::Batching;
use crate::commits::Commits;
use crate::compute::{Cost, Held, Task};
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::partition::{Known, Partition};
use crate::queue::Inlet;
use crate::series::Blueprint;
use crossbeam_channel::{Receiver, unbounded};
use mesh::checkpoint::{Past, Saved, Witness};
use mesh::topics::Policy;
use mesh::{Delivery, Error, Owner, Record, Released};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The partitions of this worker, spread over its threads.
pub(crate) struct Ownership {
    pub(crate) blueprint: Arc<Blueprint>,
    /// Partitions of the input.
    pub(crate) partitions: i32,
    /// How long the input keeps its records.
    pub(crate) policy: Policy,
    pub(crate) past: Mutex<Box<dyn Past>>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) threads: Vec<Inlet<Task>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) gate: Gate,
    pub(crate) batching: Arc<Batching>,
    /// How long a partition that is given up may take to be finished.
    pub(crate) drain: Duration,
    pub(crate) holds: Mutex<BTreeMap<i32, Hold>>,
    pub(crate) commits: Mutex<Commits>,
}

/// How to tell that a partition leaves.
#[derive(Debug)]
pub(crate) struct Hold {
    /// No records are to be begun any more.
    leaving: Arc<AtomicBool>,
    /// Nothing is to be sent any more.
    revoked: Arc<AtomicBool>,
    /// Records of it wait, others are not wanted.
    waits: Arc<AtomicBool>,
    /// Offset of the first record that still exists.
    first: Arc<AtomicI64>,
}

impl Owner for Ownership {
    fn assign(&self, partitions: &[i32]) -> Result<BTreeMap<i32, i64>, Error> {
        let input = &self.blueprint.config.kafka.input;
        // First of all: nobody else writes any more what is read after the claim.
        self.delivery.claim(partitions)?;
        let past = lock(&self.past);
        let mut saved = past.read(input, partitions)?;
        let committed = past.committed(input, partitions)?;
        let mut ends = BTreeMap::new();
        for &partition in partitions {
            ends.insert(partition, past.ends(input, partition)?);
        }
        let witnesses = witnesses(&**past, input, &saved, &ends)?;
        let mut starts = BTreeMap::new();
        for (&number, &ends) in &ends {
            let saved = saved.remove(&number);
            let committed = committed.get(&number).copied();
            let witness = witnesses.get(&number);
            let known = Known { saved: saved.as_ref(), committed, ends, witness };
            let mut partition = Partition::new(&self.blueprint, number, self.partitions);
            let from = partition.resume(&known, &self.metrics)?;
            let (live, records) = (partition.next(), partition.behind());
            tracing::info!(partition = number, from, live, records, "{known}");
            self.metrics.replay(number, records);
            starts.insert(number, from);
            let ledger = saved.map(|saved| saved.ledger).unwrap_or_default();
            // One of another topic under the same name means nothing.
            let committed = committed.filter(|committed| *committed <= partition.next());
            let lease = self.delivery.lease(number, ledger, committed);
            self.begin(number, partition, lease, ends);
        }
        self.metrics.ready(true);
        Ok(starts)
    }

    fn take(
        &self,
        partition: i32,
        records: Vec<Record>,
        patience: Duration,
    ) -> Result<(), Vec<Record>> {
        let bytes = records.iter().map(Record::bytes).sum();
        let thread = self.thread(partition);
        let put = self.threads[thread].put(bytes, Task::Take(partition, records), patience);
        self.metrics.queue(thread, self.threads[thread].bytes());
        match put {
            Err(Task::Take(_, records)) => return Err(records),
            _ => self.gate.handed_over(),
        }
        Ok(())
    }

    fn batch(&self) -> usize {
        self.batching.records()
    }

    fn revoke(&self, partitions: &[i32]) -> Released {
        let finished = self.wind_up(partitions);
        let deadline = Instant::now() + self.drain;
        let finished = partitions.iter().map_while(|_| finished.recv_deadline(deadline).ok());
        let finished = finished.count();
        if finished < partitions.len() {
            tracing::warn!(?partitions, finished, "gave partitions up before they were finished");
        }
        self.give_up(partitions)
    }

    fn lose(&self, partitions: &[i32]) {
        self.give_up(partitions);
        for &partition in partitions {
            self.tell(partition, Task::Drop(partition));
        }
    }

    fn estranged(&self) -> Vec<i32> {
        self.delivery.estranged()
    }

    fn commits(&self, again: bool) -> BTreeMap<i32, i64> {
        let mut commits = lock(&self.commits);
        commits.allow(self.delivery.commits());
        commits.take(again)
    }

    fn unwanted(&self) -> BTreeSet<i32> {
        let holds = lock(&self.holds);
        let waiting = holds.iter().filter(|(_, hold)| hold.waits.load(Ordering::Relaxed));
        waiting.map(|(&partition, _)| partition).collect()
    }

    fn ends(&self, partition: i32, first: i64, end: i64) {
        if let Some(hold) = lock(&self.holds).get(&partition) {
            hold.first.fetch_max(first, Ordering::Relaxed);
            self.metrics.end(partition, end);
        }
    }
}

impl Ownership {
    /// Begins nothing more of these partitions; each is sent when what was begun is delivered, or
    /// when it cannot be.
    pub(crate) fn wind_up(&self, partitions: &[i32]) -> Receiver<i32> {
        let (done, finished) = unbounded();
        for &partition in partitions {
            if let Some(hold) = lock(&self.holds).get(&partition) {
                hold.leaving.store(true, Ordering::Relaxed);
            }
            self.tell(partition, Task::End(partition, done.clone()));
        }
        finished
    }

    /// Lets these partitions go, finished or not; gives what may be committed of them.
    pub(crate) fn give_up(&self, partitions: &[i32]) -> Released {
        self.let_go(partitions);
        let mut commits = lock(&self.commits);
        commits.allow(self.delivery.commits());
        partitions.iter().filter_map(|&p| Some((p, commits.leave(p)?))).collect()
    }

    fn begin(&self, number: i32, partition: Partition, lease: mesh::Lease, ends: (i64, i64)) {
        let (leaving, waits) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (first, policy) = (Arc::new(AtomicI64::new(ends.0)), self.policy);
        let hold = Hold {
            leaving: leaving.clone(),
            revoked: lease.revocation(),
            waits: waits.clone(),
            first: first.clone(),
        };
        lock(&self.holds).insert(number, hold);
        let held = Held {
            number,
            partition,
            end: ends.1,
            lease,
            leaving,
            waits,
            waiting: Vec::new(),
            first,
            policy,
            begun: Instant::now(),
            told: None,
            cost: Cost::default(),
        };
        self.tell(number, Task::Begin(Box::new(held)));
    }

    /// What a partition waited for is there.
    pub(crate) fn go_on(&self, partition: i32) {
        self.tell(partition, Task::GoOn(partition));
    }

    /// Nothing of these partitions is sent or committed from now on.
    fn let_go(&self, partitions: &[i32]) {
        let mut holds = lock(&self.holds);
        for hold in partitions.iter().filter_map(|p| holds.remove(p)) {
            hold.leaving.store(true, Ordering::Relaxed);
            hold.revoked.store(true, Ordering::SeqCst);
        }
    }

    /// Bytes of records that are not yet computed.
    pub(crate) fn waiting(&self) -> usize {
        self.threads.iter().map(Inlet::bytes).sum()
    }

    /// Only records take room, so that nothing else ever waits for it. A thread that has ended
    /// is told nothing.
    fn tell(&self, partition: i32, task: Task) {
        let _ = self.threads[self.thread(partition)].put(0, task, Duration::ZERO);
    }

    fn thread(&self, partition: i32) -> usize {
        partition as usize % self.threads.len()
    }
}

/// The records that are now where the last ones of the checkpoints were.
fn witnesses(
    past: &dyn Past,
    input: &str,
    saved: &HashMap<i32, Saved>,
    ends: &BTreeMap<i32, (i64, i64)>,
) -> Result<HashMap<i32, Witness>, Error> {
    let asked = saved.iter().filter_map(|(partition, saved)| {
        let (first, end) = ends[partition];
        let offset = saved.last.as_ref()?.offset;
        (first..end).contains(&offset).then_some((*partition, offset))
    });
    let asked: BTreeMap<i32, i64> = asked.collect();
    if asked.is_empty() { Ok(HashMap::new()) } else { past.witnesses(input, &asked) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
