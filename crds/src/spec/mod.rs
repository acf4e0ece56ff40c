//! What a user writes.
// Columns share types and priorities.
#![allow(clippy::duplicated_attributes)]

mod autoscaling;
mod detection;
mod engine;
mod flags;
mod image;
mod input;
mod kafka;
mod names;
mod observability;
mod pod;
mod resources;
mod rollout;
mod scale;
mod security;
mod series;
mod slo;
mod source;
mod state;

pub use autoscaling::Autoscaling;
pub use detection::{Channel, Detection, LoopScore, Span};
pub use engine::{Engine, EngineMode};
pub use flags::Flags;
pub use image::{Image, PullPolicy};
pub use input::{Codec, Fields, Framing, Input, Registry, TimeBounds, TimeUnit, Values};
pub use kafka::{
    Breaker, DeadLetterLimits, DeadLetters, Delivery, Dialect, GroupProtocol, Kafka, NAMED,
    Outputs, RESERVED, SECRET, SECURITY,
};
pub use names::{Broker, Topic};
pub use observability::{LogLevel, NetworkPolicy, Observability, ServiceMonitor, Tracing};
pub use pod::{
    DisruptionBudget, Pod, Toleration, TolerationEffect, TolerationOperator, Unavailable,
};
pub use resources::{Amounts, Quantity, Resources};
pub use rollout::{
    Analysis, Builtin, Metric, NoData, OutputPolicy, Prometheus, Rollback, Rollout, Shadow,
    ShadowOutput, Stage, Step, Strategy, Tested,
};
pub use scale::{Auto, Calibration, Embedding, Radius, Scale};
pub use security::{Mechanism, Sasl, Security, Tls};
pub use series::{Preprocess, Series};
pub use slo::{Indicator, IndicatorType, Slo};
pub use source::{FileSource, KeyRef, SecretSource};
pub use state::{Answer, State};

