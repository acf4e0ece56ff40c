use crate::class::{is_not_signed_in, is_turned_away};
use crate::connection::log;
use crate::topics::TIMEOUT;
use crate::{Class, Connection, Error};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::metadata::Metadata;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one attempt may take: what went wrong is looked at in between.
const ATTEMPT: Duration = Duration::from_secs(1);

/// A client that asks for metadata, and that knows why when nobody answers.
pub(crate) struct Contact {
    brokers: String,
    client: BaseConsumer<Witness>,
}

/// Remembers what went wrong last.
#[derive(Default)]
struct Witness {
    last: Mutex<Option<(KafkaError, String)>>,
}

impl ClientContext for Witness {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // That all brokers are down follows from something that was said before.
        if last.is_none() || !reason.contains("brokers are down") {
            *last = Some((error, reason.into()));
        }
    }
}

impl ConsumerContext for Witness {}

impl Contact {
    pub(crate) fn new(connection: &Connection) -> Result<Contact, Error> {
        let client = connection.admin()?.create_with_context(Witness::default());
        let client = client.map_err(Error::kafka("make a client of Kafka"))?;
        Ok(Contact { brokers: connection.brokers.clone(), client })
    }

    /// What the brokers know of a topic, or of all.
    pub(crate) fn metadata(&self, topic: Option<&str>) -> Result<Metadata, Error> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let error = match self.client.fetch_metadata(topic, ATTEMPT) {
                Ok(metadata) => return Ok(metadata),
                Err(error) => error,
            };
            let (cause, reason) = self.cause(error);
            let is_lost = is_not_signed_in(&cause) && !is_turned_away(&cause, &reason);
            let may_pass = is_lost || Class::of(&cause) == Class::Retriable;
            if !may_pass || Instant::now() > deadline {
                let (brokers, cause) = (self.brokers.clone(), Box::new(cause));
                return Err(Error::Unreachable { brokers, reason, cause });
            }
        }
    }

    /// What is behind an error: what the client said while it tried, if anything.
    fn cause(&self, error: KafkaError) -> (KafkaError, String) {
        while self.client.poll(Duration::ZERO).is_some() {}
        let last = self.client.context().last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone().unwrap_or_else(|| (error.clone(), error.to_string()))
    }
}
