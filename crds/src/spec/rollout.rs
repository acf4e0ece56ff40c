use crate::schema::{rule, rule_at};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a changed spec is brought into force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule(
        "self.strategy == 'Progressive' || !(has(self.stage) || has(self.shadow) || \
         has(self.steps) || has(self.bakeSeconds) || has(self.standbyReplicas) || \
         has(self.maxPartitionsInFlight) || has(self.releaseTimeoutSeconds) || \
         has(self.analysis) || has(self.rollback))",
        "stage, shadow, steps, bakeSeconds, standbyReplicas, maxPartitionsInFlight, \
         releaseTimeoutSeconds, analysis and rollback belong to strategy: Progressive; remove them",
    ),
    rule_at(
        "steps",
        "self.strategy != 'Progressive' || has(self.steps)",
        "strategy Progressive needs at least one step, such as steps: [{share: 10}, {share: 100}]",
    ),
    rule_at(
        "steps",
        "!has(self.steps) || (self.steps.map(s, s.share).isSorted() && self.steps.all(s, \
         self.steps.exists_one(t, t.share == s.share)) && self.steps[size(self.steps) - 1].share \
         == 100)",
        "the shares of steps rise from one to the next, and the last is 100",
    ),
]))]
pub struct Rollout {
    /// Whether a new revision takes over at once, or stage by stage. Default: AllAtOnce.
    pub strategy: Strategy,
    /// Whether nothing is brought into force for the time being. Default: false.
    pub paused: bool,
    /// After how long without progress a rollout counts as stalled, in seconds, up to a day.
    /// Default: 600.
    #[schemars(range(min = 10, max = 86_400))]
    pub progress_deadline_seconds: i32,
    /// Old revisions that are remembered, from 0 to 50. Default: 5.
    #[schemars(range(min = 0, max = 50))]
    pub revision_history_limit: i32,
    /// How far a new revision may go by itself. Default: Prod.
    pub stage: Option<Stage>,
    /// What is done before any partition is moved. Default: nothing.
    pub shadow: Option<Shadow>,
    /// The shares of the partitions that a new revision is trusted with, from 1 to 20 steps.
    #[schemars(length(min = 1, max = 20), extend("x-kubernetes-list-type" = "atomic"))]
    pub steps: Option<Vec<Step>>,
    /// For how long a promoted revision is watched before the old one goes, in seconds, up to a
    /// week. Default: 1800.
    #[schemars(range(min = 0, max = 604_800))]
    pub bake_seconds: Option<i32>,
    /// Pods of the old revision that are kept warm meanwhile. Default: 1.
    #[schemars(range(min = 0, max = 10_000))]
    pub standby_replicas: Option<i32>,
    /// Partitions that change hands at the same time. Default: 4.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_partitions_in_flight: Option<i32>,
    /// How long a revision may take to let go of a partition, in seconds, up to ten minutes.
    /// Default: 10.
    #[schemars(range(min = 1, max = 600))]
    pub release_timeout_seconds: Option<i32>,
    /// How a new revision is judged. Default: by the guards that need no configuration.
    pub analysis: Option<Analysis>,
    /// What happens when it fails. Default: every partition goes back.
    pub rollback: Option<Rollback>,
}

/// How a new revision takes over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Strategy {
    /// The old revision ends, and the new one takes all partitions.
    #[default]
    AllAtOnce,
    /// In shadow first, then with a share of the partitions, then with all.
    Progressive,
}

/// How far a new revision may go by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Stage {
    /// It computes on real input, and its results are not published.
    Shadow,
    /// It is trusted with the shares before the last one.
    Canary,
    /// It is trusted with everything.
    Prod,
}

/// What is done before any partition is moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Shadow {
    /// The share of the partitions that is computed in shadow, in percent. Default: 100.
    #[schemars(range(min = 1, max = 100))]
    pub partitions_percent: i32,
    /// How long it takes at least, in seconds, up to a week. Default: 600.
    #[schemars(range(min = 0, max = 604_800))]
    pub min_seconds: i32,
    /// Records that it takes at least. Default: 10000.
    #[schemars(range(min = 0))]
    pub min_records: i64,
    /// What becomes of its results. Default: Discard.
    pub output: ShadowOutput,
}

/// What becomes of the results of a shadow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ShadowOutput {
    /// They are compared and dropped.
    #[default]
    Discard,
    /// They are compared, and sent to the topics of the outputs with `.shadow` behind the name.
    Divert,
}

/// One step of a rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The share of the partitions, in percent, from 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub share: i32,
    /// How long it takes at least, in seconds, up to a week. Default: 600.
    #[serde(default = "ten_minutes")]
    #[schemars(range(min = 0, max = 604_800))]
    pub min_seconds: i32,
    /// Records that it takes at least. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub min_records: i64,
    /// Whether the next step waits for a person. Default: false.
    #[serde(default)]
    pub pause: bool,
}

/// How a new revision is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [rule_at(
    "metrics",
    "has(self.prometheus) || self.metrics.all(m, !has(m.query))",
    "a metric with a query is asked of a Prometheus: name its address in analysis.prometheus",
)]))]
pub struct Analysis {
    /// How often the metrics are looked at, in seconds, up to an hour. Default: 30.
    #[schemars(range(min = 1, max = 3600))]
    pub interval_seconds: i32,
    /// Failures one after another until a metric has failed. Default: 3.
    #[schemars(range(min = 1, max = 1000))]
    pub failure_limit: i32,
    /// What to do when a metric has had no data for `noDataDeadlineSeconds`. Default: Hold.
    pub no_data: NoData,
    /// After how long without data that is done, in seconds, up to a day. Default: 600.
    #[schemars(range(min = 1, max = 86_400))]
    pub no_data_deadline_seconds: i32,
    /// The Prometheus that queries are asked of. Default: none.
    pub prometheus: Option<Prometheus>,
    /// What is looked at besides the guards, at most 32 metrics. Default: nothing.
    #[schemars(
        length(max = 32),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub metrics: Vec<Metric>,
}

