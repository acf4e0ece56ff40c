//! What is said of a worker pod: whether it is ready, and why not.

use crate::words;
use crds::labels;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

/// A worker pod.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Worker {
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) revision: Option<String>,
    /// Its phase, or the reason why it is in none, such as `CrashLoopBackOff`.
    pub(crate) phase: String,
    pub(crate) ready: bool,
    pub(crate) restarts: i32,
    pub(crate) node: Option<String>,
    pub(crate) created: Option<Time>,
    /// Why it is not ready, or what has gone wrong before.
    pub(crate) why: Vec<String>,
}

/// What is said of a pod.
pub(crate) fn worker(pod: &Pod, now: Timestamp) -> Worker {
    let ready = is(pod, "Ready");
    let containers = containers(pod);
    Worker {
        name: pod.name_any(),
        revision: pod.labels().get(labels::REVISION).cloned(),
        phase: phase(pod, &containers),
        ready,
        restarts: containers.iter().map(|container| container.restart_count).sum(),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        created: pod.metadata.creation_timestamp.clone(),
        why: why(pod, &containers, ready, now),
    }
}

fn containers(pod: &Pod) -> Vec<&ContainerStatus> {
    let Some(status) = &pod.status else { return Vec::new() };
    let all = [&status.init_container_statuses, &status.container_statuses];
    all.into_iter().flatten().flatten().collect()
}

fn condition<'a>(
    pod: &'a Pod,
    type_: &str,
) -> Option<&'a k8s_openapi::api::core::v1::PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == type_)
}

fn is(pod: &Pod, type_: &str) -> bool {
    condition(pod, type_).is_some_and(|condition| condition.status == "True")
}

/// As `kubectl get pods` has it.
fn phase(pod: &Pod, containers: &[&ContainerStatus]) -> String {
    if pod.metadata.deletion_timestamp.is_some() {
        return "Terminating".into();
    }
    let status = pod.status.as_ref();
    let reason = status.and_then(|status| status.reason.clone());
    let waiting = containers.iter().find_map(|container| {
        let state = container.state.as_ref()?;
        let waits = state.waiting.as_ref().and_then(|waiting| waiting.reason.clone());
        let ended = state.terminated.as_ref().filter(|ended| ended.exit_code != 0);
        waits.or_else(|| ended?.reason.clone())
    });
    let phase = || status.and_then(|status| status.phase.clone());
    reason.or(waiting).or_else(phase).unwrap_or_else(|| "Unknown".into())
}

fn why(pod: &Pod, containers: &[&ContainerStatus], ready: bool, now: Timestamp) -> Vec<String> {
    let scheduled = condition(pod, "PodScheduled").filter(|c| c.status == "False");
    let unscheduled = scheduled.map(|condition| {
        let message = condition.message.as_deref().unwrap_or("no node was found for it yet");
        format!("no node takes it: {message}")
    });
    let status = pod.status.as_ref();
    let evicted =
        status.and_then(|status| Some((status.reason.as_ref()?, status.message.as_ref()?)));
    let evicted = evicted.map(|(reason, message)| format!("{reason}: {message}"));
    let mut why: Vec<String> = [unscheduled, evicted].into_iter().flatten().collect();
    why.extend(containers.iter().flat_map(|container| of_container(container, now)));
    let running = containers
        .iter()
        .any(|container| container.state.as_ref().is_some_and(|state| state.running.is_some()));
    if !ready && why.is_empty() && running {
        why.extend(unready(pod, now));
    }
    why
}

/// What is said when containers run, and the pod is not ready.
fn unready(pod: &Pod, now: Timestamp) -> Option<String> {
    let ready = condition(pod, "Ready")?;
    let since = words::age(ready.last_transition_time.as_ref(), now);
    Some(match ready.last_transition_time {
        Some(_) => format!("it runs, and has not said that it is ready for {since}"),
        None => "it runs, and has not said that it is ready".into(),
    })
}

/// Why a container waits or has ended, and how it ended before.
fn of_container(container: &ContainerStatus, now: Timestamp) -> Vec<String> {
    let name = &container.name;
    let state = container.state.clone().unwrap_or_default();
    let waits = state.waiting.map(|waiting| {
        let reason = waiting.reason.unwrap_or_else(|| "it does not say why".into());
        let message = waiting.message.map_or(String::new(), |message| format!(": {message}"));
        format!("{name} waits: {reason}{message}")
    });
    let failed = state.terminated.filter(|ended| ended.exit_code != 0);
    let ended = failed.map(|ended| format!("{name} ended {}", ending(&ended, now)));
    let ContainerState { terminated, .. } = container.last_state.clone().unwrap_or_default();
    let before = terminated.map(|ended| format!("{name} ended before {}", ending(&ended, now)));
    [waits, ended, before].into_iter().flatten().collect()
}

fn ending(ended: &ContainerStateTerminated, now: Timestamp) -> String {
    let ContainerStateTerminated { exit_code, signal, reason, message, finished_at, .. } = ended;
    let ago = finished_at
        .as_ref()
        .map_or(String::new(), |at| format!("{} ago ", words::age(Some(at), now)));
    let how = match signal {
        Some(signal) => format!("by signal {signal}"),
        None => format!("with exit code {exit_code}"),
    };
    let reason = reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    let last = message.iter().flat_map(|message| message.trim().lines().last());
    let message: String = last.map(|line| format!(": {line}")).collect();
    format!("{ago}{how}{reason}{message}")
}
