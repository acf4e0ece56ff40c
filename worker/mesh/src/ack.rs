use crate::{Error, Kind};
use rdkafka::error::KafkaError;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// An output that Kafka has acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    /// What it is about.
    pub kind: Kind,
    /// When the input record with which it became due was appended, milliseconds.
    pub appended: Option<i64>,
}

/// An output that Kafka will never accept; it is skipped.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The id of the output.
    pub id: &'a str,
    /// Why.
    pub reason: &'a KafkaError,
}

/// What is waiting for the acknowledgement of a record: an output or a part of a checkpoint.
///
/// Every record in flight holds a ticket of the batch it was sent with; a batch is acknowledged
/// when nobody else holds its ticket.
#[derive(Debug, Default)]
pub(crate) struct Ticket;

/// Where the first failure that nothing can be done about is kept.
///
/// A record that failed gives its ticket back like one that was acknowledged: after a failure, no
/// checkpoint may be written any more.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    failed: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Failure {
    pub(crate) fn report(&self, error: Error) {
        if !self.failed.swap(true, Ordering::SeqCst) {
            *self.slot() = Some(error);
        }
    }

    pub(crate) fn happened(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    pub(crate) fn take(&self) -> Option<Error> {
        self.slot().take()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.error.lock().unwrap_or_else(|e| e.into_inner())
    }
}
