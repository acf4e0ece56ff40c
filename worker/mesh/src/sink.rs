use crate::ack::{Acknowledged, Failure, Refused, Ticket};
use crate::connection::log;
use crate::{Class, Connection, Error, Kind, Observer, Output, topics};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, ProducerContext};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A record in flight.
pub(crate) struct Pending {
    /// What it belongs to; dropped with the acknowledgement.
    _ticket: Arc<Ticket>,
    /// `None` for a part of a checkpoint.
    kind: Option<Kind>,
    id: Box<str>,
    appended: Option<i64>,
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
        let Pending { kind, id, appended, .. } = &*pending;
        match (result, kind) {
            (Ok(_), Some(kind)) => {
                self.observer.acknowledged(Acknowledged { kind: *kind, appended: *appended });
            }
            (Ok(_), None) => {}
            (Err((reason, _)), Some(_)) if Class::of(reason) == Class::Poison => {
                self.observer.refused(Refused { id, reason });
            }
            (Err((reason, _)), _) => {
                self.failure
                    .report(Error::Undelivered { id: id.to_string(), reason: reason.clone() });
            }
        }
    }
}

/// The producer and what it needs to know about the topics.
pub(crate) struct Sink {
    producer: BaseProducer<Answers>,
    outputs: HashMap<Kind, Topic>,
    checkpoints: Topic,
}

#[derive(Clone, Debug)]
pub(crate) struct Topic {
    name: String,
    partitions: i32,
}

/// Why a record was not taken.
pub(crate) enum Rejected {
    /// The partition was revoked while the queue was full.
    Revoked,
    /// The producer will not take anything any more.
    Failed(Error),
}

impl Sink {
    pub(crate) fn new(
        connection: &Connection,
        outputs: &[(Kind, String)],
        checkpoints: &str,
        answers: Answers,
    ) -> Result<Sink, Error> {
        let producer = connection.producer().create_with_context(answers);
        let producer = producer.map_err(Error::kafka("make a producer"))?;
        let topic = |name: &String| {
            let partitions = topics::partitions(connection, name)?;
            Ok(Topic { name: name.clone(), partitions })
        };
        let known = |(kind, name): &(Kind, String)| Ok((*kind, topic(name)?));
        Ok(Sink {
            producer,
            outputs: outputs.iter().map(known).collect::<Result<_, Error>>()?,
            checkpoints: topic(&checkpoints.to_owned())?,
        })
    }

    /// Hands an output over, as soon as there is room for it.
    ///
    /// The output of partition `p` goes to partition `p` of a topic that has one, else where its
    /// key belongs.
    pub(crate) fn send(
        &self,
        output: &Output,
        partition: i32,
        ticket: &Arc<Ticket>,
        revoked: &AtomicBool,
    ) -> Result<(), Rejected> {
        let Some(topic) = self.outputs.get(&output.kind) else { return Ok(()) };
        let pending = Pending {
            _ticket: ticket.clone(),
            kind: Some(output.kind),
            id: output.id.as_str().into(),
            appended: output.timestamp,
        };
        let mut record = BaseRecord::with_opaque_to(&topic.name, Box::new(pending))
            .key(output.series.as_str())
            .payload(output.payload.as_slice())
            .headers(headers(output));
        if partition < topic.partitions {
            record = record.partition(partition);
        }
        if let Some(timestamp) = output.timestamp {
            record = record.timestamp(timestamp);
        }
        self.queue(record, revoked)
    }

    /// Hands over a record of the checkpoint topic; without a value it deletes the key.
    pub(crate) fn save(
        &self,
        key: &str,
        value: Option<&[u8]>,
        partition: i32,
        ticket: &Arc<Ticket>,
        revoked: &AtomicBool,
    ) -> Result<(), Rejected> {
        let pending =
            Pending { _ticket: ticket.clone(), kind: None, id: key.into(), appended: None };
        let mut record = BaseRecord::with_opaque_to(&self.checkpoints.name, Box::new(pending))
            .key(key)
            .partition(partition % self.checkpoints.partitions);
        record.payload = value;
        self.queue(record, revoked)
    }

    /// Answers that have come are handled on this thread, for as long as `time`.
    pub(crate) fn poll(&self, time: Duration) {
        self.producer.poll(time);
    }

    /// Bytes are not to be had from the client; records in flight are.
    pub(crate) fn in_flight(&self) -> usize {
        use rdkafka::producer::Producer;
        self.producer.in_flight_count().max(0) as usize
    }

    fn queue(
        &self,
        mut record: BaseRecord<'_, str, [u8], Box<Pending>>,
        revoked: &AtomicBool,
    ) -> Result<(), Rejected> {
        loop {
            let (error, back) = match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            let code = error.rdkafka_error_code();
            if code == Some(RDKafkaErrorCode::QueueFull) {
                if revoked.load(Ordering::Relaxed) {
                    return Err(Rejected::Revoked);
                }
                std::thread::sleep(Duration::from_millis(1));
                record = back;
                continue;
            }
            let context = self.producer_context();
            let id = &back.delivery_opaque.id;
            if Class::of(&error) == Class::Poison && back.delivery_opaque.kind.is_some() {
                context.observer.refused(Refused { id, reason: &error });
                return Ok(());
            }
            return Err(Rejected::Failed(Error::Undelivered { id: id.to_string(), reason: error }));
        }
    }

    fn producer_context(&self) -> &Answers {
        use rdkafka::producer::Producer;
        self.producer.context()
    }
}

fn headers(output: &Output) -> OwnedHeaders {
    let offset = output.offset.to_string();
    OwnedHeaders::new_with_capacity(4)
        .insert(Header { key: "id", value: Some(&output.id) })
        .insert(Header { key: "source-offset", value: Some(&offset) })
        .insert(Header { key: "content-type", value: Some("application/json") })
        .insert(Header { key: "schema", value: Some(output.kind.schema()) })
}
