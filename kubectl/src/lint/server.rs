//! What the API server itself says of a resource that is not written.

use super::Finding;
use super::document::Node;
use crate::Trouble;
use crate::cluster::Cluster;
use crds::{GROUP, VERSION};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::{GroupVersionKind, Status};
use kube::{Error, ResourceExt};

/// Who would have written it.
const MANAGER: &str = "kubectl-stda";

/// What the API server refuses of a resource.
pub(super) async fn check(
    cluster: &Cluster,
    kind: &str,
    node: &Node,
) -> Result<Vec<Finding>, Trouble> {
    let gvk = GroupVersionKind::gvk(GROUP, VERSION, kind);
    let Ok(object) = serde_json::from_value::<DynamicObject>(node.value()) else {
        return Ok(vec![Finding::new("metadata", "metadata cannot be read".into())]);
    };
    let (Some(name), namespace) = (object.metadata.name.clone(), object.namespace()) else {
        // It gets its name when it is made, so that nothing is there to compare it with.
        return Ok(Vec::new());
    };
    let namespace = namespace.unwrap_or_else(|| cluster.namespace.clone());
    let api: Api<DynamicObject> =
        Api::namespaced_with(cluster.client.clone(), &namespace, &ApiResource::from_gvk(&gvk));
    let dry = PatchParams::apply(MANAGER).force().validation_strict().dry_run();
    let patch = Patch::Apply(&object);
    let asked = async { Ok(api.patch(&name, &dry, &patch).await) };
    match cluster.ask(&format!("ask about the {kind} {name}"), asked).await? {
        Ok(_) => Ok(Vec::new()),
        Err(Error::Api(status)) if [400, 404, 422].contains(&status.code) => Ok(refused(&status)),
        Err(error) => Err(Trouble::asking(&format!("ask about the {kind} {name}"), &error)),
    }
}

fn refused(status: &Status) -> Vec<Finding> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let findings: Vec<Finding> =
        causes.map(|cause| Finding::new(&cause.field, cause.message.clone())).collect();
    match findings.is_empty() {
        true => vec![Finding::new("", status.message.clone())],
        false => findings,
    }
}
