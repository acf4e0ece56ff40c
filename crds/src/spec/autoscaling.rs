use crate::schema::rule_at;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lets the operator choose the number of pods: as many as keep lag and busy time at their targets,
/// no more than the input has partitions if `minReplicas` does not say so, and the same as before
/// while not every worker tells its load. It begins with the pods that there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule_at(
    "maxReplicas",
    "self.minReplicas <= self.maxReplicas",
    "maxReplicas must be at least minReplicas",
)]))]
pub struct Autoscaling {
    /// The least number of pods. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10_000))]
    pub min_replicas: i32,
    /// The greatest number of pods.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_replicas: i32,
    /// How far a partition may be behind its end, in seconds, up to a day, until there are more pods.
    /// Default: 30.
    #[serde(default = "thirty")]
    #[schemars(range(min = 1, max = 86_400))]
    pub target_lag_seconds: i32,
    /// The share of its time for which a thread should compute, in percent, from 1 to 95. Default:
    /// 70.
    #[serde(default = "seventy")]
    #[schemars(range(min = 1, max = 95))]
    pub target_busy_percent: i32,
    /// For how long fewer pods must have been enough until there are fewer, in seconds, up to an
    /// hour. Default: 300.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 0, max = 3600))]
    pub scale_down_stabilization_seconds: i32,
}

fn one() -> i32 {
    1
}

fn thirty() -> i32 {
    30
}

fn seventy() -> i32 {
    70
}

fn five_minutes() -> i32 {
    300
}
