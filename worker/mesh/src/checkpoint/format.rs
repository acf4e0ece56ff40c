//! What the records of version 2 say.

use super::{Place, Settings, Witness};
use serde::{Deserialize, Serialize};

/// The header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The version of the format.
    pub(crate) version: u32,
    /// Fingerprints of what results depend on.
    pub(crate) settings: Settings,
    /// Partitions of the input.
    pub(crate) partitions: i32,
    /// Offset of the first record that had not been computed.
    pub(crate) next: i64,
    /// The last record before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<Witness>,
    /// What the group had committed of another topic under the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outdated: Option<i64>,
    /// Offsets of records whose schema the registry did not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unknown: Vec<i64>,
    /// The generation of each shard of the list of all series.
    pub(crate) shards: Vec<u64>,
}

/// A series in its shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) series: String,
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The generation of what it remembers, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<u64>,
    /// The generation of its points, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<u64>,
}
