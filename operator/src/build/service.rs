use super::{Blueprint, PORT};
use crate::child::{Child, Kind};
use crate::names::{selector, shared};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Where the workers of all revisions are found, each under its own address: what is asked is each
/// worker's own. Those that are not ready are found too, since their metrics say why.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Child {
    let service = Service {
        metadata: blueprint.shared(),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".into()),
            publish_not_ready_addresses: Some(true),
            selector: Some(selector(&blueprint.name())),
            ports: Some(vec![ServicePort {
                name: Some(PORT.into()),
                port: blueprint.resource.spec.observability.port,
                protocol: Some("TCP".into()),
                target_port: Some(IntOrString::String(PORT.into())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    };
    Child::new(Kind::Service, &shared(&blueprint.name()), &service)
}
