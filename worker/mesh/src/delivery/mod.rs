//! How what a partition puts out reaches Kafka, and when its offset may be committed.
//!
//! What has to happen in which order is decided by [`Track`] and [`Transacted`], which know
//! neither Kafka nor threads nor a clock: they go on step by step, on any [`Log`] or
//! [`Transactions`].

mod at_least_once;
mod course;
mod exactly_once;
mod lane;
mod log;
mod room;
mod track;
mod transacted;

pub use course::Course;
pub use exactly_once::Open;
pub use lane::{Lane, Pace};
pub use log::{Log, Rejected, Settled, Ticket, Transactions, Trouble};
pub use track::{Batch, Certain, Mark, Track};
pub use transacted::{Content, Parcel, Progress, Transacted};

use crate::ack::{Acknowledged, Failure, Refused};
use crate::checkpoint::{Ledger, Snapshot, Writer};
use crate::dead_letters::Postmark;
use crate::onlooker::Onlooker;
use crate::routes::Routes;
use crate::sink::{Answers, Sink};
use crate::transactional::Transactional;
use crate::{Connection, Error, Kind};
use at_least_once::AtLeastOnce;
use crossbeam_channel::{Receiver, Sender, unbounded};
use exactly_once::ExactlyOnce;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

/// What is promised about outputs when workers, brokers or the network fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guarantee {
    /// None is lost. Some may come again, with the same id and the same bytes.
    AtLeastOnce,
    /// None is lost, and readers of committed records see none again.
    ExactlyOnce,
}

/// Hears of what becomes of outputs and checkpoints.
pub trait Observer: Send + Sync {
    /// A record was acknowledged, other than a part of a checkpoint.
    fn acknowledged(&self, output: Acknowledged);
    /// A record will never be accepted and is skipped.
    fn refused(&self, output: Refused<'_>);
    /// A delivery failed.
    fn failed(&self) {}
    /// A checkpoint of a partition was acknowledged: its windows are rebuilt from there.
    fn saved(&self, partition: i32, next: i64);
}

/// Which topics delivery writes to.
#[derive(Clone, Debug)]
pub struct Topics {
    /// The topic of each kind of output; a kind without one is not sent.
    pub outputs: Vec<(Kind, String)>,
    /// The topic of the dead letters, and what they have in common; without them none are sent.
    pub dead_letters: Option<(String, Postmark)>,
    /// The topic of the checkpoints.
    pub checkpoints: String,
}

/// Sends what the partitions put out, on threads of its own.
pub struct Delivery {
    /// `<group>/<input>`.
    name: String,
    failure: Arc<Failure>,
    estranged: Arc<Mutex<Vec<i32>>>,
    means: Box<dyn Means>,
}

/// One worker's hold on a partition: all that it puts out goes through here, in order.
pub struct Lease {
    revoked: Arc<AtomicBool>,
    way: Box<dyn Way>,
}

/// How a guarantee is kept.
trait Means: Send + Sync {
    /// Makes sure, where that can be, that nobody else delivers for these partitions any more.
    fn claim(&self, partitions: &[i32]) -> Result<(), Error>;
    /// The way of a partition, of which the group has `committed` an offset.
    fn way(&self, hold: Hold, committed: Option<i64>) -> Box<dyn Way>;
    /// Offsets that may be committed since the last call, by partition.
    fn commits(&self) -> BTreeMap<i32, i64>;
    /// Records that were handed over and are not acknowledged.
    fn in_flight(&self) -> usize;
}

/// The way of one partition's records. It ends when it is dropped.
trait Way: Send {
    /// Tells `done` the partition when the batch is delivered, or when it is known that it will
    /// not be.
    fn deliver(&self, batch: Batch, done: Option<Sender<i32>>);
}

/// A partition that is held.
#[derive(Clone)]
struct Hold {
    partition: i32,
    writer: Writer,
    revoked: Arc<AtomicBool>,
    estranged: Arc<Mutex<Vec<i32>>>,
}

impl Delivery {
    /// Delivers for the group `group` that reads the topic `input`.
    ///
    /// # Errors
    /// When the brokers cannot be reached, or a topic does not exist.
    pub fn start(
        connection: &Connection,
        (group, input): (&str, &str),
        topics: &Topics,
        guarantee: Guarantee,
        observer: Arc<dyn Observer>,
    ) -> Result<Delivery, Error> {
        let failure = Arc::new(Failure::default());
        let routes = Routes::find(connection, topics)?;
        let postmark = topics.dead_letters.as_ref().map(|(_, postmark)| postmark.clone());
        let name = format!("{group}/{input}");
        let means: Box<dyn Means> = match guarantee {
            Guarantee::AtLeastOnce => {
                let answers = Answers::new(observer.clone(), failure.clone());
                let sink = Sink::new(connection, routes, postmark, answers)?;
                Box::new(AtLeastOnce::start(sink, failure.clone(), observer))
            }
            Guarantee::ExactlyOnce => {
                let group = Arc::new(Onlooker::new(connection, group, input)?);
                let open = Transactional::opener(connection, &name, routes, group);
                Box::new(ExactlyOnce::new(open, postmark, failure.clone(), observer, None))
            }
        };
        Ok(Delivery { name, failure, estranged: Arc::default(), means })
    }

