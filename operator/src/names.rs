//! Names, labels and annotations of what the operator keeps.

use crate::revision::Revision;
pub use crds::labels::{NAME, REVISION};
use std::collections::BTreeMap;

/// The field manager of the children.
pub const MANAGER: &str = "streaming-tda-operator";
/// The field manager of the status.
pub const STATUS_MANAGER: &str = "streaming-tda-operator-status";
/// The annotation with a hash of all that was applied, by which fields that are no longer asked for
/// are noticed.
pub const APPLIED: &str = "streamingtda.io/applied";
/// The annotation with the generation of the spec that a revision was first seen in.
pub const GENERATION: &str = "streamingtda.io/generation";

/// What is one for the resource, whatever its revisions: `<resource>-workers`. A resource's name has at
/// most 40 characters, so that this is a name for a Service too.
pub fn shared(resource: &str) -> String {
    format!("{resource}-workers")
}

/// What is one for each revision: `<resource>-<revision>`.
pub fn of_revision(resource: &str, revision: &Revision) -> String {
    format!("{resource}-{revision}")
}

/// The labels of everything that belongs to a resource.
pub fn labels(resource: &str) -> BTreeMap<String, String> {
    let labels = [
        ("app.kubernetes.io/name", "streaming-tda-worker"),
        ("app.kubernetes.io/instance", resource),
        ("app.kubernetes.io/managed-by", MANAGER),
        (NAME, resource),
    ];
    labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The labels of everything that belongs to a revision.
pub fn labels_of_revision(resource: &str, revision: &Revision) -> BTreeMap<String, String> {
    let mut labels = labels(resource);
    labels.insert(REVISION.into(), revision.to_string());
    labels
}

/// The labels by which the pods of a resource are selected.
pub fn selector(resource: &str) -> BTreeMap<String, String> {
    [(NAME.to_owned(), resource.to_owned())].into()
}

/// The labels by which the pods of one revision are selected.
pub fn selector_of_revision(resource: &str, revision: &Revision) -> BTreeMap<String, String> {
    let mut selector = selector(resource);
    selector.insert(REVISION.into(), revision.to_string());
    selector
}

/// The children of a resource, as a query of labels.
pub fn query(resource: &str) -> String {
    format!("app.kubernetes.io/managed-by={MANAGER},{NAME}={resource}")
}
