//! What is to be done: a function of what was observed, and of the time.

use crate::build::Blueprint;
use crate::child::{Child, Key, Kind};
use crate::difference::differs;
use crate::events::{Event, Reason};
use crate::names;
use crate::observed::Observed;
use crate::revision::Revision;
use crate::status::status;
use crds::{ConditionType, StreamingTDAStatus};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// How soon a resource is looked at again that is in force, whatever is heard of it.
pub const AT_REST: Duration = Duration::from_secs(600);
/// How soon one is that is not.
pub const IN_MOTION: Duration = Duration::from_secs(30);

/// What is to be done about a resource, in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Children that are to be what is said here.
    pub writes: Vec<Write>,
    /// Children that are to go.
    pub deletes: Vec<Delete>,
    /// What the status is to be; none where it is that.
    pub status: Option<StreamingTDAStatus>,
    /// What is to be told.
    pub events: Vec<Event>,
    /// When to look again; none for a resource that goes.
    pub requeue: Option<Duration>,
}

/// A child that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// What it is to be.
    pub child: Child,
    /// Whether it was there, under the control of the resource. Then what others have made of our
    /// fields is overruled; if not, what has its name is not ours.
    pub ours: bool,
}

/// A child that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Which one.
    pub key: Key,
    /// The unique id of the one that was seen: another under the same name stays.
    pub uid: String,
}

impl Plan {
    /// Whether there is nothing to write, delete or tell.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
            && self.deletes.is_empty()
            && self.status.is_none()
            && self.events.is_empty()
    }
}

/// What is to be done about what was observed.
pub fn plan(observed: &Observed, now: Timestamp) -> Plan {
    if observed.leaving() {
        // The cluster's garbage collector takes the children.
        return Plan {
            writes: Vec::new(),
            deletes: Vec::new(),
            status: None,
            events: Vec::new(),
            requeue: None,
        };
    }
    let revision = observed.revision();
    let children = Blueprint {
        resource: &observed.resource,
        settings: &observed.settings,
        revision: &revision,
        replicas: observed.replicas(),
        remembered: observed.remembered(&revision),
        monitors: observed.monitors,
    }
    .children();
    let deletes = deletes(observed, &revision, &children);
    let status = status(observed, now);
    let events = events(observed, &revision, &deletes, &status);
    let rests = holds(&status, ConditionType::Ready);
    Plan {
        writes: writes(observed, children),
        deletes,
        events,
        status: (observed.resource.status.as_ref().map(ours).as_ref() != Some(&status))
            .then_some(status),
        requeue: Some(if rests { AT_REST } else { IN_MOTION }),
    }
}

/// What is not yet what it should be.
fn writes(observed: &Observed, children: Vec<Child>) -> Vec<Write> {
    let write = |child: Child| match observed.children.get(&child.key) {
        Some(there) => differs(&child.manifest, there).then_some(Write { child, ours: true }),
        None => Some(Write { child, ours: false }),
    };
    children.into_iter().filter_map(write).collect()
}

/// What is no longer asked for.
fn deletes(observed: &Observed, revision: &Revision, wanted: &[Child]) -> Vec<Delete> {
    let wanted: BTreeSet<&Key> = wanted.iter().map(|child| &child.key).collect();
    let remembered = remembered(observed, revision);
    let gone = |key: &Key| match key.kind {
        // The new one comes first: whatever happens in between, there is one.
        Kind::Deployment => {
            let name = names::of_revision(&observed.name(), revision);
            let new = observed.children.get(&Key::new(Kind::Deployment, name));
            new.is_some_and(|new| new["metadata"]["deletionTimestamp"].is_null())
        }
        // Pods that still start need it.
        Kind::ConfigMap => {
            !observed.children.contains_key(&Key::new(Kind::Deployment, key.name.clone()))
        }
        Kind::ControllerRevision => !remembered.contains(key),
        Kind::NetworkPolicy | Kind::ServiceMonitor => true,
        // Each resource has one of these, for as long as it is there.
        Kind::Service
        | Kind::ServiceAccount
        | Kind::Role
        | Kind::RoleBinding
        | Kind::PodDisruptionBudget => false,
    };
    let outdated = observed.children.iter().filter(|(key, object)| {
        !wanted.contains(key) && gone(key) && object["metadata"]["deletionTimestamp"].is_null()
    });
    let delete = |(key, object): (&Key, &Value)| {
        let uid = object["metadata"]["uid"].as_str()?.to_owned();
        Some(Delete { key: key.clone(), uid })
    };
    outdated.filter_map(delete).collect()
}

