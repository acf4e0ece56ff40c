//! What the operator keeps for a resource, of whatever kind.

use kube::core::{ApiResource, GroupVersionKind};
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// The kinds of children, in the order in which they are written: nothing comes before what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Remembers a revision.
    ControllerRevision,
    /// Who the workers are.
    ServiceAccount,
    /// What they may do.
    Role,
    /// That they may do it.
    RoleBinding,
    /// Their configuration.
    ConfigMap,
    /// Where they are found.
    Service,
    /// How many may be missing.
    PodDisruptionBudget,
    /// Who may talk to them.
    NetworkPolicy,
    /// How Prometheus scrapes them.
    ServiceMonitor,
    /// The workers.
    Deployment,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 10] = [
        Kind::ControllerRevision,
        Kind::ServiceAccount,
        Kind::Role,
        Kind::RoleBinding,
        Kind::ConfigMap,
        Kind::Service,
        Kind::PodDisruptionBudget,
        Kind::NetworkPolicy,
        Kind::ServiceMonitor,
        Kind::Deployment,
    ];

    /// How the API server knows it.
    pub fn resource(self) -> ApiResource {
        let (group, version) = match self {
            Kind::ControllerRevision | Kind::Deployment => ("apps", "v1"),
            Kind::Role | Kind::RoleBinding => ("rbac.authorization.k8s.io", "v1"),
            Kind::ServiceAccount | Kind::ConfigMap | Kind::Service => ("", "v1"),
            Kind::PodDisruptionBudget => ("policy", "v1"),
            Kind::NetworkPolicy => ("networking.k8s.io", "v1"),
            Kind::ServiceMonitor => ("monitoring.coreos.com", "v1"),
        };
        let kind = GroupVersionKind::gvk(group, version, self.name());
        match self {
            Kind::NetworkPolicy => ApiResource::from_gvk_with_plural(&kind, "networkpolicies"),
            _ => ApiResource::from_gvk(&kind),
        }
    }

    /// The kind of a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Kind::ControllerRevision => "ControllerRevision",
            Kind::ServiceAccount => "ServiceAccount",
            Kind::Role => "Role",
            Kind::RoleBinding => "RoleBinding",
            Kind::ConfigMap => "ConfigMap",
            Kind::Service => "Service",
            Kind::PodDisruptionBudget => "PodDisruptionBudget",
            Kind::NetworkPolicy => "NetworkPolicy",
            Kind::ServiceMonitor => "ServiceMonitor",
            Kind::Deployment => "Deployment",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which child, in the namespace of its resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of this kind and name.
    pub fn new(kind: Kind, name: impl Into<String>) -> Key {
        Key { kind, name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A child as it should be: all fields that the operator has a say in, and no others.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Which one.
    pub key: Key,
    /// Its manifest.
    pub manifest: Value,
}

impl Child {
    /// A child from an object of Kubernetes.
    pub fn new(kind: Kind, name: &str, object: &impl Serialize) -> Child {
        // The keys of these objects are strings, and their numbers finite.
        let manifest = serde_json::to_value(object).unwrap_or_default();
        Child { key: Key::new(kind, name), manifest }
    }
}
