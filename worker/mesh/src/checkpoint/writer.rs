use super::cell::{self, Cell, Kind};
use super::format::{Entry, Header};
use super::ledger::{Held, Ledger};
use super::{Part, Snapshot, VERSION, fnv, key};
use crate::{Outgoing, Target};

/// Bytes that a shard of the list of all series has about, at most.
const SHARD: usize = 128 << 10;

/// Makes the records of one partition's checkpoints.
#[derive(Clone, Debug)]
pub struct Writer {
    header: String,
    ledger: Ledger,
}

/// A checkpoint that is being written.
struct Draft<'a> {
    header: &'a str,
    before: Ledger,
    after: Ledger,
    records: Vec<Outgoing>,
    superfluous: Vec<String>,
}

impl Writer {
    /// Of a partition of which the checkpoint topic holds what is in the `ledger`; `name` is
    /// `<group>/<topic>`. No other writer is called `writer`, which has no `/`.
    pub fn new(name: &str, partition: i32, writer: &str, ledger: Ledger) -> Writer {
        Writer { header: format!("{}@{writer}", key(name, partition)), ledger }
    }

    /// The records of a checkpoint: the cells that changed, then the header, and behind it what
    /// it makes superfluous. To be appended in this order, all of them.
    pub fn records(&mut self, snapshot: Snapshot) -> Vec<Outgoing> {
        let mut draft = Draft {
            header: &self.header,
            before: std::mem::take(&mut self.ledger),
            after: Ledger::default(),
            records: Vec::new(),
            superfluous: Vec::new(),
        };
        let shards = draft.shards(snapshot.series.into_iter());
        let header = Header {
            version: VERSION,
            settings: snapshot.settings,
            partitions: snapshot.partitions,
            next: snapshot.next,
            last: snapshot.last,
            outdated: snapshot.outdated,
            unknown: snapshot.unknown,
            shards,
        };
        draft.records.push(record(self.header.clone(), Some(json(&header))));
        let Draft { before, after, mut records, mut superfluous, .. } = draft;
        superfluous.extend(before.into_keys(&self.header));
        records.extend(superfluous.into_iter().map(|key| record(key, None)));
        self.ledger = after;
        records
    }
}

impl Draft<'_> {
    /// Writes the cells of all series, and the list of them; gives the generations of its shards.
    fn shards(&mut self, series: impl Iterator<Item = super::Remembered>) -> Vec<u64> {
        let entries: Vec<Entry> = series.map(|remembered| self.entry(remembered)).collect();
        let count = shards(self.before.shards, &entries);
        let mut lists = vec![Vec::new(); count];
        for entry in entries {
            lists[fnv(entry.series.as_bytes()) as usize % count].push(entry);
        }
        self.after.shards = count;
        let write = |(index, mut list): (usize, Vec<Entry>)| {
            list.sort_unstable_by(|a, b| a.series.cmp(&b.series));
            self.write(Cell::new(Kind::Series, index.to_string()), &json(&list))
        };
        lists.into_iter().enumerate().map(write).collect()
    }

    fn entry(&mut self, remembered: super::Remembered) -> Entry {
        let super::Remembered { series, place, state, points } = remembered;
        let state = state.map(|state| state.get().as_bytes().to_vec());
        let state = self.part(Cell::new(Kind::State, series.as_str()), state);
        let points = self.part(Cell::new(Kind::Points, series.as_str()), points);
        Entry { series, place, state, points }
    }

    /// Writes a part if need be; gives its generation.
    fn part(&mut self, cell: Cell, part: Part<Vec<u8>>) -> Option<u64> {
        match part {
            Part::Absent => None,
            Part::Changed(value) => Some(self.write(cell, &value)),
            Part::Unchanged => match self.before.inherited(&cell) {
                Some(value) => Some(self.write(cell, &value)),
                None => {
                    let held = self.before.take(&cell)?;
                    self.after.put(cell, held);
                    Some(held.generation)
                }
            },
        }
    }

    /// Writes a value to the other slot of its cell, unless it is there; gives its generation.
    fn write(&mut self, cell: Cell, value: &[u8]) -> u64 {
        let (before, digest) = (self.before.take(&cell), fnv(value));
        if let Some(held) = before.filter(|held| held.digest == digest) {
            self.after.put(cell, held);
            return held.generation;
        }
        let generation = before.map_or(0, |held| held.generation + 1);
        let payloads = cell::split(generation, value);
        let mut held = Held { generation, digest, ..before.unwrap_or_default() };
        let slot = generation % 2;
        let mut keep = held.chunks;
        keep[slot as usize] = payloads.len();
        self.superfluous.extend(held.keys(self.header, &cell, keep));
        held.chunks[slot as usize] = payloads.len();
        for (chunk, payload) in payloads.into_iter().enumerate() {
            let key = cell.key(self.header, cell::Spot { slot, chunk });
            self.records.push(record(key, Some(payload)));
        }
        self.after.put(cell, held);
        generation
    }
}

/// How many shards the list should have, when it had `before`: another number rewrites them all.
fn shards(before: usize, entries: &[Entry]) -> usize {
    // A number of a place has ten digits or so.
    let bytes: usize = entries.iter().map(|entry| entry.series.len() + 120).sum();
    let count = bytes.div_ceil(SHARD).next_power_of_two();
    if count < before && count * 4 > before { before } else { count }
}

fn record(key: String, payload: Option<Vec<u8>>) -> Outgoing {
    Outgoing {
        to: Target::Checkpoints,
        key: Some(key.as_bytes().to_vec()),
        id: key,
        payload,
        headers: Vec::new(),
        timestamp: None,
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a checkpoint has string keys only")
}
