use super::Blueprint;
use crate::child::{Child, Kind};
use crate::names::shared;
use k8s_openapi::api::core::v1::ServiceAccount;

/// Who the workers are. No token of it is mounted: they do not talk to the API server.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Child {
    let account = ServiceAccount {
        metadata: blueprint.shared(),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    };
    Child::new(Kind::ServiceAccount, &shared(&blueprint.name()), &account)
}
