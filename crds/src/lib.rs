//! The resources of StreamingTDA on Kubernetes.
//!
//! [`StreamingTDA`] is what a user writes: where the points are, at which scales they are looked at,
//! and what runs that. [`PartitionAssignment`] is what the operator tells the workers: which revision
//! does what on which partition. [`definitions`] are the custom resource definitions of both, with
//! every rule that the API server can check; [`worker::configuration`] is the configuration of a
//! worker that a [`StreamingTDA`] stands for.
//!
//! # Names
//! Fields have the names of the worker's configuration in camel case, words are in Pascal case, and a
//! number ends in its unit: `checkpoint_ms: 5000` there is `checkpointMilliseconds: 5000` here,
//! `delivery: at_least_once` is `delivery: AtLeastOnce`. Where the worker reads a file, a resource
//! names a key of a Secret or a ConfigMap.

pub mod assignment;
mod conditions;
mod definition;
pub mod labels;
mod not_yet;
mod schema;
pub mod spec;
pub mod status;
pub mod worker;

pub use assignment::{PartitionAssignment, PartitionAssignmentSpec, PartitionAssignmentStatus};
pub use conditions::ConditionType;
pub use definition::{Definition, definitions, metadata};
pub use spec::{StreamingTDA, StreamingTDASpec};
pub use status::StreamingTDAStatus;

/// The API group of both resources.
pub const GROUP: &str = "streamingtda.io";
/// The version of the API.
pub const VERSION: &str = "v1alpha1";
