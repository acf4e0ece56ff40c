//! What is heard of the cluster: that something has changed, and no more than its metadata. Each watch
//! is tried again by itself: one that is refused must not make the operator deaf to the others.

use crds::StreamingTDA;
use futures_util::{Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
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
    heard(client, scope, watcher::Config::default())
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
    heard(client, scope, watcher::Config::default().labels(CHILDREN)).touched_objects()
}

/// What goes wrong is logged here, and tried again later: it does not end the stream, and is not in it.
fn heard<K>(
    client: &Client,
    scope: Option<&str>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<PartialObjectMeta<K>>, watcher::Error>> + Send + use<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + Debug + Send + Sync + 'static,
{
    let api: Api<PartialObjectMeta<K>> = match scope {
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
