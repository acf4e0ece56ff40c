use super::Blueprint;
use crate::child::{Child, Kind};
use crate::names::of_revision;
use crate::revision::canonical;
use crds::worker::{Placement, configuration};
use k8s_openapi::api::core::v1::ConfigMap;

/// The key of the configuration.
pub(super) const FILE: &str = "worker.yaml";

/// The configuration of the workers of a revision. All revisions are members of one consumer group,
/// so that whichever runs goes on where the one before was.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Child {
    let placement = Placement { group: blueprint.resource.group() };
    let configuration = canonical(configuration(&blueprint.resource.spec, &placement));
    let map = ConfigMap {
        metadata: blueprint.of_revision(),
        data: Some([(FILE.to_owned(), format!("{configuration:#}\n"))].into()),
        ..ConfigMap::default()
    };
    let name = of_revision(&blueprint.name(), blueprint.revision);
    Child::new(Kind::ConfigMap, &name, &map)
}
