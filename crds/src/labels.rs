//! The labels by which what belongs to a resource is found.

/// The label with the name of the resource, on all that belongs to it, its pods included.
pub const NAME: &str = "streamingtda.io/name";
/// The label with the name of the revision.
pub const REVISION: &str = "streamingtda.io/revision";
