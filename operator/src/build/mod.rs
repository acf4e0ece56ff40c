//! What a resource's children should be; one file for each kind.

mod config_map;
mod controller_revision;
mod deployment;
mod disruption_budget;
mod network_policy;
mod role;
mod role_binding;
mod service;
mod service_account;
mod service_monitor;

pub use controller_revision::Remembered;

use crate::child::Child;
use crate::difference;
use crate::names;
use crate::revision::{Revision, Settings};
use crds::StreamingTDA;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};
use std::collections::BTreeMap;

/// The name of the port of the pods, which everything that is about it names.
pub(crate) const PORT: &str = "http";

/// What children are made from.
#[derive(Clone, Copy, Debug)]
pub struct Blueprint<'a> {
    /// The resource.
    pub resource: &'a StreamingTDA,
    /// What the operator was installed with.
    pub settings: &'a Settings,
    /// The revision that the resource asks for.
    pub revision: &'a Revision,
    /// How many pods there are to be.
    pub replicas: i32,
    /// What is to be remembered about it.
    pub remembered: Remembered,
    /// Whether the API server knows ServiceMonitors.
    pub monitors: bool,
}

impl Blueprint<'_> {
    /// All children that there should be, in the order in which they are to be written. Each is
    /// [sealed](difference::seal).
    pub fn children(&self) -> Vec<Child> {
        let mut children = vec![
            controller_revision::build(self),
            service_account::build(self),
            role::build(self),
            role_binding::build(self),
            config_map::build(self),
            service::build(self),
            disruption_budget::build(self),
        ];
        children.extend(network_policy::build(self));
        children.extend(service_monitor::build(self));
        children.push(deployment::build(self));
        children.sort_by_key(|child| child.key.kind);
        for child in &mut children {
            difference::seal(&mut child.manifest);
        }
        children
    }

    fn name(&self) -> String {
        self.resource.name_any()
    }

    /// Of a child that is one for the resource.
    fn shared(&self) -> ObjectMeta {
        self.metadata(names::shared(&self.name()), names::labels(&self.name()))
    }

    /// Of a child of the revision.
    fn of_revision(&self) -> ObjectMeta {
        let name = names::of_revision(&self.name(), self.revision);
        self.metadata(name, names::labels_of_revision(&self.name(), self.revision))
    }

    fn metadata(&self, name: String, labels: BTreeMap<String, String>) -> ObjectMeta {
        ObjectMeta {
            name: Some(name),
            namespace: self.resource.namespace(),
            labels: Some(labels),
            owner_references: self.resource.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        }
    }
}
