//! Where to resume a partition, kept in a compacted topic.
//!
//! A window is a function of the records of its series, so a checkpoint says which record is next,
//! and for each series from which record on its windows are to be rebuilt. It holds the points only
//! of series that are too slow for that, and as it is what remembers more than a window (detectors,
//! calibration).
//!
//! Each owner of a partition writes under keys of its own: one **header** record, with the key
//! `<group>/<topic>/<partition>@<writer>`. It names **cells**, values of any size: shards of the
//! list of all series, and for each series what it remembers and its points, if any. A cell has two
//! slots, `<header>/<name>/<kind>.<0|1>`; a changed value is written to the slot that the last
//! header does not lead to, and the next header leads to it. So every prefix of the log holds the
//! whole of its last header, although the records are not written in one transaction, and a series
//! at rest costs nothing.
//!
//! Two workers may both believe to own a partition for a while, and what a worker sent may arrive
//! after its successor has begun. Neither touches what the other writes. An owner deletes the
//! records that it found when it began, but only behind a header of its own, so that there is
//! always a checkpoint of which nothing is missing. A reader takes the one of those that has come
//! furthest: what a checkpoint says is a function of the input below its `next`, whoever wrote it.
//!
//! Version 1, which had no shards and no points, can still be read.

mod cell;
mod format;
mod ledger;
mod past;
mod reader;
mod saved;
mod v1;
mod writer;

pub use ledger::Ledger;
pub use past::Past;
pub use reader::Reader;
pub use saved::{Saved, SavedSeries};
pub use writer::Writer;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The version of the format that this worker writes.
pub const VERSION: u32 = 2;

/// Fingerprints of what results depend on, by what it is.
pub type Settings = BTreeMap<String, String>;

/// What a worker wants to be remembered of a partition.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Fingerprints of what results depend on.
    pub settings: Settings,
    /// Partitions of the input.
    pub partitions: i32,
    /// Offset of the first record that has not been computed.
    pub next: i64,
    /// The last record before it.
    pub last: Option<Witness>,
    /// What the group had committed of another topic that had the same name, if nothing is known
    /// to be committed since.
    pub outdated: Option<i64>,
    /// Offsets, from the oldest that a replay reads on, of records that were rejected because the
    /// registry did not know their schema; it might when they are read again.
    pub unknown: Vec<i64>,
    /// The live series, in any order.
    pub series: Vec<Remembered>,
}

/// A record by which a partition is known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Its offset.
    pub offset: i64,
    /// Fingerprint of its timestamp, key and value.
    pub digest: String,
}

/// What a worker wants to be remembered of a series.
#[derive(Debug)]
pub struct Remembered {
    /// The series.
    pub series: String,
    /// Where to resume it.
    pub place: Place,
    /// What remembers more than a window, as JSON.
    pub state: Part<Box<RawValue>>,
    /// What the windows held just before the place, when they cannot be rebuilt from there.
    pub points: Part<Vec<u8>>,
}

/// Where to resume a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Offset of a record, not after the first that is needed.
    pub start: i64,
    /// 0-based index in the series of its first sample from there on.
    pub sample: u64,
    /// Offset of the last record of the series, and the 0-based place in it of its last sample:
    /// who was seen last.
    pub seen: (i64, u32),
}

/// A part of what is remembered.
#[derive(Debug)]
pub enum Part<T> {
    /// There is none.
    Absent,
    /// As in the checkpoint before.
    Unchanged,
    /// Another than before.
    Changed(T),
}

impl<T> Part<T> {
    /// The part made into another type.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Part::Absent => Part::Absent,
            Part::Unchanged => Part::Unchanged,
            Part::Changed(value) => Part::Changed(change(value)),
        }
    }
}

impl Witness {
    /// The witness that a record is.
    pub fn of(record: &crate::Record) -> Witness {
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        Witness { offset: record.offset, digest: digest(record.timestamp, key, value) }
    }
}

fn digest(timestamp: Option<i64>, key: Option<&[u8]>, value: Option<&[u8]>) -> String {
    let mut bytes = timestamp.unwrap_or(-1).to_le_bytes().to_vec();
    for part in [key, value] {
        bytes.extend(part.map_or(-1, |part| part.len() as i64).to_le_bytes());
        bytes.extend(part.unwrap_or_default());
    }
    fingerprint(&bytes)
}

/// The key of a partition's header; the name is `<group>/<topic>`.
pub(crate) fn key(name: &str, partition: i32) -> String {
    format!("{name}/{partition}")
}

/// FNV-1a in hexadecimal: stable over versions and machines, unlike the hashes of the standard
/// library.
pub fn fingerprint(bytes: &[u8]) -> String {
    format!("{:016x}", fnv(bytes))
}

pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_same_everywhere() {
        assert_eq!(fingerprint(b"foobar"), "85944171f73967e8");
    }

    #[test]
    fn a_witness_tells_apart_what_is_absent_and_what_is_empty() {
        let parts: [[Option<&[u8]>; 2]; 4] = [
            [Some(b"a"), Some(b"b")],
            [Some(b"ab"), Some(b"")],
            [Some(b"ab"), None],
            [None, Some(b"ab")],
        ];
        let mut digests: Vec<_> =
            parts.iter().map(|[key, value]| digest(Some(1), *key, *value)).collect();
        digests.push(digest(None, Some(b"a"), Some(b"b")));
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 5);
    }
}
