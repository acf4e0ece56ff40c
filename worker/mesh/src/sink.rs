use crate::ack::{Acknowledged, Failure, Refused, listen};
use crate::class::{is_collateral, is_full, is_turned_away};
use crate::connection::{log, tell};
use crate::dead_letters::Postmark;
use crate::delivery::{Log, Rejected, Ticket};
use crate::routes::Routes;
use crate::{Class, Connection, Error, Observer, Outgoing, Target, headers};
use rdkafka::Message;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A record in flight.
pub(crate) struct Pending {
    /// What it belongs to; dropped with the acknowledgement.
    ticket: Arc<Ticket>,
    to: Target,
    id: Box<str>,
    /// The partition of the input that it came of.
    partition: i32,
    timestamp: Option<i64>,
}

/// A record that was not accepted.
struct Returned {
    record: Outgoing,
    ticket: Arc<Ticket>,
    partition: i32,
    /// Why it never will be; none when it is to be sent as it is.
    refusal: Option<KafkaError>,
}

/// What happens when the brokers answer.
pub(crate) struct Answers {
    observer: Arc<dyn Observer>,
    failure: Arc<Failure>,
    returned: Mutex<Vec<Returned>>,
}

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tell("producing", &error, reason);
        if is_turned_away(&error, reason) {
            // A new password is read by a new client.
            self.failure.report(Error::kafka("produce")(error));
        }
    }
}

impl ProducerContext for Answers {
    type DeliveryOpaque = Box<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Box<Pending>) {
        let to = pending.to;
        match result {
            Ok(_) if to == Target::Checkpoints => {}
            Ok(_) => {
                let timestamp = pending.timestamp;
                self.observer.acknowledged(Acknowledged { to, timestamp });
            }
            Err((reason, message)) if comes_back(to, reason) => {
                self.returned().push(Returned::new(*pending, message, reason));
            }
            Err((reason, _)) => {
                self.observer.failed();
                let (id, reason) = (pending.id.into(), reason.clone());
                self.failure.report(Error::Undelivered { id, reason });
                // Only now: whoever sees that the ticket is back also sees the failure.
                drop(pending.ticket);
            }
        }
    }
}

impl Answers {
    pub(crate) fn new(observer: Arc<dyn Observer>, failure: Arc<Failure>) -> Answers {
        Answers { observer, failure, returned: Mutex::default() }
    }

    fn returned(&self) -> MutexGuard<'_, Vec<Returned>> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Returned {
    fn new(pending: Pending, message: &impl Message, reason: &KafkaError) -> Returned {
        let Pending { ticket, to, id, partition, timestamp } = pending;
        let record = Outgoing {
            to,
            id: id.into(),
            key: message.key().map(Into::into),
            payload: message.payload().map(Into::into),
            headers: headers::read(message),
            timestamp,
        };
        let refusal = (!is_collateral(reason)).then(|| reason.clone());
        Returned { record, ticket, partition, refusal }
    }
}

/// Whether the record, or what stands for it, is to be sent once more.
fn comes_back(to: Target, reason: &KafkaError) -> bool {
    // The records of a checkpoint have an order, and the reason is one of them.
    to != Target::Checkpoints && is_collateral(reason) || is_skipped(to, reason)
}

/// A checkpoint without one of its records would be a wrong one.
pub(crate) fn is_skipped(to: Target, reason: &KafkaError) -> bool {
    to != Target::Checkpoints && Class::of(reason) == Class::Poison
}

/// The one producer of all partitions.
pub(crate) struct Sink {
    producer: BaseProducer<Answers>,
    routes: Routes,
    /// How dead letters are made of what is refused, where there are any.
    postmark: Option<Postmark>,
}

impl Sink {
    pub(crate) fn new(
        connection: &Connection,
        routes: Routes,
        postmark: Option<Postmark>,
        answers: Answers,
    ) -> Result<Sink, Error> {
        let mut config = connection.producer()?;
        routes.limit(&mut config);
        let producer = config.create_with_context(answers);
        let producer = producer.map_err(Error::kafka("make a producer"))?;
        Ok(Sink { producer, routes, postmark })
    }

    /// Handles the answers that have come, and sends once more what came back, as far as there is
    /// room: to wait for it would keep the worker from ending while the brokers are away.
    pub(crate) fn poll(&self) {
        listen(&self.producer);
        let mut returned = VecDeque::from(std::mem::take(&mut *self.context().returned()));
        while let Some(Returned { record, ticket, partition, refusal }) = returned.pop_front() {
            let record = match refusal {
                Some(reason) => self.instead(&record, partition, &reason),
                None => Some(record),
            };
            let Some(record) = record else { continue };
            match self.append(&record, partition, &ticket, &AtomicBool::new(true)) {
                Ok(()) => {}
                Err(Rejected::Failed(error)) => self.context().failure.report(error),
                Err(Rejected::Revoked) => {
                    returned.push_front(Returned { record, ticket, partition, refusal: None });
                    self.context().returned().splice(0..0, returned);
                    return;
                }
            }
        }
    }

    /// Tells of a record that will never be accepted, and gives what stands for it, if anything.
    fn instead(&self, record: &Outgoing, partition: i32, reason: &KafkaError) -> Option<Outgoing> {
        let reason = reason.to_string();
        self.context().observer.refused(Refused { id: &record.id, reason: &reason });
        self.postmark.as_ref()?.substitute(record, partition, &reason)
    }

    fn context(&self) -> &Answers {
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
        let (id, holder) = (record.id.as_str().into(), ticket.clone());
        let pending = Box::new(Pending { ticket: holder, to, id, partition, timestamp });
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
                listen(&self.producer);
                std::thread::sleep(Duration::from_millis(1));
                next = back;
                continue;
            }
            if is_skipped(record.to, &reason) {
                let instead = self.instead(record, partition, &reason);
                return instead.map_or(Ok(()), |r| self.append(&r, partition, ticket, revoked));
            }
            let id = record.id.clone();
            return Err(Rejected::Failed(Error::Undelivered { id, reason }));
        }
    }

    fn has_failed(&self) -> bool {
        self.context().failure.happened()
    }

    fn in_flight(&self) -> usize {
        self.producer.in_flight_count().max(0) as usize
    }
}
