use crate::rarely::TROUBLE;
use crate::{Error, Group, Security};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use std::collections::BTreeMap;

/// How to reach Kafka.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// `host:port` of one or more brokers, separated by commas.
    pub brokers: String,
    /// Properties of librdkafka, given to every client. They override the defaults below, but
    /// those for which there is a [`Connection::refusal`] are left out.
    pub properties: BTreeMap<String, String>,
    /// Who the worker is to the brokers, and how it knows them.
    pub security: Security,
}

/// Of clients that are no members: a `max.poll.interval.ms` for the one that is may not be less.
const UNUSED_SESSION: (&str, &str) = ("session.timeout.ms", "6000");

/// Properties that have a field of their own in the configuration.
const NAMED: [(&str, &str); 6] = [
    ("group.protocol", "kafka.group_protocol"),
    ("group.instance.id", "kafka.instance_id"),
    ("session.timeout.ms", "kafka.session_timeout_ms"),
    ("heartbeat.interval.ms", "kafka.session_timeout_ms"),
    ("partition.assignment.strategy", "kafka.group_protocol"),
    ("group.remote.assignor", "kafka.group_protocol"),
];

impl Connection {
    /// Properties that delivery depends on; they cannot be set from outside.
    pub const RESERVED: [&'static str; 14] = [
        "bootstrap.servers",
        "metadata.broker.list",
        "group.id",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.partition.eof",
        "auto.offset.reset",
        "isolation.level",
        "acks",
        "request.required.acks",
        "enable.idempotence",
        "enable.gapless.guarantee",
        "transactional.id",
        // Lag, and whether brokers are there, are read from the statistics.
        "statistics.interval.ms",
    ];

    /// Brokers at these addresses, separated by commas, that ask for nothing.
    pub fn to(brokers: impl Into<String>) -> Connection {
        Connection { brokers: brokers.into(), ..Connection::default() }
    }

    /// Why a property may not be given, if so.
    pub fn refusal(&self, property: &str) -> Option<String> {
        if Connection::RESERVED.contains(&property) {
            return Some("the worker sets this property itself; remove it".into());
        }
        let named = NAMED.iter().find(|(name, _)| *name == property);
        let instead = named.map(|(_, field)| format!("it follows from {field}; remove it"));
        instead.or_else(|| self.security.refusal(property))
    }

    /// What is wrong with a property that is not refused, if anything.
    pub fn misfit(&self, property: &str, value: &str) -> Option<String> {
        let mut config = ClientConfig::new();
        match config.set(property, value).create_native_config() {
            Err(KafkaError::ClientConfig(_, why, ..)) => Some(why),
            _ => None,
        }
    }

    /// The client that polls the input as a member of `group`.
    pub(crate) fn consumer(&self, group: &Group) -> Result<ClientConfig, Error> {
        let mut config = self.client(&[
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // Where to begin is told for each partition. When that is gone, what was lost is to be
            // found out, and not jumped over.
            ("auto.offset.reset", "error"),
            ("isolation.level", "read_committed"),
            // A fetch answers as soon as there is a byte, or after this long.
            ("fetch.min.bytes", "1"),
            ("fetch.wait.max.ms", "100"),
            // What is fetched ahead; after the queue was full, the next fetch waits the back-off,
            // a whole second by default.
            ("queued.max.messages.kbytes", "8192"),
            // Bytes do not count what the client needs besides, some hundred bytes for a record;
            // so there is a limit to the records too, which an answer should not exceed by much.
            ("queued.min.messages", "20000"),
            ("fetch.message.max.bytes", "262144"),
            ("fetch.max.bytes", "2097152"),
            ("fetch.queue.backoff.ms", "20"),
            ("statistics.interval.ms", "1000"),
        ])?;
        for (name, value) in group.properties() {
            config.set(name, value);
        }
        Ok(config)
    }

