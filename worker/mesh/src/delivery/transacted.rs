//! `exactly_once`: outputs, checkpoint and offset in one transaction.

use crate::checkpoint::Writer;
use crate::dead_letters::Postmark;
use crate::delivery::Batch;
use crate::delivery::log::{Settled, Transactions, Trouble};
use crate::delivery::room::Place;
use crate::{Error, Outgoing, Target, Unacknowledged};
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes of records in a transaction after which no further batch is added.
const BYTES: usize = 4 << 20;
/// How long an offset without outputs waits for a transaction.
const PATIENCE: Duration = Duration::from_millis(100);

/// A batch that waits for a transaction.
#[derive(Debug)]
pub struct Parcel {
    batch: Batch,
    /// The room that it takes until it is committed.
    place: Option<Place>,
    /// Told the partition when the batch is committed, or when it is known that it will not be.
    done: Option<Sender<i32>>,
}

impl From<Batch> for Parcel {
    fn from(batch: Batch) -> Parcel {
        Parcel { batch, place: None, done: None }
    }
}

impl Parcel {
    pub(crate) fn new(batch: Batch, place: Option<Place>, done: Option<Sender<i32>>) -> Parcel {
        Parcel { batch, place, done }
    }

    /// Whether it is worth a transaction of its own.
    fn is_urgent(&self) -> bool {
        let Batch { records, snapshot, .. } = &self.batch;
        !records.is_empty() || snapshot.is_some() || self.done.is_some()
    }
}

/// What is in one transaction. It is kept until the transaction is committed, so that the same
/// can be sent again.
#[derive(Debug, Default)]
pub struct Content {
    /// The records, in order.
    pub records: Vec<Outgoing>,
    /// The offset that is committed with them.
    pub next: i64,
    /// The `next` of the checkpoint among the records, if there is one.
    pub saved: Option<i64>,
    /// Whether each record is sent alone, but for so many at the front that were acknowledged
    /// before. A log that refuses one may refuse with it what it was sent with.
    careful: Option<usize>,
    bytes: usize,
    places: Vec<Place>,
    waits: Vec<Unacknowledged>,
    done: Vec<Sender<i32>>,
}

impl Content {
    fn add(&mut self, records: Vec<Outgoing>) {
        self.bytes += records.iter().map(Outgoing::bytes).sum::<usize>();
        self.records.extend(records);
    }

    /// Puts another record in the place of one, or leaves it out.
    fn replace(&mut self, id: &str, by: impl Fn(&Outgoing) -> Option<Outgoing>) {
        let records = std::mem::take(&mut self.records).into_iter();
        let replaced = records.flat_map(|r| if r.id == id { by(&r) } else { Some(r) });
        self.records = replaced.collect();
    }
}

/// How far one worker has come with delivering one partition by transactions, while it holds it.
///
/// It needs a log whose transactions have been initialised on behalf of this partition before the
/// committed offset was read, so that nobody can commit in between.
#[derive(Debug)]
pub struct Transacted {
    partition: i32,
    writer: Writer,
    /// How dead letters are made of what is refused, where there are any.
    postmark: Option<Postmark>,
    revoked: Arc<AtomicBool>,
    waiting: VecDeque<Parcel>,
    content: Option<Content>,
    stage: Stage,
    /// The offset that the group has committed.
    committed: Option<i64>,
    /// When the last transaction was committed.
    last: Duration,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No transaction is open.
    Between,
    /// So many records of the content have been appended.
    Appending(usize),
    /// As many, and the last of them is to be acknowledged before another is appended.
    Checking(usize),
    /// All records have been appended, and the offset.
    Settling,
    /// All records are acknowledged.
    Committing,
    /// The transaction cannot be committed.
    Aborting,
    /// It is not known what became of the transaction.
    Lost,
    /// No transaction is open any more, and the committed offset tells what became of the last.
    Asking,
    /// The partition is not ours.
    Over,
}

/// What a step has led to.
#[derive(Debug)]
pub enum Progress {
    /// There is nothing to do before something is accepted or time passes.
    Idle,
    /// Something was done; there is more to do.
    Moved,
    /// The log has not answered yet.
    Pending,
    /// A transaction was committed.
    Committed(Content),
    /// These records will never be accepted; they are replaced or left out from now on.
    Refused(Vec<(String, String)>),
    /// Something went wrong, and will be tried again.
    Troubled(String),
    /// The partition is not ours any more. `fenced` when it was the log that said so.
    Over {
        /// Another worker has taken the partition over.
        fenced: bool,
    },
}

