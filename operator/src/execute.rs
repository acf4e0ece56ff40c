//! Brings a plan into force, by server-side apply.

use crate::child::{Key, Kind};
use crate::metrics::Metrics;
use crate::names::{MANAGER, STATUS_MANAGER};
use crate::observe::{api, controls, resources};
use crate::observed::Refusal;
use crate::plan::{Delete, Plan, Write};
use crds::{StreamingTDA, StreamingTDAStatus};
use kube::api::{DeleteParams, DynamicObject, ObjectMeta, Patch, PatchParams, Preconditions};
use kube::{Client, Resource, ResourceExt};
use serde_json::{Value, json};

/// Why a plan did not come into force.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server does not take something, and will not as long as all is as it is.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// What was there before has not gone yet.
    #[error("the {0} of a resource that was here before has not gone yet")]
    Leaving(Key),
    /// Something did not work that may work another time.
    #[error("cannot write {what}: {source}")]
    Failed {
        /// What was to be written.
        what: String,
        /// Why it was not.
        source: kube::Error,
    },
}

/// Writes and deletes the children that a plan names, one after another; the first error ends it.
///
/// # Errors
/// [`Error::Refused`] when trying again is of no use until someone changes something, or else
/// [`Error::Failed`].
pub async fn children(
    client: &Client,
    metrics: &Metrics,
    resource: &StreamingTDA,
    plan: &Plan,
) -> Result<(), Error> {
    for write in &plan.writes {
        apply(client, resource, write).await?;
        tracing::info!(child = %write.child.key, "written");
        metrics.wrote(write.child.key.kind.name(), "apply");
    }
    for outdated in &plan.deletes {
        delete(client, resource, outdated).await?;
        tracing::info!(child = %outdated.key, "deleted");
        metrics.wrote(outdated.key.kind.name(), "delete");
    }
    Ok(())
}

async fn apply(client: &Client, resource: &StreamingTDA, write: &Write) -> Result<(), Error> {
    let key = &write.child.key;
    let api = api(client, key.kind, &resource.namespace().unwrap_or_default());
    let failed = |source| refused(key, source);
    let mut ours = write.ours;
    if !ours && let Some(there) = api.get_opt(&key.name).await.map_err(failed)? {
        if there.metadata.deletion_timestamp.is_some() || is_a_namesakes(resource, &there) {
            return Err(Error::Leaving(key.clone()));
        }
        // Its labels may be gone.
        ours = controls(resource, &there);
        if !ours {
            return Err(Error::Refused(taken(key)));
        }
    }
    let mut how = PatchParams::apply(MANAGER);
    how.force = ours;
    api.patch(&key.name, &how, &Patch::Apply(&write.child.manifest)).await.map_err(failed)?;
    Ok(())
}

async fn delete(client: &Client, resource: &StreamingTDA, outdated: &Delete) -> Result<(), Error> {
    let Delete { key, uid } = outdated;
    let api = api(client, key.kind, &resource.namespace().unwrap_or_default());
    let this = Preconditions { uid: Some(uid.clone()), resource_version: None };
    let how = match key.kind {
        // It is there for as long as its pods are.
        Kind::Deployment => DeleteParams::foreground(),
        _ => DeleteParams::background(),
    };
    match api.delete(&key.name, &how.preconditions(this)).await {
        Ok(_) => Ok(()),
        // It has gone, or another one has come.
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(()),
        Err(source) => Err(refused(key, source)),
    }
}

/// Whether an object is a child of another resource that had the same name; the garbage collector
/// takes it.
fn is_a_namesakes(resource: &StreamingTDA, object: &DynamicObject) -> bool {
    let mut owners = object.owner_references().iter();
    owners.any(|owner| {
        owner.controller == Some(true)
            && owner.kind == StreamingTDA::kind(&())
            && owner.name == resource.name_any()
            && Some(&owner.uid) != resource.metadata.uid.as_ref()
    })
}

fn taken(key: &Key) -> Refusal {
    let message = format!(
        "there is a {key} that does not belong to this resource: delete it, or give the resource \
         another name",
    );
    Refusal { reason: "NameTaken", message }
}

fn refused(key: &Key, source: kube::Error) -> Error {
    if let kube::Error::Api(status) = &source {
        let reason = match status {
            status if status.is_forbidden() => Some("Forbidden"),
            status if status.is_invalid() => Some("Invalid"),
            _ => None,
        };
        if let Some(reason) = reason {
            let message = format!("the {key} is refused: {}", status.message);
            return Error::Refused(Refusal { reason, message });
        }
    }
    Error::Failed { what: format!("the {key}"), source }
}

/// Writes the whole status of a resource.
///
/// # Errors
/// [`Error::Failed`].
pub async fn status(
    client: &Client,
    metrics: &Metrics,
    metadata: &ObjectMeta,
    status: &StreamingTDAStatus,
) -> Result<(), Error> {
    let name = metadata.name.clone().unwrap_or_default();
    let api = resources(client, metadata);
    let patch: Value = json!({
        "apiVersion": StreamingTDA::api_version(&()),
        "kind": StreamingTDA::kind(&()),
        // Another one of the same name has a status of its own.
        "metadata": {"name": name, "uid": metadata.uid},
        "status": status,
    });
    let how = PatchParams::apply(STATUS_MANAGER).force();
    match api.patch_status(&name, &how, &Patch::Apply(&patch)).await {
        Ok(_) => metrics.wrote("StreamingTDA", "status"),
        Err(kube::Error::Api(gone)) if gone.is_not_found() => {}
        Err(source) => return Err(Error::Failed { what: "the status".into(), source }),
    }
    Ok(())
}
