//! What is asked for a report of what is around a resource: the cluster, nodes, definitions, the operator.

use super::archive::Report;
use super::collect::logs;
use crate::Trouble;
use crate::cluster::Cluster;
use crate::worker;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::{Error, Resource, ResourceExt};
use serde_json::{Value, json};

/// What a report says of what is around a resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// The version of the API server.
    pub(super) version: Option<String>,
    /// The Deployments of operators: name, image, pods that are ready and wanted. Nothing when they may
    /// not be looked for.
    pub(super) operators: Option<Vec<(String, String, i32, i32)>>,
    /// Nodes, and what is wrong with each.
    pub(super) nodes: Option<Vec<(String, Vec<String>)>>,
}

/// The cluster, its nodes, the definitions, and the operator.
pub(super) async fn around(cluster: &Cluster, report: &mut Report) -> Around {
    let version = cluster.ask("ask for the version", cluster.client.apiserver_version()).await;
    let version = report.had("the version of the cluster", version);
    if let Some(version) = &version {
        report.object("cluster/version.yaml", json!(version));
    }
    definitions(cluster, report).await;
    let nodes = nodes(cluster, report).await;
    let operators = operators(cluster, report).await;
    Around { version: version.map(|version| version.git_version), operators, nodes }
}

/// Which definitions there are; their schemas are in the chart.
async fn definitions(cluster: &Cluster, report: &mut Report) {
    let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let api: Api<DynamicObject> =
        Api::all_with(cluster.client.clone(), &ApiResource::from_gvk(&kind));
    for definition in crds::definitions() {
        let name = definition.name();
        let there = cluster.ask("read the definition", api.get(name)).await;
        let Some(there) = report.had(&format!("the definition {name}"), there) else { continue };
        let version = &there.data["spec"]["versions"][0];
        let summary = json!({
            "name": name,
            "status": there.data["status"],
            "sameAsOfThisProgram": version["schema"]["openAPIV3Schema"] == *definition.schema(),
        });
        report.object(&format!("cluster/{name}.yaml"), summary);
    }
}

async fn nodes(cluster: &Cluster, report: &mut Report) -> Option<Vec<(String, Vec<String>)>> {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let listed = cluster.ask("list the nodes", api.list(&ListParams::default())).await;
    let nodes = report.had("nodes", listed)?.items;
    let summaries: Vec<Value> = nodes.iter().map(node).collect();
    report.object("cluster/nodes.yaml", summaries.into());
    Some(nodes.iter().map(|node| (node.name_any(), ills(node))).collect())
}

fn node(node: &Node) -> Value {
    let status = node.status.clone().unwrap_or_default();
    let info = status.node_info.unwrap_or_default();
    json!({
        "name": node.name_any(),
        "unschedulable": node.spec.as_ref().and_then(|spec| spec.unschedulable),
        "taints": node.spec.as_ref().and_then(|spec| spec.taints.clone()),
        "conditions": status.conditions,
        "capacity": status.capacity,
        "allocatable": status.allocatable,
        "kubelet": info.kubelet_version,
        "runtime": info.container_runtime_version,
        "system": [info.os_image, info.kernel_version, info.architecture],
    })
}

/// What a node says is wrong with it.
fn ills(node: &Node) -> Vec<String> {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let ill =
        conditions.filter(|condition| (condition.type_ == "Ready") != (condition.status == "True"));
    let said = ill.map(|condition| {
        let message = condition.message.as_deref().unwrap_or_default();
        format!("{} is {}: {message}", condition.type_, condition.status)
    });
    let cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
    said.chain(cordoned.then(|| "takes no new pods".to_owned())).collect()
}

/// The labels that the chart gives an operator.
const OPERATOR: &str =
    "app.kubernetes.io/component=operator,app.kubernetes.io/part-of=streaming-tda";
/// Where the guide installs it.
const SYSTEM: &str = "streaming-tda-system";

async fn operators(
    cluster: &Cluster,
    report: &mut Report,
) -> Option<Vec<(String, String, i32, i32)>> {
    let deployments =
        report.had("the Deployment of the operator", found::<Deployment>(cluster).await)?;
    let listed = deployments.iter().map(|deployment| json!(deployment)).collect::<Vec<_>>();
    report.object("operator/deployments.yaml", listed.into());
    if let Some(pods) = report.had("the pods of the operator", found::<Pod>(cluster).await) {
        report.object("operator/pods.yaml", pods.iter().map(|pod| json!(pod)).collect());
        for pod in &pods {
            let name = pod.name_any();
            let container = pod.spec.as_ref().and_then(|spec| spec.containers.first());
            let container = container.map_or("operator", |container| container.name.as_str());
            logs(cluster, pod, container, &format!("operator/{name}"), report).await;
            let metrics = worker::ask(cluster, pod, "/metrics").await;
            if let Some(metrics) = report.had(&format!("/metrics of {name}"), metrics) {
                report.text(&format!("operator/{name}.metrics.txt"), &metrics);
            }
        }
    }
    Some(deployments.iter().map(operator).collect())
}

fn operator(deployment: &Deployment) -> (String, String, i32, i32) {
    let namespace = deployment.namespace().unwrap_or_default();
    let template = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let image = template.and_then(|spec| spec.containers.first()?.image.clone());
    let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas);
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas);
    (
        format!("{namespace}/{}", deployment.name_any()),
        image.unwrap_or_default(),
        ready.unwrap_or(0),
        wanted.unwrap_or(1),
    )
}

/// What has the labels of an operator, in all namespaces, or in those that may be looked into.
async fn found<K>(cluster: &Cluster) -> Result<Vec<K>, Trouble>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + serde::de::DeserializeOwned
        + std::fmt::Debug,
{
    let what = format!("list the {} of the operator", K::plural(&()));
    let labelled = ListParams::default().labels(OPERATOR);
    let everywhere = Api::<K>::all(cluster.client.clone());
    let asked = async { Ok(everywhere.list(&labelled).await) };
    match cluster.ask(&what, asked).await? {
        Ok(list) => return Ok(list.items),
        Err(Error::Api(status)) if status.code == 403 => {}
        Err(error) => return Err(Trouble::asking(&what, &error)),
    }
    let system = Api::<K>::namespaced(cluster.client.clone(), SYSTEM);
    Ok(cluster.ask(&what, system.list(&labelled)).await?.items)
}
