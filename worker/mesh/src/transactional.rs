mod offsets;

#[cfg(test)]
mod tests;

use crate::ack::listen;
use crate::class::{is_full, is_purged, needs_a_person, takes_no_more};
use crate::connection::{log, tell};
use crate::delivery::{Open, Settled, Transactions, Trouble};
use crate::onlooker::Onlooker;
use crate::routes::Routes;
use crate::sink::is_skipped;
use crate::{Class, Connection, Error, Outgoing, Target};
use offsets::Offsets;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext, PurgeConfig};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a call may take before nobody knows what becomes of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a call may take of which a worker may have to let go meanwhile.
const SLICE: Duration = Duration::from_millis(500);
/// How long records in flight may take that are of no use any more.
const DRAIN: Duration = Duration::from_secs(1);
/// Between two looks for answers.
const BREATH: Duration = Duration::from_millis(1);

/// The transactions of one partition of the input, on the brokers.
pub(crate) struct Transactional {
    connection: Connection,
    /// What the brokers fence by.
    id: String,
    partition: i32,
    routes: Arc<Routes>,
    group: Arc<Onlooker>,
    /// None when nothing is known of what the last one left behind.
    producer: Option<Arc<BaseProducer<Answers>>>,
    /// Of that producer.
    offsets: Option<Offsets>,
    /// One whose transactions are being initialised, and since when.
    unready: Option<(BaseProducer<Answers>, Instant)>,
}

/// What the brokers say of the records of a transaction.
#[derive(Default)]
struct Answers(Mutex<Verdicts>);

#[derive(Default)]
struct Verdicts {
    /// Ids of records that will never be accepted, and why.
    refused: Vec<(String, String)>,
    /// What else has kept a record from being accepted.
    failed: Option<KafkaError>,
}

/// A record in flight.
struct Sent {
    to: Target,
    id: Box<str>,
}

impl Answers {
    fn take(&self) -> Verdicts {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hear(&self, sent: &Sent, reason: &KafkaError) {
        let mut verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match is_skipped(sent.to, reason) {
            true => verdicts.refused.push((sent.id.to_string(), reason.to_string())),
            false => _ = verdicts.failed.get_or_insert(reason.clone()),
        }
    }
}

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tell("producing", &error, reason);
    }
}

impl ProducerContext for Answers {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        if let Err((reason, _)) = result {
            self.hear(&sent, reason);
        }
    }
}

impl Transactional {
    /// On behalf of the partitions of the topic that `group` reads, under ids that begin with
    /// `name`.
    pub(crate) fn opener(
        connection: &Connection,
        name: &str,
        routes: Routes,
        group: Arc<Onlooker>,
    ) -> Box<Open> {
        let (connection, name) = (connection.clone(), name.to_owned());
        let routes = Arc::new(routes);
        Box::new(move |partition| {
            Box::new(Transactional {
                connection: connection.clone(),
                id: format!("{name}/{partition}"),
                partition,
                routes: routes.clone(),
                group: group.clone(),
                producer: None,
                offsets: None,
                unready: None,
            })
        })
    }

    fn make(&self) -> Result<BaseProducer<Answers>, Trouble> {
        let mut config = self.connection.transactional(&self.id).map_err(Trouble::Fatal)?;
        self.routes.limit(&mut config);
        let made = config.create_with_context(Answers::default());
        made.map_err(|e| Trouble::Fatal(Error::kafka("make a transactional producer")(e)))
    }

    fn producer(&self) -> Result<&Arc<BaseProducer<Answers>>, Trouble> {
        let missing = || Trouble::Indefinite("transactions are not initialised".into());
        self.producer.as_ref().ok_or_else(missing)
    }

    /// Lets go of the producer. What it has in flight is purged.
    fn discard(&mut self) {
        // The last to hold it has to wait for it.
        self.offsets = None;
        self.producer = None;
    }

    /// A producer whose transactions may be in any state is of no more use.
    fn settled<T>(&mut self, result: Result<T, KafkaError>) -> Result<T, Trouble> {
        let trouble = match (result, &self.producer) {
            (Ok(value), _) => return Ok(value),
            (Err(error), Some(producer)) => trouble(&error, producer),
            (Err(error), None) => Trouble::Indefinite(error.to_string()),
        };
        if !matches!(trouble, Trouble::Abortable(_)) {
            self.discard();
        }
        Err(trouble)
    }
}

impl Transactions for Transactional {
    fn init(&mut self) -> Result<bool, Trouble> {
        // What the former one has in flight is purged before the brokers forget about it.
        self.discard();
        let (made, since) = match self.unready.take() {
            Some(unready) => unready,
            None => (self.make()?, Instant::now()),
        };
        match made.init_transactions(SLICE) {
            Err(KafkaError::Transaction(e)) if e.is_retriable() && since.elapsed() < PATIENCE => {
                self.unready = Some((made, since));
                Ok(false)
            }
            initialised => {
                self.producer = Some(Arc::new(made));
                self.settled(initialised).map(|()| true)
            }
        }
    }

