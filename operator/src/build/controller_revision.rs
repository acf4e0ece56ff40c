use super::Blueprint;
use crate::child::{Child, Kind};
use crate::names::{GENERATION, of_revision};
use crate::revision::content;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;

/// What is remembered about a revision besides its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its number in the history; the highest is that of the revision asked for last.
    pub number: i64,
    /// The generation of the spec that it was first seen in.
    pub generation: i64,
}

/// Remembers what a revision is, so that it is known when the status is lost.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Child {
    let Remembered { number, generation } = blueprint.remembered;
    let mut metadata = blueprint.of_revision();
    metadata.annotations = Some([(GENERATION.to_owned(), generation.to_string())].into());
    let revision = ControllerRevision {
        metadata,
        revision: number,
        data: Some(RawExtension(content(blueprint.resource, blueprint.settings))),
    };
    let name = of_revision(&blueprint.name(), blueprint.revision);
    Child::new(Kind::ControllerRevision, &name, &revision)
}
