use super::adjacency::NONE;
use super::evaluate::CENTRES;
use super::order::Edge;

/// An edge whose lune is not known to be a cone, and what is known about the lune instead.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) edge: Edge,
    /// Where its older end keeps the edge; [`NONE`] in a free record.
    pub(super) position: u32,
    /// The lune is as recorded until this vertex leaves.
    pub(super) minimum: u32,
    /// A vertex of the first component of the lune; [`NONE`] before the first evaluation.
    pub(super) base: u32,
    /// A vertex of each further component.
    pub(super) others: Box<[u32]>,
    /// Vertices of a connected lune, or [`NONE`]. A point that is adjacent to one of them leaves
    /// it connected.
    pub(super) centres: [u32; CENTRES],
}

/// The records, by number.
#[derive(Debug, Default)]
pub(super) struct Records {
    records: Vec<Record>,
    /// By record: changes whenever the components' vertices do; 0 for a free record.
    stamps: Vec<u64>,
    free: Vec<u32>,
    last_stamp: u64,
}

impl Records {
    pub(super) fn add(&mut self, edge: Edge, position: u32) -> u32 {
        let record = Record {
            edge,
            position,
            minimum: NONE,
            base: NONE,
            others: Box::default(),
            centres: [NONE; CENTRES],
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.records[number as usize] = record;
                number
            }
            None => {
                self.records.push(record);
                self.stamps.push(0);
                (self.records.len() - 1) as u32
            }
        };
        self.renew(number);
        number
    }

    /// Gives a record a stamp that none has had.
    pub(super) fn renew(&mut self, number: u32) -> u64 {
        self.last_stamp += 1;
        self.stamps[number as usize] = self.last_stamp;
        self.last_stamp
    }

    pub(super) fn stamp(&self, number: u32) -> u64 {
        self.stamps[number as usize]
    }

    pub(super) fn remove(&mut self, number: u32) {
        let record = &mut self.records[number as usize];
        record.position = NONE;
        record.others = Box::default();
        self.stamps[number as usize] = 0;
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
        let others: usize = self.records.iter().map(|r| r.others.len()).sum();
        self.records.capacity() * size_of::<Record>()
            + self.stamps.capacity() * size_of::<u64>()
            + (self.free.capacity() + others) * size_of::<u32>()
    }
}

impl Record {
    pub(super) fn is_live(&self) -> bool {
        self.position != NONE
    }
}
