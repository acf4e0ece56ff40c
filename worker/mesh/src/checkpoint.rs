//! Where to resume a partition, kept in a compacted topic.
//!
//! A window is a function of the records of its series, so a checkpoint holds no points: it says
//! which record is next, and for each series from which record on its windows are to be rebuilt.
//! Only what remembers more than a window (detectors, calibration) is stored as it is.
//!
//! A partition has one **header** record, with the key `<group>/<topic>/<partition>`, and for
//! each series that has a state two **slots**, `<group>/<topic>/<partition>/<series>/<0|1>`. A
//! changed state is written to the slot that the last header does not name, and the next header
//! names it. So every prefix of the log holds the whole state of its last header, although the
//! records are not written in one transaction, and a series at rest costs nothing.
//!
//! What is not promised: two workers that both believe to own a partition for a moment may
//! overwrite each other's slots. The reader sees by the generation that a slot is not the one its
//! header names, and reports an error instead of a wrong state.

mod past;
mod reader;
mod writer;

pub use past::Past;
pub use reader::{Reader, Saved};
pub use writer::Writer;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version of the format that this worker writes.
pub const VERSION: u32 = 1;

/// What a header record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub version: u32,
    /// Fingerprint of the settings that results depend on.
    pub settings: String,
    /// Offset of the first record whose outputs are not yet acknowledged.
    pub next: i64,
    /// The live series, the least recently seen first.
    pub series: Vec<Place>,
}

/// Where to resume a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The series.
    pub series: String,
    /// Offset of a record of the series, at or before the oldest that any window needs.
    pub start: i64,
    /// 0-based index in the series of the sample in that record.
    pub sample: u64,
    /// The generation of the stored state, when there is one. Its parity is its slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
}

/// What a slot record says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) generation: u64,
    pub(crate) state: Box<RawValue>,
}

/// What a worker wants to be remembered of a partition.
#[derive(Debug)]
pub struct Snapshot {
    /// Fingerprint of the settings that results depend on.
    pub settings: String,
    /// Offset of the first record that has not been computed.
    pub next: i64,
    /// The live series, the least recently seen first.
    pub series: Vec<Remembered>,
}

/// What a worker wants to be remembered of a series.
#[derive(Debug)]
pub struct Remembered {
    /// The series.
    pub series: String,
    /// Offset of a record of the series, at or before the oldest that any window needs.
    pub start: i64,
    /// 0-based index in the series of the sample in that record.
    pub sample: u64,
    /// What remembers more than a window.
    pub state: State,
}

/// The part of a series that is not a function of its last samples.
#[derive(Debug)]
pub enum State {
    /// There is none.
    Absent,
    /// As in the checkpoint before.
    Unchanged,
    /// As JSON.
    Changed(Box<RawValue>),
}

/// The keys of one partition's records.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) header: String,
}

impl Keys {
    /// The name is `<group>/<topic>`.
    pub(crate) fn new(name: &str, partition: i32) -> Keys {
        Keys { header: format!("{name}/{partition}") }
    }

    pub(crate) fn slot(&self, series: &str, generation: u64) -> String {
        format!("{}/{series}/{}", self.header, generation % 2)
    }
}
