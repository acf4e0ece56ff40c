//! What the API server itself says of a resource that is not written.

use super::Finding;
use super::document::Node;
use crate::Trouble;
use crate::cluster::Cluster;
use crds::{GROUP, VERSION};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
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
    let namespace = object.namespace().unwrap_or_else(|| cluster.namespace.clone());
    let api: Api<DynamicObject> =
        Api::namespaced_with(cluster.client.clone(), &namespace, &ApiResource::from_gvk(&gvk));
    let what = format!("ask about the {kind} {}", object.name_any());
    let asked = async { Ok(attempt(&api, &object).await) };
    match cluster.ask(&what, asked).await? {
        Ok(_) => Ok(Vec::new()),
        Err(Error::Api(status)) if [400, 404, 422].contains(&status.code) => Ok(refused(&status)),
        Err(error) => Err(Trouble::asking(&what, &error)),
    }
}

/// Writes it, but for the writing.
async fn attempt(api: &Api<DynamicObject>, object: &DynamicObject) -> Result<DynamicObject, Error> {
    match &object.metadata.name {
        Some(name) => {
            let dry = PatchParams::apply(MANAGER).force().validation_strict().dry_run();
            api.patch(name, &dry, &Patch::Apply(object)).await
        }
        // It gets its name when it is made, so that nothing is there to compare it with.
        None => {
            let dry = PostParams { dry_run: true, field_manager: Some(MANAGER.into()) };
            api.create(&dry, object).await
        }
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