/// The old revisions that stay in the history: those that have pods, and the newest.
fn remembered<'a>(observed: &'a Observed, revision: &Revision) -> BTreeSet<&'a Key> {
    let current = names::of_revision(&observed.name(), revision);
    let limit = observed.resource.spec.rollout.revision_history_limit;
    let history = observed.history().into_iter().map(|(_, key)| key);
    let old: Vec<&Key> = history.filter(|key| key.name != current).collect();
    let running =
        |key: &&Key| observed.children.contains_key(&Key::new(Kind::Deployment, key.name.clone()));
    let newest = old.iter().copied().take(limit.try_into().unwrap_or_default());
    newest.chain(old.iter().copied().filter(running)).collect()
}

fn events(
    observed: &Observed,
    revision: &Revision,
    deletes: &[Delete],
    status: &StreamingTDAStatus,
) -> Vec<Event> {
    let before = observed.resource.status.clone().unwrap_or_default();
    let mut events = Vec::new();
    let name = names::of_revision(&observed.name(), revision);
    let known = observed.children.contains_key(&Key::new(Kind::ControllerRevision, name));
    // What was refused has not happened.
    let refused = observed.refusal.is_some();
    if !known && !refused {
        let image = observed.settings.image(&observed.resource.spec.image);
        let note = format!("the spec asks for revision {revision}, with the image {image}");
        events.push(Event::new(Reason::RevisionCreated, note));
    }
    let retired = deletes.iter().filter(|delete| delete.key.kind == Kind::Deployment);
    for retired in retired.filter(|_| !refused) {
        let note = format!("the pods of {} go: {revision} takes their place", retired.key.name);
        events.push(Event::new(Reason::RevisionRetired, note));
    }
    if status.stable_revision != before.stable_revision
        && let Some(stable) = &status.stable_revision
    {
        let note = format!("revision {stable} is in force");
        events.push(Event::new(Reason::RevisionInForce, note));
    }
    if holds(status, ConditionType::Stalled) && !holds(&before, ConditionType::Stalled) {
        events.push(Event::new(Reason::Stalled, message(status, ConditionType::Stalled)));
    }
    let serving = message(status, ConditionType::Serving);
    match (holds(&before, ConditionType::Serving), holds(status, ConditionType::Serving)) {
        (false, true) => events.push(Event::new(Reason::Serving, serving)),
        (true, false) => events.push(Event::new(Reason::NotServing, serving)),
        _ => {}
    }
    if let (Some(was), Some(is)) = (&before.autoscaling, &status.autoscaling)
        && was.desired_replicas != is.desired_replicas
    {
        events.push(Event::scaled(was.desired_replicas, is.desired_replicas, &is.message));
    }
    let asked = observed.resource.spec.observability.service_monitor.is_some();
    if asked && !observed.monitors && before.observed_generation != status.observed_generation {
        let note = "the API server knows no ServiceMonitors: install the Prometheus operator, or \
                    remove observability.serviceMonitor";
        events.push(Event::new(Reason::MonitorsUnknown, note));
    }
    events
}

/// A status without the conditions that others have added.
fn ours(status: &StreamingTDAStatus) -> StreamingTDAStatus {
    let mut status = status.clone();
    status.conditions.retain(|c| ConditionType::ALL.iter().any(|type_| type_.name() == c.type_));
    status
}

fn holds(status: &StreamingTDAStatus, type_: ConditionType) -> bool {
    status.conditions.iter().any(|c| c.type_ == type_.name() && c.status == "True")
}

fn message(status: &StreamingTDAStatus, type_: ConditionType) -> &str {
    let condition = status.conditions.iter().find(|c| c.type_ == type_.name());
    condition.map_or("", |condition| &condition.message)
}
