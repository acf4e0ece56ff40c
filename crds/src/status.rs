//! What the operator says about a [`StreamingTDA`](crate::StreamingTDA).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator says about the resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StreamingTDAStatus {
    /// The generation of the spec that the rest is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready: the spec of this generation is in force and serves. Progressing: work towards it goes
    /// on. Stalled: it cannot go on by itself. Serving: every partition is owned and moves, whatever
    /// a rollout does; where workers cannot be asked, a pod is ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"])
    )]
    pub conditions: Vec<Condition>,
    /// The revision that is trusted with every partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub stable_revision: Option<String>,
    /// The revision that is to take its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub candidate_revision: Option<String>,
    /// The revisions that have pods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub revisions: Vec<RevisionStatus>,
    /// Revisions that are not tried again until the spec changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 50),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["revision"])
    )]
    pub failed_revisions: Vec<FailedRevision>,
    /// Worker pods, of all revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Worker pods that are ready, of all revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i32>,
    /// The labels of the worker pods, as a selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub selector: Option<String>,
    /// The partitions of the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionCounts>,
    /// What the operator's autoscaling has seen and wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<AutoscalingStatus>,
}

/// A revision that has pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// Its name: a hash of what changes results or processes.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The generation of the spec that it was first seen in.
    pub generation: i64,
    /// The image of its workers.
    #[schemars(length(max = 512))]
    pub image: String,
    /// Its pods.
    pub replicas: i32,
    /// Its pods that are ready.
    pub ready_replicas: i32,
    /// Partitions on which it is active.
    pub active_partitions: i32,
}

/// A revision that is not tried again until the spec changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailedRevision {
    /// Its name.
    #[schemars(length(min = 1, max = 63))]
    pub revision: String,
    /// When it failed.
    pub time: Time,
    /// Why, in one word.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// Why, in words and numbers.
    #[schemars(length(max = 1024))]
    pub message: String,
}

/// Partitions of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartitionCounts {
    /// All of them, as the workers tell.
    pub total: i32,
    /// Those that a ready worker owns.
    pub owned: i32,
}

/// What the operator's autoscaling has seen and wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoscalingStatus {
    /// The number of pods that it wants.
    pub desired_replicas: i32,
    /// How far the partition that was furthest behind was behind its end when that was decided, in
    /// seconds; nothing if the load could not be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// The share of their time for which the threads computed then, in percent; nothing if the load
    /// could not be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy_percent: Option<f64>,
    /// When it last wanted another number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scale_time: Option<Time>,
    /// Why it wants that many.
    #[schemars(length(max = 1024))]
    pub message: String,
}
