//! What is heard of the cluster: that something has changed, and no more than its metadata, but for
//! where pods are. Each watch is tried again by itself: one that is refused must not make the operator
//! deaf to the others.

use crds::StreamingTDA;
use futures_util::{Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Resource};
use std::fmt::Debug;
use std::future::ready;

/// How many seconds a watch lasts. Five more, and one that has told nothing counts as cut off: so much
/// later at most is something seen that happened meanwhile.
const WATCH: u32 = 45;
/// The label that all children have.
const CHILDREN: &str = "app.kubernetes.io/managed-by=streaming-tda-operator";

/// The resources that are there, and those that have changed; the writer's store has them all.
pub(crate) fn resources(
    client: &Client,
    scope: Option<&str>,
    writer: Writer<PartialObjectMeta<StreamingTDA>>,
) -> impl Stream<Item = Result<PartialObjectMeta<StreamingTDA>, watcher::Error>> + Send + use<> {
    heard::<PartialObjectMeta<StreamingTDA>>(client, scope, watcher::Config::default())
        .modify(|resource| {
            resource.metadata.managed_fields = None;
            resource.metadata.annotations = None;
        })
        .reflect(writer)
        .applied_objects()
}

/// The children of a kind that are there, and those that have changed or gone.
pub(crate) fn children<K>(
    client: &Client,
    scope: Option<&str>,
) -> impl Stream<Item = Result<PartialObjectMeta<K>, watcher::Error>> + Send + use<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + Debug + Send + Sync + 'static,
{
    let config = watcher::Config::default().labels(CHILDREN);
    heard::<PartialObjectMeta<K>>(client, scope, config).touched_objects()
}

/// The pods of the workers, as far as it matters where they are; the writer's store has them all.
pub(crate) fn pods(
    client: &Client,
    scope: Option<&str>,
    writer: Writer<Pod>,
) -> impl Stream<Item = Result<Event<Pod>, watcher::Error>> + Send + use<> {
    heard(client, scope, watcher::Config::default().labels(CHILDREN)).modify(trim).reflect(writer)
}

/// What of a pod is not looked at takes most of its memory.
pub(crate) fn trim(pod: &mut Pod) {
    pod.metadata.managed_fields = None;
    pod.metadata.annotations = None;
    if let Some(spec) = &mut pod.spec {
        spec.volumes = None;
        for container in &mut spec.containers {
            let ports = container.ports.take();
            *container = Container { ports, ..Container::default() };
        }
    }
}

/// What goes wrong is logged here, and tried again later: it does not end the stream, and is not in it.
fn heard<K>(
    client: &Client,
    scope: Option<&str>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + use<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let api: Api<K> = match scope {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    watcher(api, config.timeout(WATCH)).default_backoff().filter(|heard| {
        if let Err(error) = heard {
            tracing::warn!(kind = %K::kind(&()), %error, "cannot watch");
        }
        ready(heard.is_ok())
    })
}
