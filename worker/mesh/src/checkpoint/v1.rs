//! Version 1: a header that lists all series, and a JSON state in two slots for each.

use super::cell::{Cell, Kind};
use super::saved::parse;
use super::{Ledger, Place, Saved, SavedSeries};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Header {
    settings: String,
    next: i64,
    /// The least recently seen first.
    series: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    series: String,
    start: i64,
    sample: u64,
    generation: Option<u64>,
}

#[derive(Deserialize)]
struct Slot {
    generation: u64,
    state: Box<RawValue>,
}

/// The checkpoint with this header.
pub(super) fn read(
    header: &str,
    value: &[u8],
    records: &HashMap<String, Vec<u8>>,
) -> Result<Saved, String> {
    let Header { settings, next, series } = parse(value)?;
    let mut ledger = Ledger::default();
    let open = |(index, entry): (usize, Entry)| {
        let Entry { series, start, sample, .. } = &entry;
        // The order is all that version 1 knows of when a series was seen.
        let place = Place { start: *start, sample: *sample, seen: (-1, index as u32) };
        let (series, state) = (series.clone(), state(header, &entry, records)?);
        if let Some(state) = &state {
            let value = state.get().as_bytes().to_vec();
            ledger.inherit(Cell::new(Kind::State, series.as_str()), value);
        }
        Ok(SavedSeries { series, place, state, points: None })
    };
    let series: Result<_, String> = series.into_iter().enumerate().map(open).collect();
    Ok(Saved {
        settings: [("all".to_owned(), settings)].into(),
        partitions: None,
        next,
        last: None,
        outdated: None,
        unknown: Vec::new(),
        series: series?,
        ledger,
    })
}

fn state(
    header: &str,
    entry: &Entry,
    records: &HashMap<String, Vec<u8>>,
) -> Result<Option<Box<RawValue>>, String> {
    let Entry { series, generation: Some(generation), .. } = entry else { return Ok(None) };
    let slot = records.get(&format!("{header}/{series}/{}", generation % 2));
    let slot: Slot = parse(slot.ok_or_else(|| format!("no state of series {series:?}"))?)?;
    match slot.generation == *generation {
        true => Ok(Some(slot.state)),
        false => Err(format!(
            "series {series:?} has state {}, its header names {generation}",
            slot.generation
        )),
    }
}