    /// Delivers to any log with [`Guarantee::AtLeastOnce`]. Nothing happens but by the steps of
    /// the course.
    pub fn over(
        log: Arc<dyn Log>,
        group: &str,
        input: &str,
        observer: Arc<dyn Observer>,
    ) -> (Delivery, Course) {
        let (name, failure) = (format!("{group}/{input}"), Arc::new(Failure::default()));
        let (means, course) = AtLeastOnce::new(log, failure.clone(), observer);
        (Delivery { name, failure, estranged: Arc::default(), means: Box::new(means) }, course)
    }

    /// Delivers to any logs with [`Guarantee::ExactlyOnce`]. Each lease makes a lane; nothing
    /// happens but by its steps, and by claims.
    pub fn by_transactions(
        open: Box<Open>,
        group: &str,
        input: &str,
        observer: Arc<dyn Observer>,
    ) -> (Delivery, Receiver<Lane>) {
        let (name, failure) = (format!("{group}/{input}"), Arc::new(Failure::default()));
        let (stepper, lanes) = unbounded();
        let means = ExactlyOnce::new(open, None, failure.clone(), observer, Some(stepper));
        (Delivery { name, failure, estranged: Arc::default(), means: Box::new(means) }, lanes)
    }

    /// Takes partitions over from whoever had them. What is read about them afterwards, the
    /// committed offset and the checkpoint, is what the former owner left, unless outputs may
    /// come again.
    ///
    /// # Errors
    /// When the brokers do not answer within a minute, or refuse.
    pub fn claim(&self, partitions: &[i32]) -> Result<(), Error> {
        self.means.claim(partitions)
    }

    /// Takes hold of a partition that was claimed, of which the group has `committed` an offset,
    /// and the checkpoint topic holds what is in the `ledger`.
    pub fn lease(&self, partition: i32, ledger: Ledger, committed: Option<i64>) -> Lease {
        let hold = Hold {
            partition,
            writer: Writer::new(&self.name, partition, &unique(), ledger),
            revoked: Arc::default(),
            estranged: self.estranged.clone(),
        };
        let revoked = hold.revoked.clone();
        Lease { revoked, way: self.means.way(hold, committed) }
    }

    /// Offsets that may be committed since the last call, by partition. None when they are
    /// committed with the outputs.
    pub fn commits(&self) -> BTreeMap<i32, i64> {
        self.means.commits()
    }

    /// Partitions of which the brokers have said since the last call that another worker delivers
    /// for them. Their leases are revoked.
    pub fn estranged(&self) -> Vec<i32> {
        std::mem::take(&mut self.estranged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What makes it impossible to go on, if anything.
    pub fn failure(&self) -> Option<Error> {
        self.failure.take()
    }

    /// Records that were handed over and are not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.means.in_flight()
    }
}

impl Lease {
    /// Hands a batch over. Waits while the queue is full: this is the brake. Batches of a
    /// revoked lease are dropped.
    ///
    /// Its checkpoint, and its offset, become visible only with everything before.
    pub fn deliver(&self, batch: Batch) {
        self.way.deliver(batch, None);
    }

    /// Gives the partition up, as of `next`, with a last checkpoint if there is one to write.
    /// `done` is sent the partition when all is delivered, or when that cannot be.
    pub fn release(self, next: i64, snapshot: Option<Snapshot>, done: Sender<i32>) {
        self.way.deliver(Batch { records: Vec::new(), next, snapshot, waits: None }, Some(done));
    }

    /// What tells that the partition is no longer ours: nothing that is not yet with the brokers
    /// will be sent or committed.
    pub fn revocation(&self) -> Arc<AtomicBool> {
        self.revoked.clone()
    }
}

impl Hold {
    /// Another worker has turned out to deliver for the partition.
    fn estrange(&self) {
        let mut estranged = self.estranged.lock().unwrap_or_else(PoisonError::into_inner);
        estranged.push(self.partition);
    }
}

/// A name that nobody else has.
fn unique() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
