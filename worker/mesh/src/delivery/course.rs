//! The thread of `at_least_once`: one for all partitions.

use crate::Observer;
use crate::ack::Failure;
use crate::delivery::{Log, Mark, Track};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often answers are looked for while there are some to come. Offsets are in no hurry, and each
/// look costs.
const TICK: Duration = Duration::from_millis(2);
/// The same while none is to come, for what the log itself has to say.
const REST: Duration = Duration::from_millis(100);

/// Offsets that may be committed, by partition.
pub(crate) type Commits = Mutex<BTreeMap<i32, i64>>;

/// What the thread is told about a lease.
pub(crate) enum Request {
    Begin(u64, Box<Track>),
    Mark(u64, Mark),
    /// Nothing will come any more.
    End(u64),
}

/// Takes the batches of all partitions as far as the acknowledgements allow.
pub struct Course {
    log: Arc<dyn Log>,
    failure: Arc<Failure>,
    commits: Arc<Commits>,
    observer: Arc<dyn Observer>,
    inbox: Receiver<Request>,
    leases: BTreeMap<u64, Held>,
}

struct Held {
    track: Track,
    ending: bool,
}

impl Course {
    pub(crate) fn new(
        log: Arc<dyn Log>,
        failure: Arc<Failure>,
        commits: Arc<Commits>,
        observer: Arc<dyn Observer>,
        inbox: Receiver<Request>,
    ) -> Course {
        Course { log, failure, commits, observer, inbox, leases: BTreeMap::new() }
    }

    /// Works until nobody can tell it anything any more, and has the log look for answers.
    pub(crate) fn run(mut self, answers: impl Fn()) {
        loop {
            answers();
            self.step();
            match self.next() {
                Ok(request) => self.accept(request),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Waits for answers, or for a request when there are none to come: a request would end the
    /// wait at every batch, which has no answer yet.
    fn next(&self) -> Result<Request, RecvTimeoutError> {
        if self.is_idle() {
            return self.inbox.recv_timeout(REST);
        }
        std::thread::sleep(TICK);
        self.inbox.try_recv().map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    fn is_idle(&self) -> bool {
        self.log.in_flight() == 0 && self.leases.values().all(|held| held.track.is_idle())
    }

    /// Takes what was handed over, and goes as far as the acknowledgements allow.
    pub fn step(&mut self) {
        while let Ok(request) = self.inbox.try_recv() {
            self.accept(request);
        }
        self.advance();
    }

    fn accept(&mut self, request: Request) {
        match request {
            Request::Begin(id, track) => {
                self.leases.insert(id, Held { track: *track, ending: false });
            }
            Request::Mark(id, mark) => {
                if let Some(held) = self.leases.get_mut(&id) {
                    held.track.accept(mark);
                }
            }
            Request::End(id) => {
                if let Some(held) = self.leases.get_mut(&id) {
                    held.ending = true;
                }
            }
        }
    }

    fn advance(&mut self) {
        for Held { track, .. } in self.leases.values_mut() {
            match track.advance(&*self.log) {
                Ok(certain) => {
                    if let Some(next) = certain.saved {
                        self.observer.saved(track.partition(), next);
                    }
                    if let Some(next) = certain.frontier {
                        allow(&self.commits, track, next);
                    }
                }
                Err(error) => self.failure.report(error),
            }
        }
        self.leases.retain(|_, held| !held.ending || !held.track.is_idle());
    }
}

/// The offset may be committed, unless the partition was revoked meanwhile. Whoever revokes does
/// so before it takes the commits, so that none is left that is not ours.
fn allow(commits: &Commits, track: &Track, next: i64) {
    let mut commits = commits.lock().unwrap_or_else(|e| e.into_inner());
    if !track.is_revoked() {
        commits.insert(track.partition(), next);
    }
}
