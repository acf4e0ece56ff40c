use super::adjacency::NONE;
use super::order::Edge;

/// An edge whose lune is not known to be a cone, and what is known about the lune instead.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) edge: Edge,
    /// Where its older end keeps the edge; [`NONE`] in a free record.
    pub(super) position: u32,
    /// The lune is as recorded until this vertex leaves.
    pub(super) minimum: u32,
    /// A vertex of the first component of the lune, or [`NONE`] before the first evaluation.
    pub(super) base: u32,
    /// A vertex of each further component.
    pub(super) others: Vec<u32>,
    /// Two adjacent vertices that together are adjacent to the whole lune, which is therefore
    /// connected; or [`NONE`].
    pub(super) centres: [u32; 2],
    /// Changes whenever the components' vertices do; 0 in a free record.
    pub(super) stamp: u64,
}

/// The records, by number.
#[derive(Debug, Default)]
pub(super) struct Records {
    records: Vec<Record>,
    free: Vec<u32>,
    stamp: u64,
}

impl Records {
    pub(super) fn add(&mut self, edge: Edge, position: u32) -> u32 {
        let stamp = self.next_stamp();
        let record = Record {
            edge,
            position,
            minimum: NONE,
            base: NONE,
            others: Vec::new(),
            centres: [NONE; 2],
            stamp,
        };
        match self.free.pop() {
            Some(number) => {
                self.records[number as usize] = record;
                number
            }
            None => {
                self.records.push(record);
                (self.records.len() - 1) as u32
            }
        }
    }

    pub(super) fn next_stamp(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }

    pub(super) fn remove(&mut self, number: u32) {
        let record = &mut self.records[number as usize];
        (record.position, record.stamp) = (NONE, 0);
        record.others = Vec::new();
        self.free.push(number);
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &Record {
        &self.records[number as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> &mut Record {
        &mut self.records[number as usize]
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let others: usize = self.records.iter().map(|r| r.others.capacity()).sum();
        self.records.capacity() * size_of::<Record>()
            + (self.free.capacity() + others) * size_of::<u32>()
    }
}

impl Record {
    pub(super) fn is_live(&self) -> bool {
        self.position != NONE
    }
}
