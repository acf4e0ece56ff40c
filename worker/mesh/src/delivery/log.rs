//! What delivery asks of the log that it appends to. The brokers of Kafka are one such log; a
//! simulation may be another.

use crate::{Error, Outgoing};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What waits for the acknowledgement of a record.
///
/// Every record in flight holds a ticket of the batch it was appended with; a batch is
/// acknowledged when nobody else holds its ticket.
#[derive(Debug, Default)]
pub struct Ticket;

impl Ticket {
    /// Whether nobody but the caller holds it any more.
    pub fn is_alone(self: &Arc<Ticket>) -> bool {
        Arc::strong_count(self) == 1
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
