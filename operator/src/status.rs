//! What the status says.

use crate::conditions::{Standing, conditions};
use crate::observed::{Observed, Refusal, Workers};
use crate::revision::Revision;
use crate::serving::serving;
use crate::{child, names};
use crds::status::{AutoscalingStatus, RevisionStatus};
use crds::{ConditionType, StreamingTDAStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::{Timestamp, Unit};

/// The status of what was observed, at a time.
pub fn status(observed: &Observed, now: Timestamp) -> StreamingTDAStatus {
    let before = observed.resource.status.clone().unwrap_or_default();
    let revision = observed.revision();
    let workers = observed.workers();
    let standing = match standing(observed, &revision, &workers) {
        Standing::RollingOut(progress) if is_overdue(observed, &before, now) => Standing::Stalled(
            OVERDUE.into(),
            format!("{progress}, and that has been so for longer than {} s", deadline(observed)),
        ),
        standing => standing,
    };
    let stable = stable(observed, &revision, &standing, before.stable_revision);
    let ready = workers.iter().map(|workers| workers.ready).sum();
    let known = &observed.known;
    let autoscaling = autoscaling(observed, before.autoscaling, now);
    let selector = names::selector(&observed.name());
    let selector: Vec<String> = selector.iter().map(|(k, v)| format!("{k}={v}")).collect();
    StreamingTDAStatus {
        observed_generation: Some(observed.generation()),
        conditions: conditions(
            &standing,
            &serving(&standing, ready, known.look.as_ref(), &before.conditions),
            observed.generation(),
            &before.conditions,
            now,
        ),
        candidate_revision: (stable.as_deref() != Some(revision.as_str()))
            .then(|| revision.to_string()),
        stable_revision: stable,
        revisions: workers
            .iter()
            .map(|workers| of_revision(observed, &before.revisions, workers))
            .collect(),
        failed_revisions: before.failed_revisions,
        replicas: Some(workers.iter().map(|workers| workers.pods).sum()),
        ready_replicas: Some(ready),
        selector: Some(selector.join(",")),
        partitions: match &known.look {
            Some(look) => look.partitions.filter(|_| ready > 0),
            None => before.partitions,
        },
        autoscaling,
    }
}

fn standing(observed: &Observed, revision: &Revision, workers: &[Workers]) -> Standing {
    if let Some(Refusal { reason, message }) = &observed.refusal {
        return Standing::Stalled((*reason).into(), message.clone());
    }
    let Some(current) = workers.iter().find(|workers| workers.revision == *revision) else {
        return Standing::RollingOut(format!("the Deployment of {revision} is being made"));
    };
    let Workers { ready, wanted, .. } = current;
    let progress = format!("{ready} of {wanted} pods of {revision} are ready");
    if let Some((reason, message)) = current.stalled.clone().filter(|_| !current.complete()) {
        return Standing::Stalled(reason, format!("{progress}: {message}"));
    }
    if *wanted != observed.replicas() || !current.complete() {
        return Standing::RollingOut(progress);
    }
    match workers.iter().find(|workers| workers.revision != *revision) {
        Some(old) => Standing::RollingOut(format!("{progress}; {} goes", old.revision)),
        None if *wanted == 0 => Standing::Zero,
        None => Standing::InForce(progress),
    }
}

/// What a Deployment says too, but only while a revision is new.
const OVERDUE: &str = "ProgressDeadlineExceeded";

fn deadline(observed: &Observed) -> i32 {
    observed.resource.spec.rollout.progress_deadline_seconds
}

/// Whether pods of this generation have been on their way for longer than they may be, or were found
/// to be so: then that is said until they have arrived.
fn is_overdue(observed: &Observed, before: &StreamingTDAStatus, now: Timestamp) -> bool {
    let of_now = before.conditions.iter().filter(|condition| {
        condition.status == "True" && condition.observed_generation == Some(observed.generation())
    });
    let late = |condition: &Condition| {
        let since = now.duration_since(condition.last_transition_time.0);
        since.as_secs() >= deadline(observed).into()
    };
    of_now.into_iter().any(|condition| {
        let is = |type_: ConditionType| condition.type_ == type_.name();
        is(ConditionType::Progressing) && late(condition)
            || is(ConditionType::Stalled) && condition.reason == OVERDUE
    })
}

/// The revision that was in force last. One that is no longer remembered counts as none.
fn stable(
    observed: &Observed,
    revision: &Revision,
    standing: &Standing,
    before: Option<String>,
) -> Option<String> {
    if matches!(standing, Standing::InForce(_) | Standing::Zero) {
        return Some(revision.to_string());
    }
    before.filter(|before| {
        let name = names::of_revision(&observed.name(), &before.as_str().into());
        let key = child::Key::new(child::Kind::ControllerRevision, name);
        observed.children.contains_key(&key)
    })
}

/// What autoscaling wants, and when it last changed that.
fn autoscaling(
    observed: &Observed,
    before: Option<AutoscalingStatus>,
    now: Timestamp,
) -> Option<AutoscalingStatus> {
    observed.resource.spec.autoscaling.as_ref()?;
    let desired_replicas = observed.replicas();
    let changed = before.as_ref().is_some_and(|b| b.desired_replicas != desired_replicas);
    let last_scale_time = match changed {
        true => Some(Time(now.round(Unit::Second).unwrap_or(now))),
        false => before.as_ref().and_then(|before| before.last_scale_time.clone()),
    };
    let Some(decision) = &observed.known.decision else {
        // An operator that has just begun to act has not asked yet.
        let message = format!("begins at {desired_replicas}; {UNUSED}");
        let new = AutoscalingStatus { desired_replicas, message, ..AutoscalingStatus::default() };
        let before = before.unwrap_or(new);
        return Some(AutoscalingStatus { desired_replicas, last_scale_time, ..before });
    };
    Some(AutoscalingStatus {
        desired_replicas,
        lag_seconds: decision.lag_seconds,
        busy_percent: decision.busy_percent,
        last_scale_time,
        message: format!("{}; {UNUSED}", decision.message),
    })
}

const UNUSED: &str = "spec.replicas is not used";

fn of_revision(
    observed: &Observed,
    before: &[RevisionStatus],
    workers: &Workers,
) -> RevisionStatus {
    let name = workers.revision.as_str();
    let active = match &observed.known.look {
        Some(look) => look.active.get(name).copied().unwrap_or_default(),
        None => before.iter().find(|b| b.name == name).map_or(0, |b| b.active_partitions),
    };
    RevisionStatus {
        name: workers.revision.to_string(),
        generation: observed.generation_of(&workers.revision),
        image: workers.image.clone(),
        replicas: workers.pods,
        ready_replicas: workers.ready,
        active_partitions: active,
    }
}
