//! What `status` says of a resource.

use super::{Read, Warning, Worker, warnings, worker};
use crate::list::wanted;
use crate::standing::{Standing, standing};
use crds::status::{AutoscalingStatus, FailedRevision, PartitionCounts};
use crds::{StreamingTDAStatus, status::RevisionStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

/// What is said of a resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) created: Option<Time>,
    pub(crate) standing: Standing,
    pub(crate) message: String,
    pub(crate) generation: i64,
    pub(crate) observed_generation: Option<i64>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) pods_wanted: i32,
    pub(crate) partitions: Option<PartitionCounts>,
    pub(crate) autoscaling: Option<AutoscalingStatus>,
    pub(crate) revisions: Vec<Revision>,
    pub(crate) failed_revisions: Vec<FailedRevision>,
    pub(crate) warnings: Vec<Warning>,
    /// What could not be read, and why.
    pub(crate) unread: Vec<String>,
}

/// A revision that has pods or is to have some.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Revision {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) image: Option<String>,
    pub(crate) generation: Option<i64>,
    pub(crate) pods: Vec<Worker>,
}

/// What a revision is to its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Role {
    /// It is in force.
    Stable,
    /// It is to be.
    Candidate,
    /// It was, and goes.
    Old,
    /// Its pods carry no revision that the status knows.
    Unknown,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Stable => "stable",
            Role::Candidate => "candidate",
            Role::Old => "goes",
            Role::Unknown => "not in the status",
        }
    }
}

/// What is said of what was read.
pub(crate) fn view(read: &Read, now: Timestamp) -> View {
    let resource = &read.resource;
    let status = resource.status.clone().unwrap_or_default();
    let (standing, message) = standing(resource, now);
    let pods: Vec<Worker> = read.pods.iter().map(|pod| worker(pod, now)).collect();
    let revisions = revisions(&status, pods);
    let names: Vec<String> = revisions.iter().map(|revision| revision.name.clone()).collect();
    View {
        namespace: resource.namespace().unwrap_or_default(),
        name: resource.name_any(),
        created: resource.metadata.creation_timestamp.clone(),
        standing,
        message,
        generation: resource.metadata.generation.unwrap_or_default(),
        observed_generation: status.observed_generation,
        conditions: status.conditions,
        pods_wanted: wanted(resource),
        partitions: status.partitions,
        autoscaling: status.autoscaling.filter(|_| resource.spec.autoscaling.is_some()),
        revisions,
        failed_revisions: status.failed_revisions,
        warnings: warnings(&read.events, &resource.name_any(), &names, now),
        unread: read.unread.iter().map(ToString::to_string).collect(),
    }
}

/// The revisions that the status or a pod names, the stable one first.
fn revisions(status: &StreamingTDAStatus, pods: Vec<Worker>) -> Vec<Revision> {
    let role = |name: &str| match () {
        () if status.stable_revision.as_deref() == Some(name) => Role::Stable,
        () if status.candidate_revision.as_deref() == Some(name) => Role::Candidate,
        () if status.revisions.iter().any(|revision| revision.name == name) => Role::Old,
        () => Role::Unknown,
    };
    let named = [&status.stable_revision, &status.candidate_revision].into_iter().flatten();
    let listed = status.revisions.iter().map(|revision| &revision.name);
    let mut names: Vec<String> = named.chain(listed).cloned().collect();
    names.extend(pods.iter().map(|pod| pod.revision.clone().unwrap_or_default()));
    names.sort_by_key(|name| (role(name), name.clone()));
    names.dedup();
    let listed = |name: &str| -> Option<RevisionStatus> {
        status.revisions.iter().find(|revision| revision.name == name).cloned()
    };
    let is_of = |pod: &Worker, name: &str| pod.revision.as_deref().unwrap_or_default() == name;
    names
        .iter()
        .map(|name| Revision {
            role: role(name),
            image: listed(name).map(|revision| revision.image),
            generation: listed(name).map(|revision| revision.generation),
            pods: pods.iter().filter(|pod| is_of(pod, name)).cloned().collect(),
            name: name.clone(),
        })
        .collect()
}
