//! What is asked for a report of a resource and of its workers. Secrets are never asked for.

use super::archive::Report;
use crate::cluster::{self, Cluster};
use crate::logs::{CONTAINER, unlogged};
use crate::worker;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, LogParams, TypeMeta};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

/// The kinds of the children of a resource.
const CHILDREN: [(&str, &str, &str); 11] = [
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "ReplicaSet"),
    ("apps", "v1", "ControllerRevision"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "Service"),
    ("", "v1", "ServiceAccount"),
    ("", "v1", "Pod"),
    ("policy", "v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "v1", "Role"),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding"),
    ("networking.k8s.io", "v1", "NetworkPolicy"),
];

/// The most of a log, in bytes and lines.
const LOG_BYTES: i64 = 4 << 20;
const LOG_LINES: i64 = 20_000;

/// The resource, its children, and the events about them.
pub(super) async fn of_resource(cluster: &Cluster, name: &str, report: &mut Report) {
    let api: Api<DynamicObject> =
        Api::namespaced_with(cluster.client.clone(), &cluster.namespace, &cluster::kind());
    let resource = cluster.ask("read the resource", api.get(name)).await;
    if let Some(resource) = report.had("the resource", resource) {
        report.object("resource.yaml", json!(resource));
    }
    for (group, version, kind) in CHILDREN {
        let what = format!("list each {kind}");
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = namespaced(cluster, &resource);
        let listed = cluster.ask(&what, api.list(&cluster::of(name))).await;
        if let Some(listed) = report.had(&resource.plural, listed) {
            add(report, &format!("children/{}.yaml", resource.plural), &resource, listed.items);
        }
    }
    let map = ApiResource::erase::<crds::PartitionAssignment>(&());
    let found =
        cluster.ask("read the map of partitions", namespaced(cluster, &map).get_opt(name)).await;
    if let Some(Some(map)) = report.had("partitionassignments", found) {
        report.object("children/partitionassignment.yaml", json!(map));
    }
    let events = ApiResource::erase::<k8s_openapi::api::core::v1::Event>(&());
    let api = namespaced(cluster, &events);
    let listed = cluster.ask("list the events", api.list(&ListParams::default())).await;
    if let Some(listed) = report.had("events", listed) {
        let about = |event: &DynamicObject| {
            let about = event.data["involvedObject"]["name"].as_str().unwrap_or_default();
            about == name || about.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
        };
        let items = listed.items.into_iter().filter(about).collect();
        add(report, "events.yaml", &events, items);
    }
}

fn namespaced(cluster: &Cluster, resource: &ApiResource) -> Api<DynamicObject> {
    Api::namespaced_with(cluster.client.clone(), &cluster.namespace, resource)
}

/// Adds a list; its items do not say themselves what they are.
fn add(report: &mut Report, name: &str, resource: &ApiResource, items: Vec<DynamicObject>) {
    let types = TypeMeta { api_version: resource.api_version.clone(), kind: resource.kind.clone() };
    let typed = |mut item: DynamicObject| {
        item.types = Some(types.clone());
        json!(item)
    };
    report.object(name, Value::Array(items.into_iter().map(typed).collect()));
}

/// What the workers say: logs, `/status` and `/metrics`.
pub(super) async fn of_workers(cluster: &Cluster, pods: &[Pod], report: &mut Report) {
    for pod in pods {
        let name = pod.name_any();
        logs(cluster, pod, CONTAINER, &format!("logs/{name}"), report).await;
        for (path, file) in [("/status", "status.json"), ("/metrics", "metrics.txt")] {
            let answer = worker::ask(cluster, pod, path).await;
            if let Some(answer) = report.had(&format!("{path} of {name}"), answer) {
                report.text(&format!("workers/{name}.{file}"), &answer);
            }
        }
    }
}

/// The log of a container, and that of the one before it.
pub(super) async fn logs(
    cluster: &Cluster,
    pod: &Pod,
    container: &str,
    file: &str,
    report: &mut Report,
) {
    let name = pod.name_any();
    let pods: Api<Pod> =
        Api::namespaced(cluster.client.clone(), &pod.namespace().unwrap_or_default());
    let restarts = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let restarted = restarts.map(|status| status.restart_count).sum::<i32>() > 0;
    for previous in [false, true] {
        if previous && !restarted {
            continue;
        }
        let parameters = LogParams {
            container: Some(container.into()),
            previous,
            timestamps: true,
            tail_lines: Some(LOG_LINES),
            limit_bytes: Some(LOG_BYTES),
            ..LogParams::default()
        };
        let asked = async { Ok(pods.logs(&name, &parameters).await) };
        let log = cluster.ask("read its log", asked).await;
        let log = log.and_then(|log| log.map_err(|error| unlogged(&error)));
        let of = if previous { ".previous" } else { "" };
        if let Some(log) = report.had(&format!("the{} log of {name}", of.replace('.', " ")), log) {
            report.text(&format!("{file}{of}.log"), &log);
        }
    }
}
