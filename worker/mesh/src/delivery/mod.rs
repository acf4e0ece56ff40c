//! How what a partition puts out reaches Kafka, and when its offset may be committed.

mod course;
mod log;
mod track;

pub use course::Course;
pub use log::{Log, Rejected, Ticket};
pub use track::{Batch, Certain, Mark, Track};

use crate::ack::{Acknowledged, Failure, Refused};
use crate::checkpoint::{Snapshot, Writer};
use crate::sink::{Answers, Sink};
use crate::{Connection, Error, Kind};
use course::Request;
use crossbeam_channel::{Sender, unbounded};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Hears of what becomes of outputs and checkpoints.
pub trait Observer: Send + Sync {
    /// A record was acknowledged, other than a part of a checkpoint.
    fn acknowledged(&self, output: Acknowledged);
    /// A record will never be accepted and is skipped.
    fn refused(&self, output: Refused<'_>);
    /// A checkpoint of a partition was acknowledged: its windows are rebuilt from there.
    fn saved(&self, partition: i32, next: i64);
}

/// Which topics delivery writes to.
#[derive(Clone, Debug)]
pub struct Topics {
    /// The topic of each kind of output; a kind without one is not sent.
    pub outputs: Vec<(Kind, String)>,
    /// The topic of the records that could not be computed; without one they are not sent.
    pub dead_letters: Option<String>,
    /// The topic of the checkpoints.
    pub checkpoints: String,
}

/// Offsets that may be committed, by partition.
pub(crate) type Commits = Mutex<BTreeMap<i32, i64>>;

/// Sends the outputs and checkpoints of all partitions, on a thread of its own.
pub struct Delivery {
    log: Arc<dyn Log>,
    group: String,
    input: String,
    failure: Arc<Failure>,
    commits: Arc<Commits>,
    requests: Option<Sender<Request>>,
    leases: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

/// One worker's hold on a partition: all that it puts out goes through here, in order.
pub struct Lease {
    id: u64,
    partition: i32,
    log: Arc<dyn Log>,
    failure: Arc<Failure>,
    requests: Sender<Request>,
    revoked: Arc<AtomicBool>,
}

impl Delivery {
    /// Delivers for the group `group` that reads the topic `input`.
    ///
    /// # Errors
    /// When the brokers cannot be reached, or a topic does not exist.
    pub fn start(
        connection: &Connection,
        group: &str,
        input: &str,
        topics: &Topics,
        observer: Arc<dyn Observer>,
    ) -> Result<Delivery, Error> {
        let failure = Arc::new(Failure::default());
        let answers = Answers { observer: observer.clone(), failure: failure.clone() };
        let sink = Arc::new(Sink::new(connection, topics, answers)?);
        let (mut delivery, course) = Delivery::with(sink.clone(), group, input, observer, failure);
        // A poll that may wait for less than its clock can tell spins instead.
        let answers = move || sink.poll(Duration::ZERO);
        let thread = std::thread::Builder::new().name("delivery".into());
        let thread = thread.spawn(move || course.run(answers));
        delivery.thread = Some(thread.expect("the system can start another thread"));
        Ok(delivery)
    }

    /// Delivers to any log. Nothing happens but by the steps of the course.
    pub fn over(
        log: Arc<dyn Log>,
        group: &str,
        input: &str,
        observer: Arc<dyn Observer>,
    ) -> (Delivery, Course) {
        Delivery::with(log, group, input, observer, Arc::default())
    }

    fn with(
        log: Arc<dyn Log>,
        group: &str,
        input: &str,
        observer: Arc<dyn Observer>,
        failure: Arc<Failure>,
    ) -> (Delivery, Course) {
        let commits = Arc::new(Commits::default());
        let (requests, inbox) = unbounded();
        let course = Course::new(log.clone(), failure.clone(), commits.clone(), observer, inbox);
        let delivery = Delivery {
            log,
            group: group.into(),
            input: input.into(),
            failure,
            commits,
            requests: Some(requests),
            leases: AtomicU64::default(),
            thread: None,
        };
        (delivery, course)
    }

    /// Takes hold of a partition whose checkpoint names `generations`.
    pub fn lease(&self, partition: i32, generations: HashMap<String, u64>) -> Lease {
        let lease = Lease {
            id: self.leases.fetch_add(1, Ordering::Relaxed),
            partition,
            log: self.log.clone(),
            failure: self.failure.clone(),
            requests: self.requests.clone().expect("delivery runs until it is dropped"),
            revoked: Arc::default(),
        };
        let writer = Writer::new(&self.group, &self.input, partition, generations);
        let track = Track::new(partition, writer, lease.revoked.clone());
        lease.request(Request::Begin(lease.id, Box::new(track)));
        lease
    }

    /// Offsets that may be committed since the last call, by partition.
    pub fn commits(&self) -> BTreeMap<i32, i64> {
        std::mem::take(&mut self.commits.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// What makes it impossible to go on, if anything.
    pub fn failure(&self) -> Option<Error> {
        self.failure.take()
    }

    /// Records that were handed over and are not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.log.in_flight()
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Lease {
    /// Hands a batch over. Waits while the queue is full: this is the brake. Batches of a
    /// revoked lease are dropped.
    ///
    /// Its checkpoint is written once everything before is acknowledged; its offset may be
    /// committed after that.
    pub fn deliver(&self, batch: Batch) {
        self.hand_over(batch, None);
    }

    /// Gives the partition up, as of `next`, with a last checkpoint if there is one to write.
    /// `done` is sent the partition when all is acknowledged, or when that cannot be.
    pub fn release(self, next: i64, snapshot: Option<Snapshot>, done: Sender<i32>) {
        self.hand_over(Batch { records: Vec::new(), next, snapshot }, Some(done));
    }

    /// What tells that the partition is no longer ours: nothing that is not yet with the brokers
    /// will be sent or committed.
    pub fn revocation(&self) -> Arc<AtomicBool> {
        self.revoked.clone()
    }

    fn hand_over(&self, batch: Batch, done: Option<Sender<i32>>) {
        if !self.revoked.load(Ordering::SeqCst) {
            match Mark::append(&*self.log, self.partition, batch, &self.revoked) {
                Ok(mark) => return self.request(Request::Mark(self.id, mark.telling(done))),
                Err(Rejected::Revoked) => {}
                Err(Rejected::Failed(error)) => self.failure.report(error),
            }
            self.revoked.store(true, Ordering::SeqCst);
        }
        if let Some(done) = done {
            let _ = done.send(self.partition);
        }
    }

    fn request(&self, request: Request) {
        // Delivery ends after the last lease; a request that comes later has no one to answer.
        let _ = self.requests.send(request);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.request(Request::End(self.id));
    }
}
