use crate::Observer;
use crate::Target;
use crate::ack::{Acknowledged, Failure, Refused};
use crate::delivery::{Content, Hold, Parcel, Progress, Transacted, Transactions};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a lane without work waits for some.
const REST: Duration = Duration::from_millis(20);
/// How often a lane asks whether records are acknowledged.
const TICK: Duration = Duration::from_micros(200);
/// How long to rest after a transaction, unless it took less. What comes meanwhile shares the next
/// one: transactions cost the brokers much the same whatever they hold, and lanes that never rest
/// keep brokers busier the slower these are.
const BREATH: Duration = Duration::from_millis(10);
/// How long to wait after something went wrong.
const PAUSE: Duration = Duration::from_millis(100);

/// One partition's way through its transactions, from the lease to the log.
pub struct Lane {
    pub(super) hold: Hold,
    pub(super) transacted: Transacted,
    pub(super) log: Box<dyn Transactions>,
    pub(super) inbox: Receiver<Parcel>,
    pub(super) failure: Arc<Failure>,
    pub(super) observer: Arc<dyn Observer>,
}

/// What a step of a lane has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// There is more to do.
    Busy,
    /// A transaction was committed.
    Committed,
    /// The log has not answered yet.
    Waiting,
    /// There is nothing to do.
    Idle,
    /// Something went wrong and will be tried again.
    Troubled,
    /// Nothing will be done any more.
    Over,
}

impl Lane {
    /// The partition.
    pub fn partition(&self) -> i32 {
        self.hold.partition
    }

    /// Takes what was handed over and does the next thing: at most one call of the log. `now` is
    /// the time since any fixed moment.
    pub fn step(&mut self, now: Duration) -> Pace {
        while let Ok(parcel) = self.inbox.try_recv() {
            self.transacted.accept(parcel);
        }
        match self.transacted.step(&mut *self.log, now) {
            Ok(progress) => self.tell(progress),
            Err(error) => {
                self.failure.report(error);
                self.transacted.give_up();
                Pace::Over
            }
        }
    }

    /// Works until the partition is given up, or nothing will come any more.
    pub(super) fn run(mut self) {
        let began = Instant::now();
        let mut committed = began;
        loop {
            match self.step(began.elapsed()) {
                Pace::Busy => {}
                Pace::Committed => {
                    std::thread::sleep(committed.elapsed().min(BREATH));
                    committed = Instant::now();
                }
                Pace::Waiting => std::thread::sleep(TICK),
                Pace::Troubled => std::thread::sleep(PAUSE),
                Pace::Idle if self.rest() => {}
                Pace::Idle | Pace::Over => return,
            }
        }
    }

    /// Waits for something to do; `false` when nothing will come any more.
    fn rest(&mut self) -> bool {
        self.log.listen();
        match self.inbox.recv_timeout(REST) {
            Ok(parcel) => self.transacted.accept(parcel),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(REST);
                return !self.transacted.is_idle();
            }
        }
        true
    }

    fn tell(&self, progress: Progress) -> Pace {
        match progress {
            Progress::Idle => return Pace::Idle,
            Progress::Pending => return Pace::Waiting,
            Progress::Moved => {}
            Progress::Committed(content) => {
                self.committed(&content);
                return Pace::Committed;
            }
            Progress::Refused(refused) => {
                for (id, reason) in &refused {
                    self.observer.refused(Refused { id, reason });
                }
            }
            Progress::Troubled(reason) => {
                self.observer.failed();
                let partition = self.hold.partition;
                tracing::warn!(partition, reason, "a transaction failed, trying again");
                return Pace::Troubled;
            }
            Progress::Over { fenced } => {
                if fenced {
                    self.hold.estrange();
                }
                return Pace::Over;
            }
        }
        Pace::Busy
    }

    fn committed(&self, content: &Content) {
        for record in content.records.iter().filter(|r| r.to != Target::Checkpoints) {
            let (to, timestamp) = (record.to, record.timestamp);
            self.observer.acknowledged(Acknowledged { to, timestamp });
        }
        if let Some(next) = content.saved {
            self.observer.saved(self.hold.partition, next);
        }
    }
}
