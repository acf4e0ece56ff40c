use super::cell::{self, Cell, Spot};
use std::collections::{BTreeMap, HashMap};

/// What the checkpoint topic holds of a partition: what the next checkpoint may leave as it is,
/// and what it makes superfluous.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// In the order of their names, so that the same checkpoint gives the same records.
    cells: BTreeMap<Cell, Held>,
    /// Shards of the list of all series in the last header.
    pub(super) shards: usize,
    /// Keys of older versions.
    old: Vec<String>,
}

/// What there is of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) generation: u64,
    /// Fingerprint of the value, if known.
    pub(super) digest: Option<u64>,
    /// Records in each slot.
    pub(super) chunks: [usize; 2],
}

impl Ledger {
    /// What stands in `records`, below the header with this key.
    pub(super) fn of(header: &str, records: &HashMap<String, Vec<u8>>) -> Ledger {
        let mut ledger = Ledger::default();
        let below = |key: &str| key.strip_prefix(header).is_some_and(|rest| rest.starts_with('/'));
        for (key, value) in records.iter().filter(|(key, _)| below(key)) {
            match Cell::parse(header, key) {
                Some((cell, part)) => ledger.see(cell, part, value),
                None => ledger.old.push(key.clone()),
            }
        }
        ledger.old.sort_unstable();
        ledger
    }

    fn see(&mut self, cell: Cell, part: Spot, value: &[u8]) {
        let held = self.cells.entry(cell).or_default();
        let chunks = &mut held.chunks[part.slot as usize];
        *chunks = (*chunks).max(part.chunk + 1);
        let generation = cell::open(value).map_or(0, |(generation, ..)| generation);
        held.generation = held.generation.max(generation);
    }

    /// The header leads to this generation of a cell.
    pub(super) fn confirm(&mut self, cell: Cell, generation: u64, digest: Option<u64>) {
        let held = self.cells.entry(cell).or_default();
        (held.generation, held.digest) = (generation, digest);
    }

    /// Takes what is held of a cell out.
    pub(super) fn take(&mut self, cell: &Cell) -> Option<Held> {
        self.cells.remove(cell)
    }

    /// Puts what is held of a cell in.
    pub(super) fn put(&mut self, cell: Cell, held: Held) {
        self.cells.insert(cell, held);
    }

    /// The keys of all records that are held.
    pub(super) fn into_keys(self, header: &str) -> Vec<String> {
        let cells = self.cells.into_iter();
        let keys = cells.flat_map(|(cell, held)| held.keys(header, &cell, [0, 0]));
        self.old.into_iter().chain(keys).collect()
    }
}

impl Held {
    /// The keys of the records behind the first `keep` of each slot.
    pub(super) fn keys(self, header: &str, cell: &Cell, keep: [usize; 2]) -> Vec<String> {
        let slots = (0..2u64).zip(keep).zip(self.chunks);
        let parts = slots.flat_map(|((slot, keep), chunks)| {
            (keep..chunks).map(move |chunk| Spot { slot, chunk })
        });
        parts.map(|part| cell.key(header, part)).collect()
    }
}
