use crate::ack::{Acknowledged, Failure, Refused};
use crate::connection::log;
use crate::delivery::{Log, Rejected, Ticket, Topics};
use crate::{Class, Connection, Error, Observer, Outgoing, Target, headers, topics};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, ProducerContext};
use std::collections::HashMap;
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
                self.observer.refused(Refused { id: &id, reason });
            }
            Err((reason, _)) => {
                let (id, reason) = (id.into(), reason.clone());
                self.failure.report(Error::Undelivered { id, reason });
            }
        }
    }
}

/// A checkpoint without one of its records would be a wrong one.
fn is_skipped(to: Target, reason: &KafkaError) -> bool {
    to != Target::Checkpoints && Class::of(reason) == Class::Poison
}

/// The producer and what it needs to know about the topics.
pub(crate) struct Sink {
    producer: BaseProducer<Answers>,
    topics: HashMap<Target, Topic>,
}

#[derive(Clone, Debug)]
struct Topic {
    name: String,
    partitions: i32,
}

impl Sink {
    pub(crate) fn new(
        connection: &Connection,
        topics: &Topics,
        answers: Answers,
    ) -> Result<Sink, Error> {
        let producer = connection.producer()?.create_with_context(answers);
        let producer = producer.map_err(Error::kafka("make a producer"))?;
        Ok(Sink { producer, topics: find(connection, topics)? })
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
        let Some(topic) = self.topics.get(&record.to) else { return Ok(()) };
        let mut next = topic.record(record, partition, ticket);
        loop {
            let (reason, back) = match self.producer.send(next) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            if reason.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) {
                if revoked.load(Ordering::SeqCst) {
                    return Err(Rejected::Revoked);
                }
                std::thread::sleep(Duration::from_millis(1));
                next = back;
                continue;
            }
            let id = record.id.clone();
            if is_skipped(record.to, &reason) {
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

impl Topic {
    /// What comes of partition `p` goes to partition `p` of a topic that has one, else where its
    /// key belongs; checkpoints are looked for by the number of their partition alone.
    fn record<'a>(
        &'a self,
        record: &'a Outgoing,
        partition: i32,
        ticket: &Arc<Ticket>,
    ) -> BaseRecord<'a, [u8], [u8], Box<Pending>> {
        let Outgoing { to, id, key, payload, headers, timestamp } = record;
        let (ticket, id) = (ticket.clone(), id.as_str().into());
        let pending = Pending { _ticket: ticket, to: *to, id, timestamp: *timestamp };
        let mut next = BaseRecord::with_opaque_to(&self.name, Box::new(pending));
        (next.key, next.payload) = (key.as_deref(), payload.as_deref());
        next.timestamp = *timestamp;
        next.partition = match to {
            Target::Checkpoints => Some(partition % self.partitions),
            _ => (partition < self.partitions).then_some(partition),
        };
        if !headers.is_empty() {
            next = next.headers(headers::write(headers));
        }
        next
    }
}

fn find(connection: &Connection, topics: &Topics) -> Result<HashMap<Target, Topic>, Error> {
    let outputs = topics.outputs.iter().map(|(kind, name)| (Target::Output(*kind), name));
    let dead_letters = topics.dead_letters.iter().map(|name| (Target::DeadLetters, name));
    let all = outputs.chain(dead_letters).chain([(Target::Checkpoints, &topics.checkpoints)]);
    let known = |(to, name): (Target, &String)| {
        let partitions = topics::partitions(connection, name)?;
        Ok((to, Topic { name: name.clone(), partitions }))
    };
    all.map(known).collect()
}
