use super::Blueprint;
use crate::child::{Child, Kind};
use crate::names::{selector, shared};
use crds::spec::Unavailable;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// How many workers may be missing when nodes are emptied, over all revisions. One that is not ready
/// may always go: it has no partitions.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Child {
    let unavailable = match &blueprint.resource.spec.disruption_budget.max_unavailable {
        Unavailable::Pods(pods) => IntOrString::Int(*pods),
        Unavailable::Share(share) => IntOrString::String(share.clone()),
    };
    let budget = PodDisruptionBudget {
        metadata: blueprint.shared(),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(unavailable),
            selector: Some(LabelSelector {
                match_labels: Some(selector(&blueprint.name())),
                ..LabelSelector::default()
            }),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".into()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    };
    Child::new(Kind::PodDisruptionBudget, &shared(&blueprint.name()), &budget)
}
