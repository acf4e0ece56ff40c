//! Values of any size in a compacted topic, each in two alternating slots.

use std::collections::HashMap;

/// Bytes of a value in one record at most: well below the megabyte that brokers take by default.
const CHUNK: usize = 512 << 10;
/// The generation and the number of chunks, before the bytes.
const PREFIX: usize = 12;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A shard of the list of all series.
    Series,
    /// What a series remembers.
    State,
    /// The points of a series.
    Points,
}

/// The name of a cell: of a shard, or of a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cell {
    pub(crate) kind: Kind,
    pub(crate) name: String,
}

/// One record of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) slot: u64,
    pub(crate) chunk: usize,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Series => "series",
            Kind::State => "state",
            Kind::Points => "points",
        }
    }
}

impl Cell {
    pub(crate) fn new(kind: Kind, name: impl Into<String>) -> Cell {
        Cell { kind, name: name.into() }
    }

    /// The key of a record, below that of the header.
    pub(crate) fn key(&self, header: &str, part: Spot) -> String {
        let (name, kind, Spot { slot, chunk }) = (&self.name, self.kind.name(), part);
        match chunk {
            0 => format!("{header}/{name}/{kind}.{slot}"),
            _ => format!("{header}/{name}/{kind}.{slot}.{chunk}"),
        }
    }

    /// The value of a generation, as the records hold it.
    ///
    /// # Errors
    /// When they hold another one, or not all of it.
    pub(crate) fn join(
        &self,
        header: &str,
        generation: u64,
        records: &HashMap<String, Vec<u8>>,
    ) -> Result<Vec<u8>, String> {
        let slot = generation % 2;
        let what = || format!("the {} of {:?}", self.kind.name(), self.name);
        let (mut value, mut chunk, mut chunks) = (Vec::new(), 0, 1);
        while chunk < chunks {
            let record = records.get(&self.key(header, Spot { slot, chunk }));
            let record = record.ok_or_else(|| format!("{} is not there", what()))?;
            let (found, count, bytes) =
                open(record).ok_or_else(|| format!("{} is cut off", what()))?;
            if found != generation {
                let what = what();
                return Err(format!("{what} has generation {found}, its header says {generation}"));
            }
            value.extend_from_slice(bytes);
            (chunk, chunks) = (chunk + 1, count);
        }
        Ok(value)
    }
}

/// The payloads of the records of a value, in order.
pub(crate) fn split(generation: u64, value: &[u8]) -> Vec<Vec<u8>> {
    let count = value.len().div_ceil(CHUNK).max(1);
    let chunk = |index: usize| {
        let bytes = &value[index * CHUNK..value.len().min((index + 1) * CHUNK)];
        let mut payload = Vec::with_capacity(PREFIX + bytes.len());
        payload.extend(generation.to_le_bytes());
        payload.extend((count as u32).to_le_bytes());
        payload.extend(bytes);
        payload
    };
    (0..count).map(chunk).collect()
}

/// The generation, the number of chunks and the bytes in a record.
fn open(payload: &[u8]) -> Option<(u64, usize, &[u8])> {
    let (generation, rest) = payload.split_first_chunk::<8>()?;
    let (count, bytes) = rest.split_first_chunk::<4>()?;
    Some((u64::from_le_bytes(*generation), u32::from_le_bytes(*count) as usize, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_any_size_comes_back_or_its_fault_is_told() {
        let cell = Cell::new(Kind::Points, "a/b");
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7] {
            let value: Vec<u8> = (0..size).map(|i| (i / 7) as u8).collect();
            let chunks = split(5, &value);
            assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK + PREFIX));
            let key = |chunk| cell.key("h", Spot { slot: 1, chunk });
            let mut records: HashMap<_, _> =
                chunks.into_iter().enumerate().map(|(chunk, bytes)| (key(chunk), bytes)).collect();
            assert!(cell.join("h", 5, &records).unwrap() == value, "{size}");
            assert!(cell.join("h", 7, &records).unwrap_err().contains("generation 5"));
            records.remove(&key(records.len() - 1));
            assert!(cell.join("h", 5, &records).unwrap_err().contains("not there"));
        }
    }
}
