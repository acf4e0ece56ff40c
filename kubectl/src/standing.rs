//! Whether a resource is what its spec says, by what the operator has written in its status.

use crate::cluster::Seen;
use crate::text::{BAD, GOOD, PENDING};
use crate::words;
use anstyle::Style;
use crds::{ConditionType, StreamingTDAStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;

/// Where a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Standing {
    /// The spec of this generation is in force.
    Ready,
    /// Work towards it goes on.
    Progressing,
    /// It cannot go on by itself.
    Stalled,
    /// The operator has not looked at this generation yet.
    Unseen,
    /// It is being deleted.
    Leaving,
}

impl Standing {
    pub(crate) fn style(self) -> Style {
        match self {
            Standing::Ready => GOOD,
            Standing::Stalled => BAD,
            Standing::Progressing | Standing::Unseen | Standing::Leaving => PENDING,
        }
    }
}

/// Where a resource is, and why, in words.
pub(crate) fn standing(resource: &Seen, now: Timestamp) -> (Standing, String) {
    let none = StreamingTDAStatus::default();
    let status = resource.status.as_ref().unwrap_or(&none);
    let generation = resource.metadata.generation.unwrap_or_default();
    if resource.metadata.deletion_timestamp.is_some() {
        return (Standing::Leaving, "it is being deleted".into());
    }
    if status.observed_generation.is_none_or(|observed| observed < generation) {
        return (Standing::Unseen, unseen(resource, status, now));
    }
    let said = |type_: ConditionType| {
        let current = |c: &&Condition| c.observed_generation.is_none_or(|of| of >= generation);
        status.conditions.iter().find(|c| c.type_ == type_.name()).filter(current)
    };
    let holds = |type_: ConditionType| said(type_).filter(|c| c.status == "True");
    if let Some(stalled) = holds(ConditionType::Stalled) {
        return (Standing::Stalled, words_of(stalled));
    }
    match (holds(ConditionType::Ready), said(ConditionType::Ready)) {
        (Some(ready), _) => (Standing::Ready, words_of(ready)),
        (None, Some(not)) => (Standing::Progressing, words_of(not)),
        (None, None) => (Standing::Unseen, "its status has no condition Ready yet".into()),
    }
}

/// A condition's reason and message.
pub(crate) fn words_of(condition: &Condition) -> String {
    match (condition.reason.as_str(), condition.message.as_str()) {
        ("", message) => message.into(),
        (reason, "") => reason.into(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

/// How long an operator that is there may take to notice a change, in seconds.
const NOTICED: i64 = 30;

fn unseen(resource: &Seen, status: &StreamingTDAStatus, now: Timestamp) -> String {
    if status.observed_generation.is_some() {
        let generation = resource.metadata.generation.unwrap_or_default();
        return format!("the operator has not looked at generation {generation} yet");
    }
    let created = resource.metadata.creation_timestamp.as_ref();
    let age = created.map_or(0, |created| now.duration_since(created.0).as_secs());
    match age > NOTICED {
        true => format!(
            "no operator has looked at it for {}: is one installed that watches this namespace?",
            words::length(age)
        ),
        false => "no operator has looked at it yet".into(),
    }
}
