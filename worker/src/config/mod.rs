//! What a worker is told to do, as YAML.

mod check;
mod conform;
mod load;
mod properties;
mod scale;

use mesh::breaker::Limits;
use mesh::dead_letters::Dialect;
use mesh::schema::Kind;
use mesh::{Connection, Group, Protocol, Security};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub use check::{Problem, Problems};
pub use scale::{Auto, Calibration, Deviations, Embedding, Found, Radius, Scale, Unbounded};

/// The configuration of `streaming-tda-worker run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where points come from and results go to.
    pub kafka: Kafka,
    /// How the records of the input are read.
    #[serde(default)]
    pub input: mesh::schema::Input,
    /// What the points are like.
    #[serde(default)]
    pub series: Series,
    /// The ways in which each series is looked at; at least one.
    pub scales: Vec<Scale>,
    /// Metrics and health.
    #[serde(default)]
    pub http: Http,
    /// Threads and queues.
    #[serde(default)]
    pub compute: Compute,
}

/// Where points come from and results go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// `host:port` of one or more brokers, separated by commas.
    pub brokers: String,
    /// The consumer group, which shares the partitions of the input among its workers. Default:
    /// `streaming-tda`.
    #[serde(default = "default_group")]
    pub group: String,
    /// The topic of the points.
    pub input: String,
    /// The topics of the results.
    #[serde(default)]
    pub outputs: Outputs,
    /// What becomes of records that give no points.
    #[serde(default)]
    pub dead_letters: DeadLetters,
    /// The topic in which the worker remembers where it was; made, compacted, if it does not
    /// exist. Default: `<input>.checkpoints`.
    #[serde(default)]
    pub checkpoints: Option<String>,
    /// What is promised about results when workers, brokers or the network fail. Default:
    /// `at_least_once`.
    #[serde(default)]
    pub delivery: Guarantee,
    /// How often a partition's place is remembered, in milliseconds; after a crash, at most this
    /// much is computed again. Default: 5000.
    #[serde(default = "default_checkpoint_ms")]
    pub checkpoint_ms: u64,
    /// What to do when records that are needed were deleted, as by retention: `begin_anew` with
    /// the series that need them, or `fail`. Default: `begin_anew`.
    #[serde(default = "begin_anew")]
    pub on_lost_points: Answer,
    /// What to do when the input is another topic than before, under the same name: `fail`, or
    /// `begin_anew` at its first record. Default: `fail`.
    #[serde(default = "fail")]
    pub on_recreated_input: Answer,
    /// Who assigns the partitions of the group: `classic`, one of its members; or `consumer`, the
    /// broker (KIP-848, Kafka 4.0 and later), which also decides after how long a silent member
    /// loses its partitions: 45 s unless the broker says otherwise. Default: classic.
    #[serde(default)]
    pub group_protocol: Protocol,
    /// The name under which this worker is known to the group over its restarts (static
    /// membership); no two workers may have the same. A worker that stops keeps its partitions, and
    /// nobody computes them until it is back or its session is over; one that never comes back
    /// costs a session. Default: none, each start is a new member.
    #[serde(default)]
    pub instance_id: Option<String>,
    /// After how long without a sign of life the worker's partitions are given to others, in
    /// milliseconds, from 6000 to 10000; with `group_protocol: consumer`, the broker says so.
    /// Default: 6000.
    #[serde(default)]
    pub session_timeout_ms: Option<u64>,
    /// Who the worker is to the brokers, and how it knows them. Default: neither is asked.
    #[serde(default)]
    pub security: Security,
    /// When the input waits because of what becomes of it.
    #[serde(default)]
    pub breaker: Limits,
    /// Properties of librdkafka for every client, as `name: value`; secrets do not belong here, but
    /// into files that `security` names. Default: none.
    #[serde(default, deserialize_with = "properties::read")]
    #[schemars(with = "BTreeMap<String, properties::Scalar>")]
    pub properties: BTreeMap<String, String>,
}

/// What is promised about results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// None is lost. Some may come again after a failure, with the same id and the same bytes.
    #[default]
    AtLeastOnce,
    /// None is lost, and readers with `isolation.level: read_committed` see none again. Results
    /// become visible to them with the end of a transaction.
    ExactlyOnce,
}

impl From<Guarantee> for mesh::Guarantee {
    fn from(guarantee: Guarantee) -> mesh::Guarantee {
        match guarantee {
            Guarantee::AtLeastOnce => mesh::Guarantee::AtLeastOnce,
            Guarantee::ExactlyOnce => mesh::Guarantee::ExactlyOnce,
        }
    }
}

/// What to do when the world has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// End with an error.
    Fail,
    /// Say so, and begin anew.
    BeginAnew,
}

