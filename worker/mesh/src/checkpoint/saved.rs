use super::cell::{Cell, Kind};
use super::format::{Entry, Header};
use super::{Ledger, Place, Settings, VERSION, Witness, key, v1};
use crate::Error;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// What the checkpoint topic holds of a partition.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Fingerprints of what results depend on.
    pub settings: Settings,
    /// Partitions that the input had, if known.
    pub partitions: Option<i32>,
    /// Offset of the first record that had not been computed.
    pub next: i64,
    /// The last record before it, if known.
    pub last: Option<Witness>,
    /// What the group had committed of another topic that had the same name: while it is still
    /// what is committed, it says nothing of this one.
    pub outdated: Option<i64>,
    /// Offsets of records that were rejected because the registry did not know their schema.
    pub unknown: Vec<i64>,
    /// The live series, the least recently seen first.
    pub series: Vec<SavedSeries>,
    /// What the next checkpoint may leave as it is.
    pub ledger: Ledger,
}

/// What is known of a series.
#[derive(Clone, Debug)]
pub struct SavedSeries {
    /// The series.
    pub series: String,
    /// Where to resume it.
    pub place: Place,
    /// What remembers more than a window, as JSON.
    pub state: Option<Box<RawValue>>,
    /// What the windows held just before the place.
    pub points: Option<Vec<u8>>,
}

/// All versions have this in common.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Saved {
    /// The checkpoint of a partition of the topic `input`, among the last values of all keys of
    /// the checkpoint topic.
    ///
    /// # Errors
    /// When it is there and cannot be understood.
    pub fn find(
        group: &str,
        input: &str,
        partition: i32,
        records: &HashMap<String, Vec<u8>>,
    ) -> Result<Option<Saved>, Error> {
        let partition_key = key(&format!("{group}/{input}"), partition);
        let mut ledger = Ledger::of(&partition_key, records);
        let (mut found, mut broken) = (None::<Saved>, None);
        for header in headers(&partition_key, records) {
            match open(header, records) {
                Ok(saved) if found.as_ref().is_some_and(|f| f.next >= saved.next) => {}
                Ok(saved) => found = Some(saved),
                Err(Flaw::Newer(version)) => return Err(Error::Newer { partition, version }),
                Err(Flaw::Broken(reason)) => broken = Some(reason),
            }
        }
        match (found, broken) {
            (Some(saved), _) => {
                ledger.take_over(saved.ledger);
                Ok(Some(Saved { ledger, ..saved }))
            }
            (None, Some(reason)) => Err(Error::Checkpoint { partition, reason }),
            (None, None) => Ok(None),
        }
    }

    /// Whether the record with this key is about one of these partitions of the topic `input`: no
    /// other is needed to find their checkpoints.
    pub(super) fn concerns(group: &str, input: &str, partitions: &[i32], key: &str) -> bool {
        let rest = key.strip_prefix(group).and_then(|key| key.strip_prefix('/'));
        let rest = rest.and_then(|key| key.strip_prefix(input)).and_then(|k| k.strip_prefix('/'));
        let partition = rest.and_then(|rest| rest.split(['@', '/']).next());
        let partition = partition.and_then(|number| number.parse().ok());
        partition.is_some_and(|partition| partitions.contains(&partition))
    }
}

/// What keeps a checkpoint from being used.
enum Flaw {
    /// It has a later version.
    Newer(u32),
    /// A part of it is missing or damaged.
    Broken(String),
}

/// The keys of all headers of a partition: each writer has one of its own, but for those of a
/// version that knew no writers.
fn headers<'a>(
    partition: &'a str,
    records: &'a HashMap<String, Vec<u8>>,
) -> impl Iterator<Item = &'a String> {
    let is_header = |rest: &str| rest.is_empty() || rest.starts_with('@') && !rest.contains('/');
    records.keys().filter(move |key| key.strip_prefix(partition).is_some_and(is_header))
}

fn open(header: &str, records: &HashMap<String, Vec<u8>>) -> Result<Saved, Flaw> {
    let value = &records[header];
    let Versioned { version } = parse(value).map_err(Flaw::Broken)?;
    match version {
        1 => v1::read(header, value, records).map_err(Flaw::Broken),
        VERSION => read(header, value, records).map_err(Flaw::Broken),
        version => Err(Flaw::Newer(version)),
    }
}

fn read(header: &str, value: &[u8], records: &HashMap<String, Vec<u8>>) -> Result<Saved, String> {
    let Header { settings, partitions, next, last, outdated, unknown, shards, .. } = parse(value)?;
    let mut ledger = Ledger::default();
    ledger.shards = shards.len();
    let mut series = Vec::new();
    for (index, generation) in shards.into_iter().enumerate() {
        let cell = Cell::new(Kind::Series, index.to_string());
        for entry in parse::<Vec<Entry>>(&cell.join(header, generation, records)?)? {
            series.push(open_series(header, entry, records, &mut ledger)?);
        }
    }
    series.sort_by_key(|known: &SavedSeries| known.place.seen);
    let partitions = Some(partitions);
    Ok(Saved { settings, partitions, next, last, outdated, unknown, series, ledger })
}

/// The series of an entry, with its parts.
fn open_series(
    header: &str,
    entry: Entry,
    records: &HashMap<String, Vec<u8>>,
    ledger: &mut Ledger,
) -> Result<SavedSeries, String> {
    let Entry { series, place, state, points } = entry;
    let mut part = |kind, generation: Option<u64>| {
        let Some(generation) = generation else { return Ok(None) };
        let cell = Cell::new(kind, series.as_str());
        let value = cell.join(header, generation, records)?;
        ledger.inherit(cell, value.clone());
        Ok::<_, String>(Some(value))
    };
    let (state, points) = (part(Kind::State, state)?, part(Kind::Points, points)?);
    let state = state.as_deref().map(parse).transpose()?;
    Ok(SavedSeries { series, place, state, points })
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(value: &[u8]) -> Result<T, String> {
    serde_json::from_slice(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_records_about_the_partitions_of_the_group_are_needed() {
        let concerns = |key: &str| Saved::concerns("g", "in", &[1, 12], key);
        for key in ["g/in/1", "g/in/1@w", "g/in/12@w/s/a/state.0", "g/in/1/series/0"] {
            assert!(concerns(key), "{key}");
        }
        for key in ["g/in/2@w", "g/in/11@w", "g/in2/1@w", "g2/in/1@w", "g/in/", "g/in/x", "g/in"] {
            assert!(!concerns(key), "{key}");
        }
    }
}
