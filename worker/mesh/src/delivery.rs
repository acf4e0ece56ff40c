//! Outputs acknowledged, then the checkpoint acknowledged, then the offset committed.

use crate::ack::{Acknowledged, Failure, Refused, Ticket};
use crate::checkpoint::{Header, Keys, Place, Slot, Snapshot, State, VERSION};
use crate::sink::{Answers, Rejected, Sink};
use crate::{Connection, Error, Kind, Output};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often answers are looked for.
const TICK: Duration = Duration::from_millis(1);

/// Hears of what becomes of outputs and checkpoints.
pub trait Observer: Send + Sync {
    /// An output was acknowledged.
    fn acknowledged(&self, output: Acknowledged);
    /// An output will never be accepted and is skipped.
    fn refused(&self, output: Refused<'_>);
    /// A checkpoint of a partition was acknowledged: it resumes at `next`.
    fn saved(&self, partition: i32, next: i64);
}

/// Which topics delivery writes to.
#[derive(Clone, Debug)]
pub struct Topics {
    /// The topic of each kind of output; a kind without one is not sent.
    pub outputs: Vec<(Kind, String)>,
    /// The topic of the checkpoints.
    pub checkpoints: String,
}

/// Sends the outputs and checkpoints of all partitions, on a thread of its own.
pub struct Delivery {
    sink: Arc<Sink>,
    group: String,
    input: String,
    failure: Arc<Failure>,
    commits: Arc<Mutex<BTreeMap<i32, i64>>>,
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

/// One worker's hold on a partition: its outputs and checkpoints go through here, in order.
pub struct Lease {
    partition: i32,
    sink: Arc<Sink>,
    ticket: Arc<Ticket>,
    failure: Arc<Failure>,
    requests: Sender<Request>,
    revoked: Arc<AtomicBool>,
}

/// A checkpoint to be written once its outputs are acknowledged.
struct Request {
    lease: Arc<AtomicBool>,
    partition: i32,
    outputs: Arc<Ticket>,
    snapshot: Option<Snapshot>,
    /// The generations of the states in the topic, when the lease is new.
    begin: Option<(Keys, HashMap<String, u64>)>,
    /// Told when the checkpoint is acknowledged, or when it is known that it will not be.
    done: Option<Sender<i32>>,
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
        let sink = Arc::new(Sink::new(connection, &topics.outputs, &topics.checkpoints, answers)?);
        let commits = Arc::new(Mutex::new(BTreeMap::new()));
        let (requests, inbox) = unbounded();
        let course = Course {
            sink: sink.clone(),
            failure: failure.clone(),
            commits: commits.clone(),
            observer,
            inbox,
            leases: BTreeMap::new(),
        };
        let thread = std::thread::Builder::new().name("delivery".into()).spawn(|| course.run());
        Ok(Delivery {
            sink,
            group: group.into(),
            input: input.into(),
            failure,
            commits,
            requests: Some(requests),
            thread: Some(thread.expect("the system can start another thread")),
        })
    }

    /// Takes hold of a partition whose checkpoint names `generations`.
    pub fn lease(&self, partition: i32, generations: HashMap<String, u64>) -> Lease {
        let revoked = Arc::new(AtomicBool::new(false));
        let requests = self.requests.clone().expect("delivery runs until it is dropped");
        let keys = Keys::new(&self.group, &self.input, partition);
        let lease = Lease {
            partition,
            sink: self.sink.clone(),
            ticket: Arc::default(),
            failure: self.failure.clone(),
            requests,
            revoked,
        };
        lease.request(Request {
            lease: lease.revoked.clone(),
            partition,
            outputs: Arc::default(),
            snapshot: None,
            begin: Some((keys, generations)),
            done: None,
        });
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
        self.sink.in_flight()
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
    /// Hands an output over. Waits while the queue is full: this is the brake. Outputs of a
    /// revoked lease are dropped.
    pub fn send(&self, output: &Output) {
        if self.is_revoked() {
            return;
        }
        match self.sink.send(output, self.partition, &self.ticket, &self.revoked) {
            Ok(()) | Err(Rejected::Revoked) => {}
            Err(Rejected::Failed(error)) => {
                self.failure.report(error);
                self.revoke();
            }
        }
    }

    /// Writes a checkpoint once everything sent before is acknowledged; its offset may then be
    /// committed.
    pub fn checkpoint(&mut self, snapshot: Snapshot) {
        self.save(Some(snapshot), None);
    }

    /// Gives the partition up, with a last checkpoint if there is one to write. `done` is sent
    /// the partition when all is acknowledged, or when that cannot be.
    pub fn release(mut self, snapshot: Option<Snapshot>, done: Sender<i32>) {
        self.save(snapshot, Some(done));
    }

    /// What tells that the partition is no longer ours: nothing that is not yet with the brokers
    /// will be sent or committed.
    pub fn revocation(&self) -> Arc<AtomicBool> {
        self.revoked.clone()
    }

    fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }

    fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }

    fn save(&mut self, snapshot: Option<Snapshot>, done: Option<Sender<i32>>) {
        let outputs = std::mem::take(&mut self.ticket);
        self.request(Request {
            lease: self.revoked.clone(),
            partition: self.partition,
            outputs,
            snapshot,
            begin: None,
            done,
        });
    }

