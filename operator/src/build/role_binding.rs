use super::Blueprint;
use crate::child::{Child, Kind};
use crate::names::shared;
use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};
use kube::ResourceExt;

/// That the workers may do what their role says.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Child {
    let name = shared(&blueprint.name());
    let binding = RoleBinding {
        metadata: blueprint.shared(),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".into(),
            kind: "Role".into(),
            name: name.clone(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".into(),
            name: name.clone(),
            namespace: blueprint.resource.namespace(),
            ..Subject::default()
        }]),
    };
    Child::new(Kind::RoleBinding, &name, &binding)
}
