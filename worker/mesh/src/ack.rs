use crate::{Error, Target};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A record that Kafka has acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    /// Where it went.
    pub to: Target,
    /// Its timestamp, milliseconds: when the input record was appended with which an output
    /// became due.
    pub timestamp: Option<i64>,
}

/// A record that Kafka will never accept; it is skipped.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The id of the record.
    pub id: &'a str,
    /// Why.
    pub reason: &'a str,
}

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

/// Answers that are heard together.
const ANSWERS: usize = 64;

/// Hears the answers that have come. A poll that may wait for less than the clock of the client can
/// tell spins instead of waiting: this one does not wait.
pub(crate) fn listen<C: ProducerContext>(producer: &BaseProducer<C>) {
    for _ in 0..ANSWERS {
        producer.poll(Duration::ZERO);
        if producer.in_flight_count() == 0 {
            return;
        }
    }
}
