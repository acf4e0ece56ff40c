//! Appends records to an input topic: for demonstrations, load and tests.

use crate::connection::log;
use crate::{Connection, Error};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A producer of one topic.
pub struct Feed {
    producer: ThreadedProducer<Answers>,
    answers: Arc<State>,
    topic: String,
}

#[derive(Default)]
struct State {
    acknowledged: AtomicU64,
    failure: Mutex<Option<Error>>,
}

struct Answers(Arc<State>);

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }
}

impl ProducerContext for Answers {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => _ = self.0.acknowledged.fetch_add(1, Ordering::Relaxed),
            Err((reason, _)) => self.0.fail(Error::kafka("append a record")(reason.clone())),
        }
    }
}

impl State {
    /// Only the first failure is told: the others follow from it.
    fn fail(&self, error: Error) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn check(&self) -> Result<(), Error> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take().map_or(Ok(()), Err)
    }
}

impl Feed {
    /// A producer of `topic`.
    ///
    /// # Errors
    /// When a property of the connection is refused.
    pub fn open(connection: &Connection, topic: &str) -> Result<Feed, Error> {
        let answers = Arc::new(State::default());
        let producer = connection.producer().create_with_context(Answers(answers.clone()));
        let producer = producer.map_err(Error::kafka("make a producer"))?;
        Ok(Feed { producer, answers, topic: topic.into() })
    }

    /// Hands a record over, to `partition` or to where its key belongs; waits while the producer
    /// has no room.
    ///
    /// # Errors
    /// When the record is refused, or one before it was.
    pub fn append(&self, partition: Option<i32>, key: &str, value: &[u8]) -> Result<(), Error> {
        self.append_as_is(partition, Some(key.as_bytes()), Some(value), None)
    }

    /// Hands over a record of any kind: without a key, without a value, with a timestamp
    /// (milliseconds) of its own.
    ///
    /// # Errors
    /// As [`append`](Feed::append).
    pub fn append_as_is(
        &self,
        partition: Option<i32>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp: Option<i64>,
    ) -> Result<(), Error> {
        self.answers.check()?;
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.topic);
        (record.key, record.payload) = (key, value);
        (record.partition, record.timestamp) = (partition, timestamp);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    std::thread::sleep(Duration::from_millis(1));
                    record = back;
                }
                Err((error, _)) => return Err(Error::kafka("append a record")(error)),
            }
        }
    }

    /// Records that the brokers have acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.answers.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until every record is acknowledged, at most for `patience`.
    ///
    /// # Errors
    /// When one is refused or the time is over.
    pub fn finish(&self, patience: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + patience;
        while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
            self.answers.check()?;
            std::thread::sleep(Duration::from_millis(1));
        }
        self.answers.check()?;
        match self.producer.in_flight_count() {
            0 => Ok(()),
            _ => Err(Error::kafka("append all records in time")(KafkaError::MessageProduction(
                RDKafkaErrorCode::MessageTimedOut,
            ))),
        }
    }
}
