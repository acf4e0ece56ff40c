//! What the operator tells the workers: which revision does what on which partition.

use crate::schema::{rule, rule_at};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which revision does what on which partition of a [`StreamingTDA`](crate::StreamingTDA)'s input.
/// The operator writes it, and the workers watch it; it has the name of its owner.
///
/// Epochs only rise, and nothing changes without a higher one: the API server refuses a map that was
/// made from an older one, whoever sends it.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "streamingtda.io",
    version = "v1alpha1",
    kind = "PartitionAssignment",
    singular = "partitionassignment",
    plural = "partitionassignments",
    shortname = "stdapa",
    category = "tda",
    namespaced,
    schema = "disabled",
    status = "PartitionAssignmentStatus",
    derive = "PartialEq",
    doc = "Which revision does what on which partition. The operator writes it, and the workers \
           watch it.",
    printcolumn(
        name = "Topic",
        type_ = "string",
        json_path = ".spec.topic",
        description = "The topic whose partitions are assigned"
    ),
    printcolumn(
        name = "Epoch",
        type_ = "integer",
        json_path = ".spec.epoch",
        description = "The number of the map, which only rises"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = [
    rule_at(
        "epoch",
        "self.epoch >= oldSelf.epoch",
        "epoch never falls: this map was made from an older one; read the current one, and derive \
         the next epoch from it",
    ),
    rule_at(
        "epoch",
        "self.epoch > oldSelf.epoch || self == oldSelf",
        "nothing changes without a higher epoch: this map was made from an older one; read the \
         current one, and raise its epoch",
    ),
    rule_at("topic", "self.topic == oldSelf.topic", "topic cannot be changed: create another map"),
    rule_at(
        "partitions",
        "self.partitions.size() >= oldSelf.partitions.size()",
        "a topic never loses partitions, and neither does its map: name all of them",
    ),
    rule_at(
        "partitions",
        "self.partitions.all(p, p.partition < self.partitions.size())",
        "partitions are counted from 0 without a gap: name all of them",
    ),
    rule_at(
        "partitions",
        "self.partitions.all(p, p.epoch <= self.epoch)",
        "the epoch of a partition is that of a map, so it is at most epoch of this one",
    ),
]))]
pub struct PartitionAssignmentSpec {
    /// The topic whose partitions are assigned.
    #[schemars(length(min = 1, max = 249))]
    pub topic: String,
    /// The number of this map; it rises with every change.
    #[schemars(range(min = 0))]
    pub epoch: i64,
    /// All partitions of the topic, at most 2048.
    #[schemars(
        length(max = 2048),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["partition"])
    )]
    pub partitions: Vec<PartitionModes>,
}

/// Who does what on one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [
    rule_at("epoch", "self.epoch >= oldSelf.epoch", "the epoch of a partition never falls"),
    rule_at(
        "revisions",
        "self.revisions.filter(r, r.mode == 'Active').size() == 1",
        "exactly one revision is Active on a partition",
    ),
    rule_at(
        "revisions",
        "self.epoch > oldSelf.epoch || self.revisions.all(r, r.mode != 'Active' || \
         oldSelf.revisions.exists(o, o.revision == r.revision && o.mode == 'Active'))",
        "another revision becomes Active with a higher epoch of the partition only, by which the one \
         before is fenced: raise it",
    ),
]))]
pub struct PartitionModes {
    /// The number of the partition, counted from 0.
    #[schemars(range(min = 0, max = 2047))]
    pub partition: i32,
    /// The number of the map in which its Active revision became that.
    #[schemars(range(min = 0))]
    pub epoch: i64,
    /// What each revision does, at most 4 of them; those that are not named are Idle.
    #[schemars(
        length(min = 1, max = 4),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["revision"])
    )]
    pub revisions: Vec<RevisionMode>,
}

/// What a revision does on a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionMode {
    /// The name of the revision.
    #[schemars(length(min = 1, max = 16))]
    pub revision: String,
    /// What it does.
    pub mode: Mode,
}

/// What a revision does on a partition.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Mode {
    /// It computes and emits, and commits the offsets.
    Active,
    /// It computes, and its results are diverted or dropped.
    Shadow,
    /// It keeps the windows, and emits nothing.
    Warm,
    /// It does nothing.
    Idle,
}

/// What the workers say about their partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PartitionAssignmentStatus {
    /// The partitions that a worker has taken up, at most 8192. Each worker writes its own, under a
    /// field manager of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 8192),
        extend(
            "x-kubernetes-list-type" = "map",
            "x-kubernetes-list-map-keys" = ["partition", "revision"]
        )
    )]
    pub partitions: Vec<PartitionReport>,
}

/// Where a revision is with a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [
    rule_at(
        "epoch",
        "self.epoch >= oldSelf.epoch",
        "a report never goes back to an older epoch: read the current map",
    ),
    rule(
        "!(self.phase in ['Owned', 'Released']) || has(self.offset)",
        "whoever owns a partition or has released it says from which offset on",
    ),
]))]
pub struct PartitionReport {
    /// The number of the partition, counted from 0.
    #[schemars(range(min = 0, max = 2047))]
    pub partition: i32,
    /// The name of the revision.
    #[schemars(length(min = 1, max = 16))]
    pub revision: String,
    /// The epoch of the partition that this is about.
    #[schemars(range(min = 0))]
    pub epoch: i64,
    /// Where the revision is with it.
    pub phase: Phase,
    /// The first offset that the revision has not committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset: Option<i64>,
    /// How far it is behind the end of the partition, in records.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub lag: Option<i64>,
    /// The pod that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub pod: Option<String>,
}

/// Where a revision is with a partition.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Phase {
    /// It builds the windows.
    Warming,
    /// It has the windows, and follows.
    Ready,
    /// It emits, from `offset` on.
    Owned,
    /// It has let go, and committed everything below `offset`.
    Released,
}
