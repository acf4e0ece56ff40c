use crate::ack::{Acknowledged, Failure, Refused};
use crate::class::is_full;
use crate::connection::log;
use crate::delivery::{Log, Rejected, Ticket};
use crate::routes::Routes;
use crate::{Class, Connection, Error, Observer, Outgoing, Target};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, DeliveryResult, ProducerContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A record in flight.
pub(crate) struct Pending {
    /// What it belongs to; dropped with the acknowledgement.
    _ticket: Arc<Ticket>,
    to: Target,
    id: Box<str>,
    timestamp: Option<i64>,
}

/// What happens when the brokers answer.
pub(crate) struct Answers {
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) failure: Arc<Failure>,
}

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "producing");
    }
}

impl ProducerContext for Answers {
    type DeliveryOpaque = Box<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Box<Pending>) {
        let Pending { to, id, timestamp, .. } = *pending;
        match result {
            Ok(_) if to == Target::Checkpoints => {}
            Ok(_) => self.observer.acknowledged(Acknowledged { to, timestamp }),
            Err((reason, _)) if is_skipped(to, reason) => {
                self.observer.refused(Refused { id: &id, reason: &reason.to_string() });
            }
            Err((reason, _)) => {
                self.observer.failed();
                let (id, reason) = (id.into(), reason.clone());
                self.failure.report(Error::Undelivered { id, reason });
            }
        }
    }
}

/// A checkpoint without one of its records would be a wrong one.
pub(crate) fn is_skipped(to: Target, reason: &KafkaError) -> bool {
    to != Target::Checkpoints && Class::of(reason) == Class::Poison
}

/// The one producer of all partitions.
pub(crate) struct Sink {
    producer: BaseProducer<Answers>,
    routes: Routes,
}

impl Sink {
    pub(crate) fn new(
        connection: &Connection,
        routes: Routes,
        answers: Answers,
    ) -> Result<Sink, Error> {
        let producer = connection.producer()?.create_with_context(answers);
        Ok(Sink { producer: producer.map_err(Error::kafka("make a producer"))?, routes })
    }

    /// Answers that have come are handled on this thread, for as long as `time`.
    pub(crate) fn poll(&self, time: Duration) {
        self.producer.poll(time);
    }

    fn context(&self) -> &Answers {
        use rdkafka::producer::Producer;
        self.producer.context()
    }
}

impl Log for Sink {
    fn append(
        &self,
        record: &Outgoing,
        partition: i32,
        ticket: &Arc<Ticket>,
        revoked: &AtomicBool,
    ) -> Result<(), Rejected> {
        let (to, timestamp) = (record.to, record.timestamp);
        let (ticket, id) = (ticket.clone(), record.id.as_str().into());
        let pending = Box::new(Pending { _ticket: ticket, to, id, timestamp });
        let Some(mut next) = self.routes.record(record, partition, pending) else { return Ok(()) };
        loop {
            let (reason, back) = match self.producer.send(next) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            if is_full(&reason) {
                if revoked.load(Ordering::SeqCst) {
                    return Err(Rejected::Revoked);
                }
                // Room comes with answers, and whoever looks for them otherwise may be this thread.
                self.poll(Duration::from_millis(1));
                next = back;
                continue;
            }
            let id = record.id.clone();
            if is_skipped(record.to, &reason) {
                let reason = reason.to_string();
                self.context().observer.refused(Refused { id: &id, reason: &reason });
                return Ok(());
            }
            return Err(Rejected::Failed(Error::Undelivered { id, reason }));
        }
    }

    fn has_failed(&self) -> bool {
        self.context().failure.happened()
    }

    fn in_flight(&self) -> usize {
        use rdkafka::producer::Producer;
        self.producer.in_flight_count().max(0) as usize
    }
}
