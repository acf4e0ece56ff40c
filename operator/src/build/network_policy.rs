use super::{Blueprint, PORT};
use crate::child::{Child, Kind};
use crate::names::{selector, shared};
use crds::StreamingTDASpec;
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeSet;

/// Of names, and of API servers.
const NAMES: u16 = 53;
const API_SERVERS: [u16; 2] = [443, 6443];

/// Who may talk to the workers, and whom they may talk to, where that is asked for. Brokers tell their
/// own addresses, so that only their ports are known.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Option<Child> {
    let spec = &blueprint.resource.spec;
    if !spec.network_policy.enabled {
        return None;
    }
    let port = |protocol: &str, port: IntOrString| NetworkPolicyPort {
        protocol: Some(protocol.into()),
        port: Some(port),
        end_port: None,
    };
    let number = |number: u16| IntOrString::Int(number.into());
    let reached = reached(spec).into_iter().map(|to| port("TCP", number(to)));
    let ports = [port("UDP", number(NAMES))].into_iter().chain(reached).collect();
    let policy = NetworkPolicy {
        metadata: blueprint.shared(),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector {
                match_labels: Some(selector(&blueprint.name())),
                ..LabelSelector::default()
            }),
            policy_types: Some(vec!["Ingress".into(), "Egress".into()]),
            ingress: Some(vec![NetworkPolicyIngressRule {
                ports: Some(vec![port("TCP", IntOrString::String(PORT.into()))]),
                ..NetworkPolicyIngressRule::default()
            }]),
            egress: Some(vec![NetworkPolicyEgressRule {
                ports: Some(ports),
                ..NetworkPolicyEgressRule::default()
            }]),
        }),
    };
    Some(Child::new(Kind::NetworkPolicy, &shared(&blueprint.name()), &policy))
}

/// The ports of brokers, registry, names and API server.
fn reached(spec: &StreamingTDASpec) -> BTreeSet<u16> {
    let brokers = spec.kafka.brokers.iter().filter_map(|broker| port_of(&broker.0));
    let registry = spec.input.registry.as_ref().map(|registry| port_of_url(&registry.url));
    brokers.chain(registry).chain(API_SERVERS).chain([NAMES]).collect()
}

fn port_of(place: &str) -> Option<u16> {
    place.rsplit_once(':')?.1.parse().ok()
}

fn port_of_url(url: &str) -> u16 {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let place = rest.split('/').next().unwrap_or_default();
    port_of(place).unwrap_or(if scheme == "https" { 443 } else { 80 })
}
