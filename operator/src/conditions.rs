//! The conditions in the status, by the contract of kstatus.
//!
//! | reason | of | when |
//! | --- | --- | --- |
//! | `RevisionInForce` | Ready, Progressing | every pod that is wanted runs the revision of the spec and is ready |
//! | `ScaledToZero` | Ready, Progressing, Serving | no pod is wanted |
//! | `RollingOut` | Ready, Progressing | pods come or go |
//! | `AllPartitionsOwned` | Serving | ready workers own all partitions, and these move |
//! | `PartitionsUnowned`, `PartitionsWaiting` | Serving | partitions are nobody's, or do not move |
//! | `PodsReady` | Serving | a pod of any revision is ready, and not all workers tell what they own |
//! | `NoPodReady` | Serving | no pod is ready |
//! | `ProgressDeadlineExceeded` | Ready, Progressing, Stalled | pods have not become ready within `rollout.progressDeadlineSeconds` |
//! | `PodsRefused` | Ready, Progressing, Stalled | pods cannot be made: a quota, or a policy |
//! | `NameTaken` | Ready, Progressing, Stalled | something else has the name of a child |
//! | `Forbidden`, `Invalid` | Ready, Progressing, Stalled | the API server refuses a child |
//! | `InvalidSpec` | Ready, Progressing, Stalled | the resource is not one that this operator understands |
//! | `OK` | Stalled | nothing is in the way |

use crate::serving::Serving;
use crds::ConditionType;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::{Timestamp, Unit};

/// Where a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The spec is in force; in words.
    InForce(String),
    /// No pod is wanted, and there is none.
    Zero,
    /// Work goes on; in words.
    RollingOut(String),
    /// It cannot go on by itself: a reason and a message.
    Stalled(String, String),
}

/// The conditions for a generation. Those that are as before keep the time since when they are.
pub fn conditions(
    standing: &Standing,
    serving: &Serving,
    generation: i64,
    before: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    // Times of Kubernetes are whole seconds.
    let now = now.round(Unit::Second).unwrap_or(now);
    let said = |type_: ConditionType| match type_ {
        ConditionType::Ready => ready(standing),
        ConditionType::Progressing => progressing(standing),
        ConditionType::Stalled => stalled(standing),
        ConditionType::Serving => (serving.holds, serving.reason.clone(), serving.message.clone()),
    };
    ConditionType::ALL.map(|t| condition(t, said(t), generation, before, now)).into()
}

type Said = (bool, String, String);

fn ready(standing: &Standing) -> Said {
    match standing.clone() {
        Standing::InForce(message) => (true, "RevisionInForce".into(), message),
        Standing::Zero => (true, "ScaledToZero".into(), "no pod is wanted".into()),
        Standing::RollingOut(message) => (false, "RollingOut".into(), message),
        Standing::Stalled(reason, message) => (false, reason, message),
    }
}

fn progressing(standing: &Standing) -> Said {
    let (_, reason, message) = ready(standing);
    (matches!(standing, Standing::RollingOut(_)), reason, message)
}

fn stalled(standing: &Standing) -> Said {
    match standing.clone() {
        Standing::Stalled(reason, message) => (true, reason, message),
        _ => (false, "OK".into(), "nothing is in the way".into()),
    }
}

fn condition(
    type_: ConditionType,
    (holds, reason, message): Said,
    generation: i64,
    before: &[Condition],
    now: Timestamp,
) -> Condition {
    let status = if holds { "True" } else { "False" };
    // Each generation of the spec has its own time to come into force.
    let goes_on = |c: &&Condition| {
        type_ != ConditionType::Progressing || c.observed_generation == Some(generation)
    };
    let before = before.iter().find(|c| c.type_ == type_.name() && c.status == status);
    let before = before.filter(goes_on);
    Condition {
        type_: type_.name().into(),
        status: status.into(),
        reason,
        message: message.chars().take(MESSAGE).collect(),
        observed_generation: Some(generation),
        last_transition_time: before.map_or(Time(now), |c| c.last_transition_time.clone()),
    }
}

/// The longest message that the API server keeps.
const MESSAGE: usize = 32_768;
