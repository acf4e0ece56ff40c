use super::{Broker, Security, Topic};
use crate::schema::{rule, rule_at};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where points come from and results go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct Kafka {
    /// `host:port` of brokers, from 1 to 32; the others of the cluster are found through them.
    #[schemars(length(min = 1, max = 32), extend("x-kubernetes-list-type" = "set"))]
    pub brokers: Vec<Broker>,
    /// The consumer group in which offsets are committed. It cannot be changed. Default:
    /// `<namespace>.<name>` of the resource.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub group: Option<String>,
    /// The topic of the points. It cannot be changed.
    pub input: Topic,
    /// The topics of the results.
    #[serde(default)]
    pub outputs: Outputs,
    /// What becomes of records that give no points.
    #[serde(default)]
    pub dead_letters: DeadLetters,
    /// What is promised about results when workers, brokers or the network fail. Default:
    /// AtLeastOnce.
    #[serde(default)]
    pub delivery: Delivery,
    /// Who assigns the partitions of the group. Default: Classic.
    #[serde(default)]
    pub group_protocol: GroupProtocol,
    /// After how long without a sign of life a worker's partitions are given to others, in
    /// milliseconds, from 6000 to 10000; with `groupProtocol: Consumer`, the brokers say so.
    /// Default: 6000.
    #[serde(default)]
    #[schemars(range(min = 6000, max = 10_000))]
    pub session_timeout_milliseconds: Option<i32>,
    /// Who the workers are to the brokers, and how they know them. Default: neither is asked.
    #[serde(default)]
    pub security: Security,
    /// When the input waits because of what becomes of it.
    #[serde(default)]
    pub breaker: Breaker,
    /// Properties of librdkafka for every client, at most 64, as `name: value`. Those on which
    /// delivery depends, and secrets, are refused. Default: none.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {
        "type": "string", "maxLength": 1024
    }))]
    pub properties: BTreeMap<String, String>,
}

/// What is promised about results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Delivery {
    /// None is lost. Some may come again after a failure, with the same id and the same bytes.
    #[default]
    AtLeastOnce,
    /// None is lost, and readers with `isolation.level: read_committed` see none again.
    ExactlyOnce,
}

/// Who assigns the partitions of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GroupProtocol {
    /// One of its members.
    #[default]
    Classic,
    /// The brokers (KIP-848, Kafka 4.0 and later).
    Consumer,
}

/// The topics of the results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Outputs {
    /// Persistence diagrams, one record an emission. Default: `<input>.diagrams`.
    pub diagrams: Option<Topic>,
    /// Features and scores, one record an emission of a scale with detection. Default:
    /// `<input>.features`.
    pub features: Option<Topic>,
    /// Alerts. Default: `<input>.alerts`.
    pub alerts: Option<Topic>,
    /// Whether every result has the headers of a CloudEvent too. Default: false.
    pub cloud_events: bool,
}

/// What becomes of records that give no points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("x-kubernetes-validations" = [rule(
    "self.enabled || (!has(self.topic) && size(self.headers) == 0)",
    "dead letters are not kept: remove topic and headers, or set enabled: true",
)]))]
pub struct DeadLetters {
    /// Whether they are kept, as they were and with the reason in their headers. Without, they are
    /// only counted and logged. Default: true.
    pub enabled: bool,
    /// Their topic; made if it does not exist. Default: `<input>.dead-letters`.
    pub topic: Option<Topic>,
    /// Headers of other tools that are added too. Default: none.
    #[schemars(length(max = 2), extend("x-kubernetes-list-type" = "set"))]
    pub headers: Vec<Dialect>,
}

/// Headers by which other tools know a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Dialect {
    /// `__connect.errors.*` of Kafka Connect: text.
    KafkaConnect,
    /// `kafka_dlt-*` of Spring for Apache Kafka: text, and numbers in big-endian bytes.
    Spring,
}

