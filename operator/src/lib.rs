//! The operator: keeps a cluster what its [`StreamingTDA`](crds::StreamingTDA) resources say.
//!
//! A resource is [observed](observe), what to do about it is [planned](plan::plan), and the plan is
//! [executed](execute). Only the first and the last know an API server; the plan is a function of
//! what was observed and of the time.
//!
//! # What is kept for a resource
//! For each **revision**, the hash of all that changes results or processes: a Deployment, the
//! ConfigMap with the configuration of its workers, and a ControllerRevision that remembers it. For
//! the resource, whatever its revisions: a Service, a ServiceAccount with a Role and a RoleBinding, a
//! PodDisruptionBudget, and a ServiceMonitor and a NetworkPolicy where they are asked for. All are
//! owned by the resource, so that the cluster's garbage collector takes them when it goes; there is
//! no finalizer, since nothing outside the cluster is made.
//!
//! # How a changed spec comes into force
//! `AllAtOnce`: the Deployment of the new revision is made, and as soon as it is there, the old one is
//! deleted. It is not waited for new pods to be ready: both revisions are members of one consumer
//! group, so that until the old one goes, each would compute some of the partitions, every partition
//! would change hands twice, and nodes would need room for both. The price is a pause of a start, and
//! that a revision whose pods cannot start serves nothing until the spec changes.

mod backoff;
pub mod build;
pub mod capacity;
mod check;
pub mod child;
pub mod conditions;
pub mod controller;
pub mod difference;
pub mod events;
pub mod execute;
pub mod fleet;
mod http;
pub mod leader;
mod lease;
pub mod metrics;
pub mod names;
pub mod observe;
pub mod observed;
pub mod plan;
mod quantity;
pub mod revision;
mod run;
pub mod scaling;
pub mod serving;
pub mod status;
mod watches;

pub use run::{Arguments, run};