impl Transacted {
    /// Of a partition whose checkpoints `writer` makes, and of which the group has `committed` an
    /// offset. Nothing is committed any more once `revoked` is set.
    pub fn new(
        partition: i32,
        writer: Writer,
        committed: Option<i64>,
        revoked: Arc<AtomicBool>,
    ) -> Transacted {
        Transacted {
            partition,
            writer,
            postmark: None,
            revoked,
            waiting: VecDeque::new(),
            content: None,
            stage: Stage::Between,
            committed,
            last: Duration::ZERO,
        }
    }

    /// Makes dead letters of results that are refused.
    pub fn keeping(self, postmark: Option<Postmark>) -> Transacted {
        Transacted { postmark, ..self }
    }

    /// Takes the next batch.
    pub fn accept(&mut self, parcel: impl Into<Parcel>) {
        let parcel = parcel.into();
        let reached = self.waiting.back().map(|p| p.batch.next);
        let reached = reached.or(self.content.as_ref().map(|c| c.next)).or(self.committed);
        if parcel.is_urgent() || reached < Some(parcel.batch.next) {
            self.waiting.push_back(parcel);
        }
    }

    /// Whether all that was accepted is committed.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.content.is_none()
    }

    /// Does the next thing: at most one call of the log. `now` is the time since any fixed
    /// moment.
    ///
    /// # Errors
    /// When it is impossible to go on.
    pub fn step(&mut self, log: &mut dyn Transactions, now: Duration) -> Result<Progress, Error> {
        if self.stage != Stage::Over && self.is_revoked() {
            if self.is_open() {
                // Readers would wait for it, if nobody takes the partition over. Whoever does
                // aborts it too.
                let _ = log.abort();
            }
            return Ok(self.end(false));
        }
        match self.advance(log, now) {
            Ok(progress) => Ok(progress),
            Err(Trouble::Fatal(error)) => Err(error),
            // Once revoked, it may have been taken over by this very worker.
            Err(Trouble::Fenced(_)) if self.is_revoked() => Ok(self.end(false)),
            Err(Trouble::Fenced(reason)) => {
                tracing::warn!(partition = self.partition, reason, "taken over by another worker");
                Ok(self.end(true))
            }
            Err(Trouble::Abortable(reason)) if self.may_abort() => {
                self.stage = Stage::Aborting;
                Ok(Progress::Troubled(reason))
            }
            Err(Trouble::Abortable(reason) | Trouble::Indefinite(reason)) => {
                self.stage = Stage::Lost;
                Ok(Progress::Troubled(reason))
            }
        }
    }

    fn advance(&mut self, log: &mut dyn Transactions, now: Duration) -> Result<Progress, Trouble> {
        match self.stage {
            Stage::Between => return self.begin(log, now),
            Stage::Appending(count) => self.append(count, log)?,
            Stage::Checking(count) => return self.check(count, log),
            Stage::Settling => return self.settle(log, Stage::Committing),
            Stage::Committing => {
                log.commit()?;
                return Ok(self.finish(now));
            }
            Stage::Aborting => self.abort(log)?,
            Stage::Lost if !log.init()? => return Ok(Progress::Pending),
            Stage::Lost => self.stage = Stage::Asking,
            Stage::Asking => return self.judge(log.committed()?, now),
            Stage::Over => return Ok(Progress::Over { fenced: false }),
        }
        Ok(Progress::Moved)
    }

    /// Opens a transaction for what did not come through, or else for what has come meanwhile.
    fn begin(&mut self, log: &mut dyn Transactions, now: Duration) -> Result<Progress, Trouble> {
        if self.content.is_none() {
            let urgent = self.waiting.iter().any(Parcel::is_urgent);
            let due = !self.waiting.is_empty() && now >= self.last + PATIENCE;
            if !urgent && !due {
                return Ok(Progress::Idle);
            }
            self.content = Some(self.collect());
        }
        log.begin()?;
        self.stage = Stage::Appending(0);
        Ok(Progress::Moved)
    }

    fn collect(&mut self) -> Content {
        let mut content = Content::default();
        while content.bytes < BYTES {
            let Some(Parcel { batch, place, done }) = self.waiting.pop_front() else { break };
            content.next = batch.next;
            content.add(batch.records);
            if let Some(snapshot) = batch.snapshot {
                content.saved = Some(snapshot.next);
                content.add(self.writer.records(snapshot));
            }
            content.places.extend(place);
            content.waits.extend(batch.waits);
            content.done.extend(done);
        }
        content
    }

    fn append(&mut self, count: usize, log: &mut dyn Transactions) -> Result<(), Trouble> {
        let content = self.content.as_ref().expect("an open transaction has a content");
        match content.records.get(count) {
            Some(record) => {
                log.append(record)?;
                self.stage = match content.careful {
                    Some(sound) if count + 1 >= sound => Stage::Checking(count + 1),
                    _ => Stage::Appending(count + 1),
                };
            }
            None => {
                log.commit_offset(content.next)?;
                self.stage = Stage::Settling;
            }
        }
        Ok(())
    }

    /// Whether the records of the open transaction are acknowledged, the last of which was sent
    /// alone or with none but those that were acknowledged before.
    fn check(&mut self, count: usize, log: &mut dyn Transactions) -> Result<Progress, Trouble> {
        let careful = &mut self.content.as_mut().expect("a transaction is open").careful;
        let settled = log.settle()?;
        match settled {
            Settled::All => *careful = (*careful).max(Some(count)),
            // What was acknowledged before is not any more.
            Settled::Refused(_) if count > 1 && *careful == Some(count) => {
                (*careful, self.stage) = (Some(0), Stage::Aborting);
                return Ok(Progress::Moved);
            }
            _ => {}
        }
        self.settled(settled, Stage::Appending(count))
    }

    fn settle(&mut self, log: &mut dyn Transactions, then: Stage) -> Result<Progress, Trouble> {
        let settled = log.settle()?;
        self.settled(settled, then)
    }

    fn settled(&mut self, settled: Settled, then: Stage) -> Result<Progress, Trouble> {
        match settled {
            Settled::Not => Ok(Progress::Pending),
            Settled::All => {
                self.stage = then;
                Ok(Progress::Moved)
            }
            Settled::Refused(refused) => {
                self.stage = Stage::Aborting;
                self.leave_out(refused)
            }
        }
    }

    /// A refusal may come after something else that went wrong because of it. What was refused
    /// need not have been alone, so that nothing is left out yet.
    fn abort(&mut self, log: &mut dyn Transactions) -> Result<(), Trouble> {
        let refused = log.abort()?;
        let content = self.content.as_mut().expect("an open transaction has a content");
        if !refused.is_empty() {
            content.careful.get_or_insert_default();
        }
        self.stage = Stage::Between;
        Ok(())
    }

    /// Leaves a record out that was refused alone; others are sent again, each alone. A checkpoint
    /// without one of its records would be a wrong one.
    fn leave_out(&mut self, refused: Vec<(String, String)>) -> Result<Progress, Trouble> {
        let content = self.content.as_mut().expect("an open transaction has a content");
        if content.careful.is_none() {
            content.careful = Some(0);
            return Ok(Progress::Moved);
        }
        for (id, reason) in &refused {
            let is = |record: &Outgoing| record.id == *id;
            if content.records.iter().any(|r| is(r) && r.to == Target::Checkpoints) {
                let (partition, reason) = (self.partition, format!("{id} was refused: {reason}"));
                return Err(Trouble::Fatal(Error::Checkpoint { partition, reason }));
            }
            content.replace(id, |record| {
                self.postmark.as_ref()?.substitute(record, self.partition, reason)
            });
        }
        Ok(Progress::Refused(refused))
    }

    /// What became of the transaction: it was committed, it was not, or others have gone on.
    fn judge(&mut self, committed: Option<i64>, now: Duration) -> Result<Progress, Trouble> {
        let next = self.content.as_ref().map(|content| content.next);
        if committed == self.committed {
            // Also when the transaction did not change the offset: then it holds nothing but a
            // checkpoint, which may come twice.
            self.stage = Stage::Between;
            Ok(Progress::Moved)
        } else if committed == next {
            Ok(self.finish(now))
        } else {
            let ours = self.committed;
            Err(Trouble::Fenced(format!("the committed offset is {committed:?}, not {ours:?}")))
        }
    }

    fn finish(&mut self, now: Duration) -> Progress {
        let content = self.content.take().expect("an open transaction has a content");
        (self.committed, self.last, self.stage) = (Some(content.next), now, Stage::Between);
        content.done.iter().for_each(|done| self.tell(done));
        Progress::Committed(content)
    }

    /// An error before the commit leaves a transaction that can be aborted.
    fn may_abort(&self) -> bool {
        matches!(self.stage, Stage::Appending(_) | Stage::Checking(_) | Stage::Settling)
    }

    fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::SeqCst)
    }

    fn is_open(&self) -> bool {
        self.may_abort() || self.stage == Stage::Committing
    }

    /// Delivers nothing any more.
    pub(crate) fn give_up(&mut self) {
        self.end(false);
    }

    fn end(&mut self, fenced: bool) -> Progress {
        self.stage = Stage::Over;
        self.revoked.store(true, Ordering::SeqCst);
        let open = self.content.take().map(|content| content.done).unwrap_or_default();
        let waiting = std::mem::take(&mut self.waiting).into_iter().filter_map(|p| p.done);
        open.into_iter().chain(waiting).for_each(|done| self.tell(&done));
        Progress::Over { fenced }
    }

    fn tell(&self, done: &Sender<i32>) {
        // Who gave up waiting need not hear of it.
        let _ = done.send(self.partition);
    }
}
