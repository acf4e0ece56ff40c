//! Reads what a plan is made from. Everything is asked of the API server itself, so that nothing is
//! decided by what was the case before the last write.

use crate::child::{Key, Kind};
use crate::fleet::Known;
use crate::names;
use crate::observed::Observed;
use crate::revision::Settings;
use crds::StreamingTDA;
use futures_util::future::try_join_all;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, ObjectMeta};
use kube::core::TypeMeta;
use kube::{Client, ResourceExt};
use serde_json::Value;

/// Reads all that belongs to a resource.
///
/// # Errors
/// When the API server does not answer, or refuses to.
pub async fn observe(
    client: &Client,
    settings: &Settings,
    resource: StreamingTDA,
) -> Result<Observed, kube::Error> {
    let kinds = Kind::ALL.map(|kind| list(client, kind, &resource));
    let lists = try_join_all(kinds).await?;
    let known = |kind: Kind| lists.iter().any(|(k, list)| *k == kind && list.is_some());
    Ok(Observed {
        monitors: known(Kind::ServiceMonitor),
        settings: settings.clone(),
        children: lists
            .into_iter()
            .flat_map(|(kind, list)| list.into_iter().flatten().map(move |o| keyed(kind, o)))
            .collect(),
        known: Known::default(),
        refusal: None,
        resource,
    })
}

/// The children of a kind; none when the API server does not know the kind.
async fn list(
    client: &Client,
    kind: Kind,
    resource: &StreamingTDA,
) -> Result<(Kind, Option<Vec<DynamicObject>>), kube::Error> {
    let namespace = resource.namespace().unwrap_or_default();
    let api = api(client, kind, &namespace);
    let query = ListParams::default().labels(&names::query(&resource.name_any()));
    match api.list(&query).await {
        Ok(list) => {
            let ours = list.items.into_iter().filter(|object| controls(resource, object));
            Ok((kind, Some(ours.collect())))
        }
        // Of a group that it does not know, the API server says so without a reason.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok((kind, None)),
        Err(error) => Err(error),
    }
}

/// Whether an object is a child of this very resource, and not of another one of its name.
pub(crate) fn controls(resource: &StreamingTDA, object: &DynamicObject) -> bool {
    let uid = resource.metadata.uid.as_deref();
    let mut owners = object.owner_references().iter();
    owners.any(|owner| owner.controller == Some(true) && Some(owner.uid.as_str()) == uid)
}

/// Where children of a kind are.
pub(crate) fn api(client: &Client, kind: Kind, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &kind.resource())
}

/// Where a resource is, and those beside it, whether this operator understands them or not.
pub(crate) fn resources(client: &Client, metadata: &ObjectMeta) -> Api<DynamicObject> {
    let resource = ApiResource::erase::<StreamingTDA>(&());
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    Api::namespaced_with(client.clone(), namespace, &resource)
}

fn keyed(kind: Kind, mut object: DynamicObject) -> (Key, Value) {
    // Items of a list do not say what they are.
    let resource = kind.resource();
    object.types = Some(TypeMeta { api_version: resource.api_version, kind: resource.kind });
    object.metadata.managed_fields = None;
    let key = Key::new(kind, object.name_any());
    // Its keys are strings, and its numbers finite.
    (key, serde_json::to_value(object).unwrap_or_default())
}