/// What to do without data. It never promotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoData {
    /// Nothing, until there is some.
    #[default]
    Hold,
    /// Every partition goes back.
    Rollback,
}

/// A Prometheus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Prometheus {
    /// Such as `http://prometheus.monitoring:9090`.
    #[schemars(length(min = 1, max = 2048))]
    pub address: String,
    /// How long an answer may take, in seconds, up to a minute. Default: 10.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 60))]
    pub timeout_seconds: i32,
}

/// Something that is measured of a revision, and what it may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    rule(
        "has(self.builtin) != has(self.query)",
        "name either builtin, a metric of the workers, or query, one of Prometheus",
    ),
    rule(
        "has(self.max) != has(self.maxIncreasePercent)",
        "name either max, a value, or maxIncreasePercent, over the stable revision",
    ),
    rule(
        "!has(self.floor) || has(self.maxIncreasePercent)",
        "floor belongs to maxIncreasePercent: remove one, or name the other",
    ),
    rule(
        "!has(self.builtin) || self.builtin != 'ShadowDivergence' || (has(self.stages) && \
         self.stages == ['Shadow'])",
        "ShadowDivergence is known in shadow only: set stages: [Shadow]",
    ),
]))]
pub struct Metric {
    /// Its name in status and events.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// A metric that the workers have themselves.
    #[serde(default)]
    pub builtin: Option<Builtin>,
    /// An expression of PromQL that gives one number; `$(revision)` and `$(interval)` stand for
    /// the revision and the interval.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096))]
    pub query: Option<String>,
    /// The largest value that passes, in the unit of the metric; times are in seconds.
    #[serde(default)]
    pub max: Option<f64>,
    /// By how much more than of the stable revision the value may be, in percent.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub max_increase_percent: Option<f64>,
    /// A value up to which any increase passes, in the unit of the metric. Default: none.
    #[serde(default)]
    pub floor: Option<f64>,
    /// Samples of this revision below which there is no verdict. Default: 500.
    #[serde(default = "five_hundred")]
    #[schemars(range(min = 1))]
    pub min_samples: i64,
    /// The stages in which it is looked at. Default: all.
    #[serde(default)]
    #[schemars(length(min = 1, max = 2), extend("x-kubernetes-list-type" = "set"))]
    pub stages: Option<Vec<Tested>>,
    /// Whether a stage passes only with this metric. Default: true.
    #[serde(default = "yes")]
    pub required: bool,
}

/// A stage in which metrics are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Tested {
    /// While its results are not published.
    Shadow,
    /// While it is trusted with partitions.
    Canary,
}

/// A metric that the workers have themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Builtin {
    /// Records that failed, as a share of all.
    ErrorRatio,
    /// The 95th percentile of the time from a record to its result, in seconds.
    LatencyP95,
    /// The 99th percentile of the same, in seconds.
    LatencyP99,
    /// How far the revision is behind, in seconds.
    LagSeconds,
    /// Records that became dead letters, as a share of all.
    DeadLetterRatio,
    /// Memory in use, in bytes.
    MemoryBytes,
    /// The bottleneck distance from the diagrams of the stable revision.
    ShadowDivergence,
    /// Alerts in a minute.
    AlertRate,
}

/// What happens when a new revision fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [rule(
    "!has(self.maxReprocessRecords) || self.outputPolicy == 'Reprocess'",
    "maxReprocessRecords belongs to outputPolicy: Reprocess; remove one, or set the other",
)]))]
pub struct Rollback {
    /// Whether partitions go back by themselves. Default: true.
    pub enabled: bool,
    /// What becomes of results that the failed revision has published. Default: Keep.
    pub output_policy: OutputPolicy,
    /// Records that are computed again at most. Default: 1000000.
    #[schemars(range(min = 0))]
    pub max_reprocess_records: Option<i64>,
}

/// What becomes of results that a failed revision has published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OutputPolicy {
    /// They stay; their headers name the revision.
    #[default]
    Keep,
    /// The stable revision computes them again, under the same ids.
    Reprocess,
}

impl Default for Rollout {
    fn default() -> Rollout {
        Rollout {
            strategy: Strategy::AllAtOnce,
            paused: false,
            progress_deadline_seconds: 600,
            revision_history_limit: 5,
            stage: None,
            shadow: None,
            steps: None,
            bake_seconds: None,
            standby_replicas: None,
            max_partitions_in_flight: None,
            release_timeout_seconds: None,
            analysis: None,
            rollback: None,
        }
    }
}

impl Default for Shadow {
    fn default() -> Shadow {
        Shadow {
            partitions_percent: 100,
            min_seconds: 600,
            min_records: 10_000,
            output: ShadowOutput::Discard,
        }
    }
}

impl Default for Analysis {
    fn default() -> Analysis {
        Analysis {
            interval_seconds: 30,
            failure_limit: 3,
            no_data: NoData::Hold,
            no_data_deadline_seconds: 600,
            prometheus: None,
            metrics: Vec::new(),
        }
    }
}

impl Default for Rollback {
    fn default() -> Rollback {
        Rollback { enabled: true, output_policy: OutputPolicy::Keep, max_reprocess_records: None }
    }
}

fn ten() -> i32 {
    10
}

fn ten_minutes() -> i32 {
    600
}

fn five_hundred() -> i64 {
    500
}

fn yes() -> bool {
    true
}
