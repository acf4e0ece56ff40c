use super::cell::{Cell, Kind};
use super::format::{Entry, Header};
use super::{Ledger, Place, Settings, VERSION, Witness, fnv, key, v1};
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
        let header = key(&format!("{group}/{input}"), partition);
        let Some(value) = records.get(&header) else { return Ok(None) };
        let broken = |reason| Error::Checkpoint { partition, reason };
        let Versioned { version } = parse(value).map_err(broken)?;
        match version {
            1 => v1::read(&header, value, records).map(Some).map_err(broken),
            VERSION => read(&header, value, records).map(Some).map_err(broken),
            version => Err(Error::Newer { partition, version }),
        }
    }
}

fn read(header: &str, value: &[u8], records: &HashMap<String, Vec<u8>>) -> Result<Saved, String> {
    let Header { settings, partitions, next, last, shards, .. } = parse(value)?;
    let mut ledger = Ledger::of(header, records);
    ledger.shards = shards.len();
    let mut series = Vec::new();
    for (index, generation) in shards.into_iter().enumerate() {
        let cell = Cell::new(Kind::Series, index.to_string());
        let list = cell.join(header, generation, records)?;
        for entry in parse::<Vec<Entry>>(&list)? {
            series.push(open(header, entry, records, &mut ledger)?);
        }
        ledger.confirm(cell, generation, Some(fnv(&list)));
    }
    series.sort_by_key(|known: &SavedSeries| known.place.seen);
    Ok(Saved { settings, partitions: Some(partitions), next, last, series, ledger })
}

/// The series of an entry, with its parts.
fn open(
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
        ledger.confirm(cell, generation, None);
        Ok::<_, String>(Some(value))
    };
    let (state, points) = (part(Kind::State, state)?, part(Kind::Points, points)?);
    let state = state.as_deref().map(parse).transpose()?;
    Ok(SavedSeries { series, place, state, points })
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(value: &[u8]) -> Result<T, String> {
    serde_json::from_slice(value).map_err(|error| error.to_string())
}