/// When the input has to wait, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [rule_at(
    "backoffMaxMilliseconds",
    "self.backoffMilliseconds <= self.backoffMaxMilliseconds",
    "backoffMaxMilliseconds must be at least backoffMilliseconds",
)]))]
pub struct Breaker {
    /// Deliveries that fail one after another until the input waits, from 1 to 1000000. Default: 3.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub failures: i32,
    /// How long an output may wait for its acknowledgement until the input waits too, in
    /// milliseconds, up to a day. Default: 10000.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub unacknowledged_milliseconds: i32,
    /// How long no broker may be reached until the input waits, in milliseconds, up to a day.
    /// Default: 2000.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub brokers_down_milliseconds: i32,
    /// How many records may be dead letters until the input waits.
    pub dead_letters: DeadLetterLimits,
    /// How long the input waits at least, in milliseconds, up to a day; twice as long after each try
    /// that fails. Default: 1000.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub backoff_milliseconds: i32,
    /// The longest back-off, in milliseconds, up to a day. Default: 30000.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub backoff_max_milliseconds: i32,
}

/// How many records may be dead letters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DeadLetterLimits {
    /// The share of the records that is too much, above 0; above 1 never is. Default: 0.5.
    #[schemars(extend("minimum" = 0, "exclusiveMinimum" = true))]
    pub share: f64,
    /// The time over which records are counted, in milliseconds, up to a day. Default: 10000.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub window_milliseconds: i32,
    /// Fewer records than this in that time say nothing. Default: 100.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub least: i32,
}

impl Default for DeadLetters {
    fn default() -> DeadLetters {
        DeadLetters { enabled: true, topic: None, headers: Vec::new() }
    }
}

impl Default for Breaker {
    fn default() -> Breaker {
        Breaker {
            failures: 3,
            unacknowledged_milliseconds: 10_000,
            brokers_down_milliseconds: 2000,
            dead_letters: DeadLetterLimits::default(),
            backoff_milliseconds: 1000,
            backoff_max_milliseconds: 30_000,
        }
    }
}

impl Default for DeadLetterLimits {
    fn default() -> DeadLetterLimits {
        DeadLetterLimits { share: 0.5, window_milliseconds: 10_000, least: 100 }
    }
}

/// Properties of librdkafka that the worker sets itself.
pub const RESERVED: [&str; 14] = [
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
    "statistics.interval.ms",
];

/// Properties of librdkafka that have fields of their own.
pub const NAMED: [&str; 6] = [
    "group.protocol",
    "group.instance.id",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "partition.assignment.strategy",
    "group.remote.assignor",
];

/// Properties of librdkafka that hold secrets.
pub const SECRET: [&str; 10] = [
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
    "ssl_key",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.config",
];

/// Properties of librdkafka that `security` sets.
pub const SECURITY: [&str; 8] = [
    "security.protocol",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.keystore.location",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
];

fn rules() -> Vec<serde_json::Value> {
    let none_of = |names: &[&str]| format!("self.properties.all(p, !(p in {names:?}))");
    vec![
        rule_at(
            "input",
            "self.input == oldSelf.input",
            "input cannot be changed, since offsets and checkpoints belong to it: create another \
             StreamingTDA",
        ),
        rule(
            "has(self.group) == has(oldSelf.group) && (!has(self.group) || self.group == \
             oldSelf.group)",
            "group cannot be changed, since the offsets are committed in it: create another \
             StreamingTDA",
        ),
        rule(
            "self.groupProtocol != 'Consumer' || !has(self.sessionTimeoutMilliseconds)",
            "with groupProtocol Consumer the brokers decide about the session: remove \
             sessionTimeoutMilliseconds, and set group.consumer.session.timeout.ms there",
        ),
        rule_at(
            "properties",
            &none_of(&RESERVED),
            "delivery depends on one of these properties, and the workers set it themselves: remove \
             it; the fields of kafka say what can be chosen",
        ),
        rule_at(
            "properties",
            &none_of(&NAMED),
            "one of these properties follows from groupProtocol and sessionTimeoutMilliseconds: \
             remove it, and set those",
        ),
        rule_at(
            "properties",
            &none_of(&SECRET),
            "a secret does not belong into a resource: put it into a Secret, and name that in \
             kafka.security",
        ),
        rule_at(
            "properties",
            &format!(
                "(!has(self.security.tls) && !has(self.security.sasl)) || {}",
                none_of(&SECURITY)
            ),
            "kafka.security says what one of these properties says too: remove one of the two",
        ),
    ]
}
