//! Appends records to an input topic: for demonstrations, load and tests.

use crate::class::is_full;
use crate::connection::log;
use crate::{Connection, Error, Record};
use rdkafka::Message;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A producer of one topic. With each record it may take a note, which is given back together with
/// the place that the record got.
pub struct Feed<N: Send + Sync + 'static = ()> {
    producer: ThreadedProducer<Answers<N>>,
    answers: Arc<State>,
    topic: String,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The partition of the topic.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
}

#[derive(Default)]
struct State {
    acknowledged: AtomicU64,
    failure: Mutex<Option<Error>>,
}

struct Answers<N> {
    state: Arc<State>,
    receive: Box<dyn Fn(N, Place) + Send + Sync>,
}

impl<N: Send + Sync> ClientContext for Answers<N> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }
}

impl<N: Send + Sync> ProducerContext for Answers<N> {
    type DeliveryOpaque = Box<N>;

    fn delivery(&self, result: &DeliveryResult<'_>, note: Box<N>) {
        match result {
            Ok(record) => {
                let place = Place { partition: record.partition(), offset: record.offset() };
                (self.receive)(*note, place);
                self.state.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Err((reason, _)) => self.state.fail(Error::kafka("append a record")(reason.clone())),
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
        Feed::noting(connection, topic, |(), _| {})
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
        self.append_noting((), partition, key, value, timestamp)
    }

    /// Hands a record over with its headers; its offset is the broker's to choose.
    ///
    /// # Errors
    /// As [`append`](Feed::append).
    pub fn append_record(&self, partition: Option<i32>, record: &Record) -> Result<(), Error> {
        let mut next = BaseRecord::with_opaque_to(&self.topic, Box::new(()));
        (next.key, next.payload) = (record.key.as_deref(), record.value.as_deref());
        (next.partition, next.timestamp) = (partition, record.timestamp);
        next.headers = (!record.headers.is_empty()).then(|| crate::headers::write(&record.headers));
        self.send(next)
    }
}

impl<N: Send + Sync + 'static> Feed<N> {
    /// A producer of `topic` that gives the note of every record to `receive`, on a thread of its
    /// own, once the brokers have the record.
    ///
    /// # Errors
    /// When a property of the connection is refused.
    pub fn noting(
        connection: &Connection,
        topic: &str,
        receive: impl Fn(N, Place) + Send + Sync + 'static,
    ) -> Result<Feed<N>, Error> {
        let state = Arc::new(State::default());
        let answers = Answers { state: state.clone(), receive: Box::new(receive) };
        let producer = connection.producer()?.create_with_context(answers);
        let producer = producer.map_err(Error::kafka("make a producer"))?;
        Ok(Feed { producer, answers: state, topic: topic.into() })
    }

    /// As [`append_as_is`](Feed::append_as_is), with a note.
    ///
    /// # Errors
    /// As [`append`](Feed::append).
    pub fn append_noting(
        &self,
        note: N,
        partition: Option<i32>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp: Option<i64>,
    ) -> Result<(), Error> {
        let mut record = BaseRecord::with_opaque_to(&self.topic, Box::new(note));
        (record.key, record.payload) = (key, value);
        (record.partition, record.timestamp) = (partition, timestamp);
        self.send(record)
    }

    fn send(&self, mut record: BaseRecord<'_, [u8], [u8], Box<N>>) -> Result<(), Error> {
        self.answers.check()?;
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((error, back)) if is_full(&error) => {
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