    fn committed(&mut self) -> Result<Option<i64>, Trouble> {
        self.group.committed(self.partition).map_err(|e| Trouble::Indefinite(e.to_string()))
    }

    fn listen(&mut self) {
        if let Some(producer) = &self.producer {
            listen(producer);
        }
    }

    fn begin(&mut self) -> Result<(), Trouble> {
        let begun = self.producer()?.begin_transaction();
        self.settled(begun)
    }

    fn append(&mut self, record: &Outgoing) -> Result<(), Trouble> {
        let producer = self.producer()?;
        let sent = |id: &str| Box::new(Sent { to: record.to, id: id.into() });
        let next = self.routes.record(record, self.partition, sent(&record.id));
        let Some(mut next) = next else { return Ok(()) };
        loop {
            match producer.send(next) {
                Ok(()) => return Ok(()),
                Err((error, back)) if is_full(&error) => {
                    listen(producer);
                    std::thread::sleep(BREATH);
                    next = back;
                }
                Err((error, _)) if is_skipped(record.to, &error) => {
                    producer.context().hear(&sent(&record.id), &error);
                    return Ok(());
                }
                Err((error, _)) => return Err(trouble(&error, producer)),
            }
        }
    }

    fn commit_offset(&mut self, next: i64) -> Result<(), Trouble> {
        let (producer, group) = (self.producer()?.clone(), self.group.clone());
        let make = || Offsets::of(producer.clone(), group);
        let added = match self.group.offset(self.partition, next) {
            Ok(offset) => self.offsets.get_or_insert_with(make).add(offset),
            Err(error) => Some(Err(error)),
        };
        match added {
            Some(added) => self.settled(added),
            None => {
                // Nobody will hear of what it has in flight.
                producer.purge(PurgeConfig::default().queue().inflight());
                self.discard();
                Err(Trouble::Indefinite("the client does not find the group's coordinator".into()))
            }
        }
    }

    fn settle(&mut self) -> Result<Settled, Trouble> {
        let producer = self.producer()?;
        listen(producer);
        // The rest of a transaction that has failed is not answered before it is aborted.
        match producer.context().take() {
            Verdicts { refused, .. } if !refused.is_empty() => Ok(Settled::Refused(refused)),
            Verdicts { failed: Some(error), .. } => Err(trouble(&error, producer)),
            _ if producer.in_flight_count() > 0 => Ok(Settled::Not),
            _ => Ok(Settled::All),
        }
    }

    fn commit(&mut self) -> Result<(), Trouble> {
        let committed = self.producer()?.commit_transaction(PATIENCE);
        match self.settled(committed) {
            // Whatever it is, the brokers may have committed.
            Err(Trouble::Abortable(reason)) => {
                self.discard();
                Err(Trouble::Indefinite(reason))
            }
            other => other,
        }
    }

    fn abort(&mut self) -> Result<Vec<(String, String)>, Trouble> {
        let producer = self.producer()?;
        producer.purge(PurgeConfig::default().queue());
        drain(producer);
        let aborted = producer.abort_transaction(PATIENCE);
        // What was aborted has nothing else to say about what comes.
        drain(producer);
        let Verdicts { refused, failed } = producer.context().take();
        if let Some(error) = failed.filter(|error| !is_purged(error)) {
            tracing::warn!(%error, partition = self.partition, "why a transaction was aborted");
            // Nothing else may tell: the client then says only that it takes no more records.
            if let fatal @ Trouble::Fatal(_) = judge(&error, None) {
                return Err(fatal);
            }
        }
        self.settled(aborted).map(|()| refused)
    }
}

/// Hears what becomes of all that is in flight, if it does not take long.
fn drain(producer: &BaseProducer<Answers>) {
    let deadline = Instant::now() + DRAIN;
    while producer.in_flight_count() > 0 && Instant::now() < deadline {
        listen(producer);
        std::thread::sleep(BREATH);
    }
}

/// What an error of a transaction asks for.
fn trouble(error: &KafkaError, producer: &BaseProducer<Answers>) -> Trouble {
    judge(error, producer.client().fatal_error())
}

/// What an error asks for of a client that has ended for the `fatal` reason, if it has.
fn judge(error: &KafkaError, fatal: Option<(Code, String)>) -> Trouble {
    let code = fatal.as_ref().map(|(code, _)| *code).or(error.rdkafka_error_code());
    let stuck = fatal.is_none() && code.is_some_and(takes_no_more);
    let abortable = matches!(error, KafkaError::Transaction(e) if e.txn_requires_abort());
    let reason = fatal.map_or_else(|| error.to_string(), |(_, reason)| reason);
    weigh(error, code, abortable || stuck, reason)
}

fn weigh(error: &KafkaError, code: Option<Code>, abortable: bool, reason: String) -> Trouble {
    match code {
        // Although the transaction can be aborted, the next one would end like it.
        Some(code) if needs_a_person(code) => {
            Trouble::Fatal(Error::kafka("deliver in a transaction")(error.clone()))
        }
        _ if abortable => Trouble::Abortable(reason),
        Some(code) if Class::of_code(code) == Class::Fenced => Trouble::Fenced(reason),
        _ => Trouble::Indefinite(reason),
    }
}
