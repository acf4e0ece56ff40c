use super::cell::{Cell, Spot};
use std::collections::{BTreeMap, HashMap};

/// What the checkpoint topic holds of a partition: what the next checkpoint may leave as it is,
/// what it has to write once more under its writer's own keys, and what it makes superfluous.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// What the writer wrote, in the order of the names, so that the same checkpoint gives the
    /// same records.
    cells: BTreeMap<Cell, Held>,
    /// Values of parts that another writer wrote.
    inherited: BTreeMap<Cell, Vec<u8>>,
    /// Shards of the list of all series in the last header.
    pub(super) shards: usize,
    /// Keys of other writers.
    old: Vec<String>,
}

/// What there is of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) generation: u64,
    /// Fingerprint of the value.
    pub(super) digest: u64,
    /// Records in each slot.
    pub(super) chunks: [usize; 2],
}

impl Ledger {
    /// What there is in `records` of the partition with this key.
    pub(super) fn of(key: &str, records: &HashMap<String, Vec<u8>>) -> Ledger {
        let mut old: Vec<String> = records.keys().filter(|k| is_of(key, k)).cloned().collect();
        old.sort_unstable();
        Ledger { old, ..Ledger::default() }
    }

    /// A part has this value.
    pub(super) fn inherit(&mut self, cell: Cell, value: Vec<u8>) {
        self.inherited.insert(cell, value);
    }

    /// Takes over what a checkpoint holds.
    pub(super) fn take_over(&mut self, other: Ledger) {
        (self.inherited, self.shards) = (other.inherited, other.shards);
    }

    /// Takes the value of a part that another writer wrote.
    pub(super) fn inherited(&mut self, cell: &Cell) -> Option<Vec<u8>> {
        self.inherited.remove(cell)
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

/// Whether a key of the checkpoint topic is one of the partition with this key.
fn is_of(partition: &str, key: &str) -> bool {
    let rest = key.strip_prefix(partition);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '@']))
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
