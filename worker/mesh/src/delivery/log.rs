//! What delivery asks of the log that it appends to. The brokers of Kafka are one such log; a
//! simulation may be another.

use crate::{Error, Outgoing};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// What waits for the acknowledgement of a record.
///
/// Every record in flight holds a ticket of the batch it was appended with; a batch is
/// acknowledged when nobody else holds its ticket.
#[derive(Debug, Default)]
pub struct Ticket;

impl Ticket {
    /// Whether nobody but the caller holds it any more.
    pub fn is_alone(self: &Arc<Ticket>) -> bool {
        let alone = Arc::strong_count(self) == 1;
        // Whoever gave it back did so after all that it had to say of its record.
        fence(Ordering::Acquire);
        alone
    }
}

/// Why a record was not taken.
#[derive(Debug)]
pub enum Rejected {
    /// The partition was revoked while there was no room.
    Revoked,
    /// Nothing will be taken any more.
    Failed(Error),
}

/// A log that acknowledges its records one by one, some time after it took them.
pub trait Log: Send + Sync {
    /// Takes a record on behalf of a partition of the input, as soon as there is room for it, and
    /// gives the ticket back with the acknowledgement. A record that will never be accepted is
    /// reported and gives its ticket back too. While there is no room, `revoked` ends the wait.
    ///
    /// # Errors
    /// When the record was not taken.
    fn append(
        &self,
        record: &Outgoing,
        partition: i32,
        ticket: &Arc<Ticket>,
        revoked: &AtomicBool,
    ) -> Result<(), Rejected>;

    /// Whether a record was lost for good after it was taken: tickets that come back then mean
    /// nothing.
    fn has_failed(&self) -> bool;

    /// Records that were taken and are not acknowledged.
    fn in_flight(&self) -> usize;
}

/// What went wrong with a transaction.
#[derive(Debug)]
pub enum Trouble {
    /// The transaction can only be aborted; the same may be sent again.
    Abortable(String),
    /// It is not known what became of the call: everything has to be initialised again.
    Indefinite(String),
    /// Another worker has initialised transactions on behalf of the partition.
    Fenced(String),
    /// It is impossible to go on.
    Fatal(Error),
}

/// Whether the records of a transaction are acknowledged.
#[derive(Debug)]
pub enum Settled {
    /// Some are not yet.
    Not,
    /// All are.
    All,
    /// These will never be accepted: their ids, and why.
    Refused(Vec<(String, String)>),
}

/// A log that takes records, and the offset of one partition of the input, in transactions.
pub trait Transactions: Send {
    /// Makes it impossible for whoever did so before to go on with transactions on behalf of the
    /// partition, and ends what they left open. Does not wait for long: it is to be called again
    /// until it gives `true`, unless the partition is given up meanwhile, since whoever goes on
    /// would fence the next owner.
    ///
    /// # Errors
    /// Any [`Trouble`].
    fn init(&mut self) -> Result<bool, Trouble>;

    /// The offset that the group has committed of the partition.
    ///
    /// # Errors
    /// Any [`Trouble`].
    fn committed(&mut self) -> Result<Option<i64>, Trouble>;

    /// Hears what the log has to say while there is nothing else to do.
    fn listen(&mut self) {}

    /// Opens a transaction.
    ///
    /// # Errors
    /// Any [`Trouble`].
    fn begin(&mut self) -> Result<(), Trouble>;

    /// Appends a record to the open transaction.
    ///
    /// # Errors
    /// Any [`Trouble`].
    fn append(&mut self, record: &Outgoing) -> Result<(), Trouble>;

    /// Adds the offset of the partition to the open transaction.
    ///
    /// # Errors
    /// Any [`Trouble`].
    fn commit_offset(&mut self, next: i64) -> Result<(), Trouble>;

    /// Whether all records of the open transaction are acknowledged. Does not wait.
    ///
    /// # Errors
    /// Any [`Trouble`].
    fn settle(&mut self) -> Result<Settled, Trouble>;

    /// Commits the open transaction, of which all records are acknowledged.
    ///
    /// # Errors
    /// Any [`Trouble`]; what became of the transaction is then not known.
    fn commit(&mut self) -> Result<(), Trouble>;

    /// Aborts the open transaction. Gives those of its records of which it turned out meanwhile that
    /// they, or what they were sent with, will never be accepted: their ids, and why.
    ///
    /// # Errors
    /// Any [`Trouble`].
    fn abort(&mut self) -> Result<Vec<(String, String)>, Trouble>;
}