    fn request(&self, request: Request) {
        // Delivery ends after the last lease; a request that comes later has no one to answer.
        let _ = self.requests.send(request);
    }
}

/// The thread of delivery.
struct Course {
    sink: Arc<Sink>,
    failure: Arc<Failure>,
    commits: Arc<Mutex<BTreeMap<i32, i64>>>,
    observer: Arc<dyn Observer>,
    inbox: Receiver<Request>,
    leases: BTreeMap<i32, Track>,
}

/// The checkpoints of one lease, in order.
struct Track {
    keys: Keys,
    generations: HashMap<String, u64>,
    waiting: VecDeque<Request>,
    /// The checkpoint that is being written, and the offset it resumes at.
    writing: Option<(Arc<Ticket>, i64, Request)>,
}

impl Course {
    fn run(mut self) {
        loop {
            // A poll that may wait for less than its clock can tell spins instead.
            self.sink.poll(Duration::ZERO);
            match self.inbox.recv_timeout(TICK) {
                Ok(request) => self.accept(request),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            for (&partition, track) in &mut self.leases {
                track.advance(partition, &self.sink, &self.failure, &mut |next| {
                    self.observer.saved(partition, next);
                    self.commits.lock().unwrap_or_else(|e| e.into_inner()).insert(partition, next);
                });
            }
        }
    }

    fn accept(&mut self, mut request: Request) {
        if let Some((keys, generations)) = request.begin.take() {
            let track = Track { keys, generations, waiting: VecDeque::new(), writing: None };
            self.leases.insert(request.partition, track);
        } else if let Some(track) = self.leases.get_mut(&request.partition) {
            track.waiting.push_back(request);
        }
    }
}

impl Track {
    /// Goes as far as the acknowledgements allow.
    fn advance(
        &mut self,
        partition: i32,
        sink: &Sink,
        failure: &Failure,
        saved: &mut dyn FnMut(i64),
    ) {
        while !failure.happened() {
            if let Some((ticket, next, request)) = self.writing.take() {
                if !is_acknowledged(&ticket) {
                    self.writing = Some((ticket, next, request));
                    return;
                }
                if !request.lease.load(Ordering::Relaxed) {
                    saved(next);
                }
                request.finish();
            }
            let Some(request) = self.waiting.front() else { return };
            if !is_acknowledged(&request.outputs) && !request.lease.load(Ordering::Relaxed) {
                return;
            }
            let Some(request) = self.waiting.pop_front() else { return };
            self.write(partition, request, sink, failure);
        }
    }

    /// Sends the states that changed and then the header, unless the lease was revoked.
    fn write(&mut self, partition: i32, mut request: Request, sink: &Sink, failure: &Failure) {
        let revoked = request.lease.load(Ordering::Relaxed);
        let Some(snapshot) = request.snapshot.take().filter(|_| !revoked) else {
            return request.finish();
        };
        let next = snapshot.next;
        let ticket = Arc::default();
        let lease = request.lease.clone();
        let records = self.records(snapshot);
        for (key, value) in &records {
            match sink.save(key, value.as_deref(), partition, &ticket, &lease) {
                Ok(()) => {}
                Err(Rejected::Revoked) => return request.finish(),
                Err(Rejected::Failed(error)) => {
                    failure.report(error);
                    return request.finish();
                }
            }
        }
        self.writing = Some((ticket, next, request));
    }

    /// The records of a checkpoint, the header last, and behind it what it makes superfluous.
    fn records(&mut self, snapshot: Snapshot) -> Vec<(String, Option<Vec<u8>>)> {
        let mut records = Vec::new();
        let mut series = Vec::with_capacity(snapshot.series.len());
        let mut before = std::mem::take(&mut self.generations);
        for remembered in snapshot.series {
            let known = before.remove(&remembered.series);
            let generation = match remembered.state {
                State::Absent => None,
                State::Unchanged => known,
                State::Changed(state) => {
                    let generation = known.map_or(0, |g| g + 1);
                    let key = self.keys.slot(&remembered.series, generation);
                    records.push((key, Some(json(&Slot { generation, state }))));
                    Some(generation)
                }
            };
            if let Some(generation) = generation {
                self.generations.insert(remembered.series.clone(), generation);
            }
            let (start, sample) = (remembered.start, remembered.sample);
            series.push(Place { series: remembered.series, start, sample, generation });
        }
        let (settings, next) = (snapshot.settings, snapshot.next);
        let header = Header { version: VERSION, settings, next, series };
        records.push((self.keys.header.clone(), Some(json(&header))));
        for series in before.into_keys() {
            records.extend([0, 1].map(|slot| (self.keys.slot(&series, slot), None)));
        }
        records
    }
}

impl Request {
    fn finish(self) {
        if let Some(done) = self.done {
            let _ = done.send(self.partition);
        }
    }
}

/// Nobody but us holds the ticket.
fn is_acknowledged(ticket: &Arc<Ticket>) -> bool {
    Arc::strong_count(ticket) == 1
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a checkpoint has string keys only")
}
