//! What a worker says of itself over HTTP, asked through the API server.

use crate::Trouble;
use crate::cluster::Cluster;
use http::Request;
use k8s_openapi::api::core::v1::Pod;
use kube::{Error, ResourceExt};
use serde::Deserialize;
use std::time::Duration;

/// How long a worker may take for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// The name of the port that a worker listens on.
const PORT: &str = "http";

/// What a worker answers at `/status`. What it does not know is not there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct WorkerStatus {
    /// Its consumer group.
    pub(crate) group: Option<String>,
    /// The topic that it reads.
    pub(crate) topic: Option<String>,
    pub(crate) revision: Option<String>,
    /// Partitions of the topic; 0 until the brokers have told it.
    pub(crate) partitions_total: Option<i32>,
    /// The share of their time for which its threads compute, in percent.
    pub(crate) busy_percent: Option<f64>,
    /// Those that it owns.
    pub(crate) partitions: Vec<Owned>,
}

/// A partition that a worker owns.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Owned {
    pub(crate) partition: i32,
    /// `Replaying`, `Running` or `Waiting`.
    pub(crate) state: Option<String>,
    /// The offset of the record that it takes next.
    pub(crate) next_offset: Option<i64>,
    /// The offset behind the last record that there is.
    pub(crate) end_offset: Option<i64>,
    pub(crate) lag_records: Option<i64>,
    pub(crate) lag_seconds: Option<f64>,
    /// Series that it holds.
    pub(crate) series: Option<i64>,
    pub(crate) points_per_second: Option<f64>,
}

/// The port that a worker listens on.
fn port(pod: &Pod) -> Option<i32> {
    let containers = &pod.spec.as_ref()?.containers;
    let mut ports = containers.iter().flat_map(|container| container.ports.iter().flatten());
    ports.find(|port| port.name.as_deref() == Some(PORT)).map(|port| port.container_port)
}

/// What a worker answers at a path, such as `/status`.
///
/// # Errors
/// Why there is no answer, in a few words.
pub(crate) async fn ask(cluster: &Cluster, pod: &Pod, path: &str) -> Result<String, Trouble> {
    let Some(port) = port(pod) else {
        return Err(Trouble(format!("none of its containers has a port named {PORT}")));
    };
    let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
    let uri = format!("/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy{path}");
    let request = Request::get(uri).body(Vec::new());
    let request = request.map_err(|error| Trouble(format!("it cannot be asked: {error}")))?;
    match tokio::time::timeout(ANSWER, cluster.client.request_text(request)).await {
        Ok(answer) => answer.map_err(|error| silence(&error)),
        Err(_) => Err(Trouble(format!("it did not answer within {} s", ANSWER.as_secs()))),
    }
}

/// Why a worker gave no answer.
fn silence(error: &Error) -> Trouble {
    match error {
        Error::Api(status) if status.code == 403 => Trouble(format!(
            "you may not ask it ({}): ask whoever runs the cluster for the verb get on pods/proxy",
            status.message.trim()
        )),
        Error::Api(status) if status.code == 404 => {
            Trouble("it answers with 404: it is of a version that does not tell this".into())
        }
        Error::Api(status) => {
            Trouble(format!("the API server cannot reach it: {}", status.message.trim()))
        }
        other => Trouble::asking("ask it", other),
    }
}

/// What a worker answers at `/status`.
///
/// # Errors
/// Why there is no answer, in a few words.
pub(crate) async fn status(cluster: &Cluster, pod: &Pod) -> Result<WorkerStatus, Trouble> {
    let answer = ask(cluster, pod, "/status").await?;
    serde_json::from_str(&answer)
        .map_err(|error| Trouble(format!("its answer is not understood: {error}")))
}
