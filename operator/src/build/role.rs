use super::Blueprint;
use crate::child::{Child, Kind};
use crate::names::shared;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role};

/// What the workers may do: read the map of partitions of their resource, and report in its status.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Child {
    let rule = |resource: &str, verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![crds::GROUP.into()]),
        resources: Some(vec![resource.into()]),
        resource_names: Some(vec![blueprint.name()]),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    };
    let role = Role {
        metadata: blueprint.shared(),
        rules: Some(vec![
            rule("partitionassignments", &["get", "list", "watch"]),
            rule("partitionassignments/status", &["patch"]),
        ]),
    };
    Child::new(Kind::Role, &shared(&blueprint.name()), &role)
}