    /// The client that reads a whole partition of checkpoints up to its end.
    pub(crate) fn reader(&self) -> Result<ClientConfig, Error> {
        self.client(&[
            // Required by the client; offsets are neither read nor committed.
            ("group.id", "streaming-tda.checkpoints"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_committed"),
            ("enable.partition.eof", "true"),
            ("fetch.wait.max.ms", "20"),
            UNUSED_SESSION,
        ])
    }

    /// The client that sends outputs and checkpoints.
    pub(crate) fn producer(&self) -> Result<ClientConfig, Error> {
        self.client(&[
            ("acks", "all"),
            ("enable.idempotence", "true"),
            ("linger.ms", "1"),
            // What is not delivered waits for the brokers, and the input with it: to give up after a
            // while would lose nothing either, but the worker would have to start again.
            ("message.timeout.ms", "0"),
            ("retry.backoff.ms", "10"),
            ("compression.type", "lz4"),
            // The brake on outputs: bytes, since records are of very different sizes. What waits
            // here is computed again after a crash.
            ("queue.buffering.max.kbytes", "32768"),
            ("queue.buffering.max.messages", "1000000"),
            ("message.max.bytes", "16777216"),
        ])
    }

    /// The client that sends the outputs and checkpoints of one partition in transactions.
    pub(crate) fn transactional(&self, id: &str) -> Result<ClientConfig, Error> {
        let mut config = self.client(&[
            ("acks", "all"),
            ("enable.idempotence", "true"),
            ("linger.ms", "0"),
            // The first request after a commit is refused until the markers of the commit are
            // written; by default it waits a tenth of a second before it tries again.
            ("retry.backoff.ms", "1"),
            ("compression.type", "lz4"),
            ("queue.buffering.max.kbytes", "32768"),
            ("queue.buffering.max.messages", "1000000"),
            ("message.max.bytes", "16777216"),
            // Readers of committed records wait for a transaction that nobody ends for so long.
            ("transaction.timeout.ms", "15000"),
        ])?;
        config.set("transactional.id", id);
        Ok(config)
    }

    /// The client that reads the offsets which `group` has committed. It never joins the group.
    pub(crate) fn onlooker(&self, group: &str) -> Result<ClientConfig, Error> {
        let mut config = self.reader()?;
        config.set("group.id", group);
        Ok(config)
    }

    /// A client of no group, for metadata and administration.
    pub(crate) fn admin(&self) -> Result<ClientConfig, Error> {
        self.client(&[UNUSED_SESSION])
    }

    fn client(&self, defaults: &[(&str, &str)]) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", "streaming-tda-worker");
        config.set("socket.nagle.disable", "true");
        // The property `debug` says what is to be logged in detail.
        let detailed = self.properties.contains_key("debug");
        config.set_log_level(if detailed {
            RDKafkaLogLevel::Debug
        } else {
            RDKafkaLogLevel::Notice
        });
        let chosen = self.properties.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let chosen = chosen.filter(|(key, _)| self.refusal(key).is_none());
        for (key, value) in defaults.iter().copied().chain(chosen) {
            config.set(key, value);
        }
        for (key, value) in self.security.properties()? {
            config.set(key, value.reveal());
        }
        Ok(config)
    }
}

/// What a client of librdkafka has to say. Trouble is told of now and then: each connection of each
/// client has the same.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    let is_trouble = (level as i32) <= RDKafkaLogLevel::Warning as i32;
    let left_out = if is_trouble { TROUBLE.says(message) } else { Some(0) };
    let Some(left_out) = left_out else {
        return tracing::debug!(facility, "{message}");
    };
    let left_out = (left_out > 0).then_some(left_out);
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => tracing::error!(facility, left_out, "{message}"),
        RDKafkaLogLevel::Warning => tracing::warn!(facility, left_out, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(facility, "{message}"),
        RDKafkaLogLevel::Debug => tracing::debug!(facility, "{message}"),
    }
}

/// What a client has to say of an error while it goes on by itself.
pub(crate) fn tell(doing: &str, error: &KafkaError, reason: &str) {
    match TROUBLE.says(&format!("{doing} {error} {reason}")) {
        Some(left_out) => {
            let left_out = (left_out > 0).then_some(left_out);
            tracing::warn!(%error, reason, left_out, "{doing}, trying again");
        }
        None => tracing::debug!(%error, reason, "{doing}, trying again"),
    }
}

/// A client that has nothing to do with what librdkafka tells, but to log it.
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }
}

impl ConsumerContext for Quiet {}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    /// What fails makes its transaction fail.
    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