use crate::schema::{rule, rule_at};
use crate::status::StreamingTDAStatus;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Watches the shape of live data: reads points from a topic of Kafka, keeps sliding windows over
/// them at several scales, and sends persistence diagrams, features and alerts to other topics.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "streamingtda.io",
    version = "v1alpha1",
    kind = "StreamingTDA",
    singular = "streamingtda",
    plural = "streamingtdas",
    shortname = "stda",
    category = "all",
    category = "tda",
    namespaced,
    schema = "disabled",
    status = "StreamingTDAStatus",
    derive = "PartialEq",
    doc = "Watches the shape of live data: a topic of points in, persistence diagrams, features and \
           alerts out.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Stable",
        type_ = "string",
        json_path = ".status.stableRevision",
        description = "The revision that is trusted with every partition"
    ),
    printcolumn(
        name = "Candidate",
        type_ = "string",
        json_path = ".status.candidateRevision",
        description = "The revision that is to take its place"
    ),
    printcolumn(
        name = "Pods",
        type_ = "integer",
        json_path = ".status.readyReplicas",
        description = "Worker pods that are ready"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#,
        description = "Whether the spec is in force and serves"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Owned",
        type_ = "integer",
        json_path = ".status.partitions.owned",
        priority = 1,
        description = "Partitions of the input that a worker owns"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        priority = 1,
        description = "Why it is ready, or why it is not"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1,
        description = "The same in words"
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct StreamingTDASpec {
    /// Worker pods. More than the input has partitions have nothing to do. Not used with
    /// `autoscaling`. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 10_000))]
    pub replicas: i32,
    /// The image of the workers. Default: the one that the operator was installed with.
    #[serde(default)]
    pub image: Image,
    /// Where points come from and results go to.
    pub kafka: Kafka,
    /// How the records of the input are read.
    #[serde(default)]
    pub input: Input,
    /// What the points are like.
    #[serde(default)]
    pub series: Series,
    /// The ways in which each series is looked at, from 1 to 16, each under a name of its own.
    #[schemars(
        length(min = 1, max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub scales: Vec<Scale>,
    /// How diagrams are computed, and what that may take.
    #[serde(default)]
    pub engine: Engine,
    /// What is remembered, where, and what to do when that no longer fits the world.
    #[serde(default)]
    pub state: State,
    /// What is promised of the results, from 1 to 16 objectives. Default: nothing.
    #[serde(default)]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub slos: Option<Vec<Slo>>,
    /// How a changed spec is brought into force.
    #[serde(default)]
    pub rollout: Rollout,
    /// Feature flags, which change without a new revision. Default: none.
    #[serde(default)]
    pub flags: Option<Flags>,
    /// What a worker pod asks of its node. Default: from what the scales need.
    #[serde(default)]
    pub resources: Option<Resources>,
    /// What else its pods are given.
    #[serde(default)]
    pub pod: Pod,
    /// How many pods may be missing when nodes are emptied.
    #[serde(default)]
    pub disruption_budget: DisruptionBudget,
    /// Lets the operator choose the number of pods by lag and busy time. Default: `replicas` is the
    /// number; an HorizontalPodAutoscaler may set it through the scale subresource.
    #[serde(default)]
    pub autoscaling: Option<Autoscaling>,
    /// Logs, metrics and traces.
    #[serde(default)]
    pub observability: Observability,
    /// Who may talk to the workers, and whom they may talk to.
    #[serde(default)]
    pub network_policy: NetworkPolicy,
    /// What becomes of topics and consumer groups that were made for this resource when it is
    /// deleted. Default: Retain.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// What becomes of topics and consumer groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// They stay, and a resource of the same name takes up where this one was.
    #[default]
    Retain,
    /// They are deleted with the resource.
    Delete,
}

impl StreamingTDA {
    /// The consumer group in which offsets are committed.
    pub fn group(&self) -> String {
        let named = |name: &Option<String>| name.clone().unwrap_or_default();
        let default =
            || format!("{}.{}", named(&self.metadata.namespace), named(&self.metadata.name));
        self.spec.kafka.group.clone().unwrap_or_else(default)
    }
}

fn one() -> i32 {
    1
}

/// What sections have to do with each other.
fn rules() -> Vec<serde_json::Value> {
    let mut rules = vec![
        rule(
            &format!("[{TOPICS}].all(topics, topics.all(t, topics.exists_one(u, u == t)))"),
            "every topic has one role: give kafka.input, kafka.outputs, kafka.deadLetters.topic and \
             state.checkpoints different names; what is left out is the input's name with \
             .diagrams, .features, .alerts, .dead-letters or .checkpoints behind it",
        ),
        rule_at(
            "scales",
            "self.scales.all(s, !has(s.embedding.channels) || \
             s.embedding.channels.all(c, c < self.series.dimension))",
            "embedding.channels names a channel that the points do not have: they are counted from \
             0, and there are series.dimension of them",
        ),
        rule_at(
            "scales",
            "self.scales.all(s, s.embedding.copies * (has(s.embedding.channels) ? \
             size(s.embedding.channels) : self.series.dimension) <= 65536)",
            "a point of a scale has at most 65536 coordinates: take fewer embedding.copies or \
             embedding.channels",
        ),
        rule_at(
            "rollout",
            "self.kafka.delivery == 'ExactlyOnce' || !has(self.rollout.rollback) || \
             self.rollout.rollback.outputPolicy == 'Keep'",
            "rollback.outputPolicy Reprocess needs kafka.delivery: ExactlyOnce; take Keep",
        ),
        rule_at(
            "state",
            "has(self.state.checkpoints) == has(oldSelf.state.checkpoints) && \
             (!has(self.state.checkpoints) || self.state.checkpoints == oldSelf.state.checkpoints)",
            "state.checkpoints cannot be changed, since it holds where the workers are: create \
             another StreamingTDA",
        ),
    ];
    rules.extend(crate::not_yet::rules());
    rules
}

/// The names of all topics, those left out included, as a list in CEL.
const TOPICS: &str = "[self.kafka.input, \
    has(self.kafka.outputs.diagrams) ? self.kafka.outputs.diagrams : self.kafka.input + '.diagrams', \
    has(self.kafka.outputs.features) ? self.kafka.outputs.features : self.kafka.input + '.features', \
    has(self.kafka.outputs.alerts) ? self.kafka.outputs.alerts : self.kafka.input + '.alerts', \
    has(self.state.checkpoints) ? self.state.checkpoints : self.kafka.input + '.checkpoints'] + \
    (!self.kafka.deadLetters.enabled ? [] : [has(self.kafka.deadLetters.topic) ? \
    self.kafka.deadLetters.topic : self.kafka.input + '.dead-letters'])";