/// The topics of the results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outputs {
    /// Persistence diagrams, one record an emission. Default: `<input>.diagrams`.
    pub diagrams: Option<String>,
    /// Features and scores, one record an emission of a scale with detection. Default:
    /// `<input>.features`.
    pub features: Option<String>,
    /// Alerts. Default: `<input>.alerts`.
    pub alerts: Option<String>,
    /// Whether every result has the headers of a CloudEvent too. Default: false.
    pub cloud_events: bool,
}

/// What becomes of records that give no points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeadLetters {
    /// Whether they are kept, as they were and with the reason in their headers. Without, they are
    /// only counted and logged. Default: true.
    pub enabled: bool,
    /// Their topic; made if it does not exist. Default: `<input>.dead-letters`.
    pub topic: Option<String>,
    /// Headers of other tools that are added too: kafka_connect, spring. Default: none.
    pub headers: Vec<Dialect>,
}

/// What the points are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Series {
    /// Numbers in a point. Default: 1.
    pub dimension: usize,
    /// Filters before everything else.
    pub preprocess: Preprocess,
    /// Series that are held at once, over all partitions of the input. Each partition holds an
    /// equal share and forgets the series that it has not seen for longest. Default: 1000.
    pub max: usize,
    /// Bytes in the largest record that is read. Default: 65536.
    pub max_record_bytes: usize,
}

/// Filters before everything else, in this order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preprocess {
    /// Keep every n-th sample of the low-passed series. Default: none.
    pub decimate: Option<usize>,
    /// Subtract the running median of so many samples, counted after `decimate`. Default: none.
    pub high_pass: Option<usize>,
}

/// Metrics and health.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port for `/metrics`, `/status`, `/health/live` and `/health/ready`. Default:
    /// `127.0.0.1:9464`.
    #[schemars(extend("format" = "host:port"))]
    pub listen: SocketAddr,
}

/// Threads and queues.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Compute {
    /// Threads that compute. Default: as many as the machine or the container has cores.
    pub threads: Option<usize>,
    /// Bytes of records that may wait for one thread. Default: 4194304.
    pub queue_bytes: Option<usize>,
    /// How long the records of a batch may take to be computed, in milliseconds; batches become
    /// smaller when they take longer, and larger when they do not. Default: 5.
    pub latency_goal_ms: Option<u64>,
}

impl Kafka {
    /// The topic of a kind of output.
    pub fn output(&self, kind: Kind) -> String {
        let chosen = match kind {
            Kind::Diagrams => &self.outputs.diagrams,
            Kind::Features => &self.outputs.features,
            Kind::Alerts => &self.outputs.alerts,
        };
        chosen.clone().unwrap_or_else(|| format!("{}.{kind}", self.input))
    }

    /// The topic of the dead letters, if they are kept.
    pub fn dead_letters(&self) -> Option<String> {
        let DeadLetters { enabled, topic, .. } = &self.dead_letters;
        let default = || format!("{}.dead-letters", self.input);
        enabled.then(|| topic.clone().unwrap_or_else(default))
    }

    /// The topic of the checkpoints.
    pub fn checkpoints(&self) -> String {
        self.checkpoints.clone().unwrap_or_else(|| format!("{}.checkpoints", self.input))
    }

    /// How to reach the brokers.
    pub fn connection(&self) -> Connection {
        Connection {
            brokers: self.brokers.clone(),
            properties: self.properties.clone(),
            security: self.security.clone(),
        }
    }

    /// How the worker is a member of its group.
    pub fn membership(&self) -> Group {
        Group {
            name: self.group.clone(),
            protocol: self.group_protocol,
            instance: self.instance_id.clone(),
            session: self.session_timeout_ms.map_or(Group::SESSION, Duration::from_millis),
        }
    }
}

impl Compute {
    /// Threads that compute.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores)
    }

    /// How long the records of a batch may take to be computed.
    pub fn latency_goal(&self) -> Duration {
        Duration::from_millis(self.latency_goal_ms.unwrap_or(5))
    }

    /// Bytes of records that may wait for one thread.
    pub fn queue_bytes(&self) -> usize {
        self.queue_bytes.unwrap_or(4 << 20)
    }
}

impl Default for DeadLetters {
    fn default() -> DeadLetters {
        DeadLetters { enabled: true, topic: None, headers: Vec::new() }
    }
}

impl Default for Series {
    fn default() -> Series {
        Series {
            dimension: 1,
            preprocess: Preprocess::default(),
            max: 1000,
            max_record_bytes: 65_536,
        }
    }
}

impl Default for Http {
    fn default() -> Http {
        Http { listen: SocketAddr::from(([127, 0, 0, 1], 9464)) }
    }
}

fn default_group() -> String {
    "streaming-tda".into()
}

fn begin_anew() -> Answer {
    Answer::BeginAnew
}

fn fail() -> Answer {
    Answer::Fail
}

fn default_checkpoint_ms() -> u64 {
    5000
}
