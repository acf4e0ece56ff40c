//! Where the workers are, and when they are asked.

use super::ask::Asker;
use super::{Fleet, Place, Worker};
use crate::names::{NAME, REVISION};
use crate::watches;
use crds::StreamingTDA;
use futures_util::StreamExt;
use futures_util::stream::iter;
use k8s_openapi::api::core::v1::Pod;
use kube::api::PartialObjectMeta;
use kube::runtime::reflector::{self, Store};
use kube::{Client, ResourceExt};
use std::collections::HashMap;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How often workers are asked.
const ROUND: Duration = Duration::from_secs(10);
/// How long a round may take: who has not answered by then has not.
const LONGEST: Duration = Duration::from_secs(30);
/// Workers that are asked at the same time.
const CONCURRENCY: usize = 256;

/// Watches the pods of a namespace, or of all, and asks their workers again and again; `changed` is told
/// which of the `resources` there is something new of.
pub(crate) async fn watch(
    client: &Client,
    namespace: Option<&str>,
    fleet: Arc<Fleet>,
    resources: Store<PartialObjectMeta<StreamingTDA>>,
    changed: impl Fn(Place),
) {
    let (store, writer) = reflector::store();
    let pods = watches::pods(client, namespace, writer).for_each(|_| ready(()));
    let rounds = async {
        // It ends with the watch only.
        if store.wait_until_ready().await.is_err() {
            return;
        }
        let mut turn = 0;
        loop {
            sleep(ROUND).await;
            // Of a resource that has gone, nothing else may ever be heard.
            let there = resources.state();
            let there = there.iter().map(|r| (r.namespace().unwrap_or_default(), r.name_any()));
            fleet.keep(namespace, &there.collect());
            round(namespace, &store, &fleet, &mut turn, &changed).await;
        }
    };
    tokio::join!(pods, rounds);
}

/// Asks all workers, as far as there is time, those first whose `turn` it is: they had none before.
async fn round(
    namespace: Option<&str>,
    store: &Store<Pod>,
    fleet: &Fleet,
    turn: &mut usize,
    changed: &impl Fn(Place),
) {
    let places = fleet.places(namespace);
    let mut crews: HashMap<Place, Vec<Worker>> =
        places.into_iter().map(|place| (place, Vec::new())).collect();
    let mut asked = Vec::new();
    for pod in store.state().iter().filter(|pod| is_ready(pod)) {
        let Some((place, revision)) = crew(pod) else { continue };
        let Some(workers) = crews.get_mut(&place) else { continue };
        asked.extend(address(pod).map(|address| (place.clone(), workers.len(), address)));
        workers.push(Worker { revision, report: None });
    }
    let first = *turn % asked.len().max(1);
    asked.rotate_left(first);
    let asker = Asker::default();
    let ask = |(place, index, address)| {
        let asker = asker.clone();
        async move { (place, index, asker.ask(address).await) }
    };
    let answers = iter(asked).map(ask).buffer_unordered(CONCURRENCY);
    let mut answers = Box::pin(answers.take_until(sleep_until(Instant::now() + LONGEST)));
    *turn = first;
    while let Some((place, index, report)) = answers.next().await {
        *turn += 1;
        if let Some(worker) = crews.get_mut(&place).and_then(|workers| workers.get_mut(index)) {
            worker.report = report;
        }
    }
    for (place, workers) in crews {
        if fleet.saw(&place, &workers) {
            changed(place);
        }
    }
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True");
    ready && pod.metadata.deletion_timestamp.is_none()
}

/// The resource and the revision that a pod is for.
fn crew(pod: &Pod) -> Option<(Place, String)> {
    let (name, revision) = (pod.labels().get(NAME)?, pod.labels().get(REVISION)?);
    Some(((pod.namespace()?, name.clone()), revision.clone()))
}

fn address(pod: &Pod) -> Option<SocketAddr> {
    let address = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
    // Others may add containers to a pod, also before ours.
    let containers = &pod.spec.as_ref()?.containers;
    let mut ports = containers.iter().flat_map(|container| container.ports.iter().flatten());
    let port = ports.find(|port| port.name.as_deref() == Some(crate::build::PORT))?;
    Some(SocketAddr::new(address, port.container_port.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_worker_is_found_beside_what_others_put_before_it() {
        let port = |name, number| json!([{"name": name, "containerPort": number}]);
        let mut pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "ecg-1"},
            "spec": {"containers": [
                {"name": "proxy", "image": "proxy", "ports": port("admin", 15000)},
                {"name": "worker", "image": "worker", "ports": port("http", 9090)},
            ]},
            "status": {"podIP": "10.0.0.7"},
        }))
        .unwrap();
        watches::trim(&mut pod);
        assert_eq!(address(&pod), Some("10.0.0.7:9090".parse().unwrap()));
    }
}
