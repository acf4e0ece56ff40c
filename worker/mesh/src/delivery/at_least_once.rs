//! `at_least_once`: one producer for all partitions, and one thread that follows what is
//! acknowledged.

use crate::ack::Failure;
use crate::delivery::course::{Commits, Course, Request};
use crate::delivery::{Batch, Hold, Log, Mark, Means, Rejected, Track, Way};
use crate::sink::Sink;
use crate::{Error, Observer};
use crossbeam_channel::{Sender, unbounded};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Delivers by acknowledgements.
pub(crate) struct AtLeastOnce {
    log: Arc<dyn Log>,
    failure: Arc<Failure>,
    commits: Arc<Commits>,
    requests: Option<Sender<Request>>,
    leases: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

/// The way of one partition.
struct Acknowledged {
    id: u64,
    hold: Hold,
    log: Arc<dyn Log>,
    failure: Arc<Failure>,
    requests: Sender<Request>,
}

impl AtLeastOnce {
    /// Nothing happens but by the steps of the course.
    pub(crate) fn new(
        log: Arc<dyn Log>,
        failure: Arc<Failure>,
        observer: Arc<dyn Observer>,
    ) -> (AtLeastOnce, Course) {
        let commits = Arc::new(Commits::default());
        let (requests, inbox) = unbounded();
        let course = Course::new(log.clone(), failure.clone(), commits.clone(), observer, inbox);
        let (requests, leases) = (Some(requests), AtomicU64::default());
        (AtLeastOnce { log, failure, commits, requests, leases, thread: None }, course)
    }

    /// On a thread of its own.
    pub(crate) fn start(
        sink: Sink,
        failure: Arc<Failure>,
        observer: Arc<dyn Observer>,
    ) -> AtLeastOnce {
        let sink = Arc::new(sink);
        let (mut means, course) = AtLeastOnce::new(sink.clone(), failure, observer);
        let answers = move || sink.poll();
        let thread = std::thread::Builder::new().name("delivery".into());
        let thread = thread.spawn(move || course.run(answers));
        means.thread = Some(thread.expect("the system can start another thread"));
        means
    }
}

impl Means for AtLeastOnce {
    fn claim(&self, _partitions: &[i32]) -> Result<(), Error> {
        Ok(())
    }

    fn way(&self, hold: Hold, _committed: Option<i64>) -> Box<dyn Way> {
        let track = Track::new(hold.partition, hold.writer.clone(), hold.revoked.clone());
        let way = Acknowledged {
            id: self.leases.fetch_add(1, Ordering::Relaxed),
            hold,
            log: self.log.clone(),
            failure: self.failure.clone(),
            requests: self.requests.clone().expect("delivery runs until it is dropped"),
        };
        way.request(Request::Begin(way.id, Box::new(track)));
        Box::new(way)
    }

    fn commits(&self) -> BTreeMap<i32, i64> {
        std::mem::take(&mut self.commits.lock().unwrap_or_else(|e| e.into_inner()))
    }

    fn in_flight(&self) -> usize {
        self.log.in_flight()
    }
}

impl Drop for AtLeastOnce {
    fn drop(&mut self) {
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Acknowledged {
    fn request(&self, request: Request) {
        // Delivery ends after the last lease; a request that comes later has no one to answer.
        let _ = self.requests.send(request);
    }
}

impl Way for Acknowledged {
    fn deliver(&self, batch: Batch, done: Option<Sender<i32>>) {
        let Hold { partition, revoked, .. } = &self.hold;
        if !revoked.load(Ordering::SeqCst) {
            match Mark::append(&*self.log, *partition, batch, revoked) {
                Ok(mark) => return self.request(Request::Mark(self.id, mark.telling(done))),
                Err(Rejected::Revoked) => {}
                Err(Rejected::Failed(error)) => self.failure.report(error),
            }
            revoked.store(true, Ordering::SeqCst);
        }
        if let Some(done) = done {
            let _ = done.send(*partition);
        }
    }
}

impl Drop for Acknowledged {
    fn drop(&mut self) {
        self.request(Request::End(self.id));
    }
}
