//! `at_least_once`: outputs acknowledged, then the checkpoint acknowledged, then the offset.

use crate::checkpoint::{Snapshot, Writer};
use crate::delivery::log::{Log, Rejected, Ticket};
use crate::{Error, Outgoing, Unacknowledged};
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What became of some records of a partition, to be delivered as one.
#[derive(Debug)]
pub struct Batch {
    /// What is to be appended, in this order.
    pub records: Vec<Outgoing>,
    /// Offset of the first input record whose results are neither in this batch nor in one
    /// before.
    pub next: i64,
    /// What is to be remembered, as of `next`, when that is due.
    pub snapshot: Option<Snapshot>,
    /// Tells its age until it is delivered.
    pub waits: Option<Unacknowledged>,
}

/// A batch whose records were appended.
#[derive(Debug)]
pub struct Mark {
    records: Arc<Ticket>,
    next: i64,
    snapshot: Option<Snapshot>,
    _waits: Option<Unacknowledged>,
    /// Told the partition when the batch is delivered, or when it is known that it will not be.
    done: Option<Sender<i32>>,
}

impl Mark {
    /// Appends the records of a batch on behalf of a partition. The order of the calls for a
    /// partition is the order in which the marks must be accepted.
    ///
    /// # Errors
    /// When a record was not taken: nothing of the partition may be appended any more.
    pub fn append(
        log: &dyn Log,
        partition: i32,
        batch: Batch,
        revoked: &AtomicBool,
    ) -> Result<Mark, Rejected> {
        let ticket = Arc::default();
        for record in &batch.records {
            log.append(record, partition, &ticket, revoked)?;
        }
        let Batch { next, snapshot, waits, .. } = batch;
        Ok(Mark { records: ticket, next, snapshot, _waits: waits, done: None })
    }

    /// The mark that also tells `done` when it is delivered.
    pub(crate) fn telling(self, done: Option<Sender<i32>>) -> Mark {
        Mark { done, ..self }
    }
}

/// How far one worker has come with delivering one partition, while it holds it.
#[derive(Debug)]
pub struct Track {
    partition: i32,
    writer: Writer,
    revoked: Arc<AtomicBool>,
    waiting: VecDeque<Mark>,
    /// The checkpoint that is being written, and the mark that it belongs to.
    writing: Option<(Arc<Ticket>, Mark)>,
}

/// What has become certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Certain {
    /// Every output of the records below this offset is acknowledged, and so is the newest
    /// checkpoint below it: this offset may be committed.
    pub frontier: Option<i64>,
    /// A checkpoint with this next offset is acknowledged.
    pub saved: Option<i64>,
}

impl Track {
    /// Of a partition whose checkpoints `writer` makes. Nothing becomes certain any more, and no
    /// checkpoint is written, once `revoked` is set.
    pub fn new(partition: i32, writer: Writer, revoked: Arc<AtomicBool>) -> Track {
        Track { partition, writer, revoked, waiting: VecDeque::new(), writing: None }
    }

    /// The partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// Whether it waits for nothing.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_none()
    }

    /// Whether the partition is no longer ours.
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::SeqCst)
    }

    /// Takes the next mark.
    pub fn accept(&mut self, mark: Mark) {
        self.waiting.push_back(mark);
    }

    /// Goes as far as the acknowledgements allow, and tells what has become certain by them.
    ///
    /// # Errors
    /// When a record of a checkpoint was refused for good.
    pub fn advance(&mut self, log: &dyn Log) -> Result<Certain, Error> {
        let mut certain = Certain::default();
        while !self.is_revoked() {
            match self.writing.take() {
                Some((ticket, mark)) if !is_acknowledged(&ticket, log) => {
                    self.writing = Some((ticket, mark));
                    return Ok(certain);
                }
                Some((_, mark)) => {
                    certain.saved = Some(mark.next);
                    self.finish(mark, &mut certain);
                }
                None => {}
            }
            match self.waiting.pop_front() {
                None => return Ok(certain),
                Some(mark) if !is_acknowledged(&mark.records, log) => {
                    self.waiting.push_front(mark);
                    return Ok(certain);
                }
                Some(mark) => self.pass(mark, log, &mut certain)?,
            }
        }
        self.abandon();
        Ok(certain)
    }

    /// The records of a mark are acknowledged: now its checkpoint, if it has one.
    fn pass(&mut self, mut mark: Mark, log: &dyn Log, certain: &mut Certain) -> Result<(), Error> {
        let Some(snapshot) = mark.snapshot.take() else {
            self.finish(mark, certain);
            return Ok(());
        };
        let ticket = Arc::default();
        for record in self.writer.records(snapshot) {
            match log.append(&record, self.partition, &ticket, &self.revoked) {
                Ok(()) => {}
                Err(Rejected::Revoked) => break,
                Err(Rejected::Failed(error)) => return Err(error),
            }
        }
        self.writing = Some((ticket, mark));
        Ok(())
    }

    fn finish(&self, mark: Mark, certain: &mut Certain) {
        certain.frontier = Some(mark.next);
        self.tell(mark);
    }

    /// Nothing that waits will be delivered.
    fn abandon(&mut self) {
        let writing = self.writing.take().map(|(_, mark)| mark);
        for mark in writing.into_iter().chain(std::mem::take(&mut self.waiting)) {
            self.tell(mark);
        }
    }

    fn tell(&self, mark: Mark) {
        if let Some(done) = mark.done {
            // Who gave up waiting need not hear of it.
            let _ = done.send(self.partition);
        }
    }
}

/// Whether all records with this ticket are acknowledged. One that was lost gives its ticket back
/// too, after it has made the log fail: asked the other way round, it could be taken for
/// acknowledged.
fn is_acknowledged(ticket: &Arc<Ticket>, log: &dyn Log) -> bool {
    ticket.is_alone() && !log.has_failed()
}
