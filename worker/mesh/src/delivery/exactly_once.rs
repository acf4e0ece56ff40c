//! `exactly_once`: one log of transactions, and one thread, for each partition.

use crate::ack::Failure;
use crate::dead_letters::Postmark;
use crate::delivery::room::Room;
use crate::delivery::{Batch, Hold, Lane, Means, Parcel, Transacted, Transactions, Trouble, Way};
use crate::{Error, Observer, Outgoing};
use crossbeam_channel::{Sender, unbounded};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes of records that wait for their transactions, over all partitions. What waits here is
/// computed again after a crash.
const ROOM: usize = 32 << 20;
/// How long to wait after a claim went wrong.
const PAUSE: Duration = Duration::from_millis(100);
/// How long it may take to take partitions over.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a log on behalf of a partition of the input; nothing of it is initialised yet.
pub type Open = dyn Fn(i32) -> Box<dyn Transactions> + Send + Sync;

/// Delivers by transactions.
pub(crate) struct ExactlyOnce {
    open: Box<Open>,
    postmark: Option<Postmark>,
    failure: Arc<Failure>,
    observer: Arc<dyn Observer>,
    /// What was claimed and has no lease yet.
    claims: Mutex<BTreeMap<i32, Box<dyn Transactions>>>,
    records: Arc<AtomicUsize>,
    room: Arc<Room>,
    /// Who steps the lanes; without one, each has a thread.
    stepper: Option<Sender<Lane>>,
    /// With what makes each of them end.
    threads: Mutex<Vec<(Arc<AtomicBool>, JoinHandle<()>)>>,
}

/// The way of one partition.
struct Queue {
    hold: Hold,
    room: Arc<Room>,
    inlet: Sender<Parcel>,
}

impl ExactlyOnce {
    pub(crate) fn new(
        open: Box<Open>,
        postmark: Option<Postmark>,
        failure: Arc<Failure>,
        observer: Arc<dyn Observer>,
        stepper: Option<Sender<Lane>>,
    ) -> ExactlyOnce {
        let records = Arc::new(AtomicUsize::default());
        ExactlyOnce {
            open,
            postmark,
            failure,
            observer,
            claims: Mutex::default(),
            room: Room::new(ROOM, records.clone()),
            records,
            stepper,
            threads: Mutex::default(),
        }
    }

    /// Insists: the group says that the partition is ours, and whoever is fenced by that finds
    /// out that it is not theirs.
    fn init(&self, partition: i32) -> Result<Box<dyn Transactions>, Error> {
        let mut log = (self.open)(partition);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reason = match log.init() {
                Ok(true) => return Ok(log),
                Ok(false) => continue,
                Err(Trouble::Fatal(error)) => return Err(error),
                Err(
                    Trouble::Fenced(reason)
                    | Trouble::Indefinite(reason)
                    | Trouble::Abortable(reason),
                ) => reason,
            };
            if Instant::now() > deadline {
                return Err(Error::Unclaimed { partition, reason });
            }
            tracing::warn!(partition, reason, "taking the partition over, trying again");
            std::thread::sleep(PAUSE);
        }
    }

    fn launch(&self, lane: Lane) {
        if let Some(stepper) = &self.stepper {
            // Nobody steps it when the stepper is gone.
            let _ = stepper.send(lane);
            return;
        }
        let (name, end) = (format!("delivery-{}", lane.partition()), lane.hold.revoked.clone());
        let thread = std::thread::Builder::new().name(name).spawn(|| lane.run());
        let mut threads = lock(&self.threads);
        threads.retain(|(_, thread)| !thread.is_finished());
        threads.push((end, thread.expect("the system can start another thread")));
    }
}

impl Means for ExactlyOnce {
    fn claim(&self, partitions: &[i32]) -> Result<(), Error> {
        let claims: Vec<_> = match (partitions, &self.stepper) {
            // Who steps the lanes may well want to know what happens when.
            ([_], _) | (_, Some(_)) => partitions.iter().map(|&p| (p, self.init(p))).collect(),
            _ => std::thread::scope(|scope| {
                let init = |&partition| scope.spawn(move || (partition, self.init(partition)));
                let threads: Vec<_> = partitions.iter().map(init).collect();
                threads.into_iter().map(|t| t.join().expect("a claim does not panic")).collect()
            }),
        };
        for (partition, log) in claims {
            lock(&self.claims).insert(partition, log?);
        }
        Ok(())
    }

    fn way(&self, hold: Hold, committed: Option<i64>) -> Box<dyn Way> {
        let Hold { partition, writer, revoked, .. } = hold.clone();
        let log = lock(&self.claims).remove(&partition);
        let (inlet, inbox) = unbounded();
        self.launch(Lane {
            transacted: Transacted::new(partition, writer, committed, revoked)
                .keeping(self.postmark.clone()),
            log: log.expect("a partition is claimed before it is leased"),
            hold: hold.clone(),
            inbox,
            failure: self.failure.clone(),
            observer: self.observer.clone(),
        });
        Box::new(Queue { hold, room: self.room.clone(), inlet })
    }

    fn commits(&self) -> BTreeMap<i32, i64> {
        BTreeMap::new()
    }

    fn in_flight(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }
}

impl Drop for ExactlyOnce {
    fn drop(&mut self) {
        let threads = std::mem::take(&mut *lock(&self.threads));
        threads.iter().for_each(|(end, _)| end.store(true, Ordering::SeqCst));
        for (_, thread) in threads {
            let _ = thread.join();
        }
    }
}

impl Way for Queue {
    fn deliver(&self, batch: Batch, done: Option<Sender<i32>>) {
        let revoked = || self.hold.revoked.load(Ordering::SeqCst);
        let (bytes, count) = (batch.records.iter().map(Outgoing::bytes).sum(), batch.records.len());
        let place = match bytes {
            _ if revoked() => None,
            // What takes no room never waits for it.
            0 => Some(None),
            _ => self.room.enter(bytes, count, revoked).map(Some),
        };
        let told = done.clone();
        let sent = place.is_some_and(|p| self.inlet.send(Parcel::new(batch, p, done)).is_ok());
        if let Some(done) = told.filter(|_| !sent) {
            let _ = done.send(self.hold.partition);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
