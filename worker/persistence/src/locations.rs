//! Equal points are one location.
//!
//! A copy of a point changes nothing but pairs of length zero in degree 0, which are left out.
//! So the engines see each location once, however often a sensor that stands still repeats it.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// The distinct points of a window.
#[derive(Debug)]
pub(crate) struct Locations {
    dimension: usize,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Row-major coordinates of each location.
    points: Vec<f32>,
    /// Stream index of the newest copy.
    newest: Vec<u64>,
    free: Vec<u32>,
}

impl Locations {
    pub(crate) fn new(dimension: usize) -> Locations {
        Locations {
            dimension,
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            points: Vec::new(),
            newest: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn point(&self, location: u32) -> &[f32] {
        &self.points[location as usize * self.dimension..][..self.dimension]
    }

    /// Stream index of the newest copy at a location.
    pub(crate) fn newest(&self, location: u32) -> u64 {
        self.newest[location as usize]
    }

    /// The live locations, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.table.iter().copied()
    }

    /// Notes that `point` was seen as number `index`; gives its location, and whether it is new.
    /// The coordinates have no negative zeros, so that equal points have equal bits.
    pub(crate) fn see(&mut self, point: &[f32], index: u64) -> (u32, bool) {
        let hash = self.hash(point);
        let same = |&location: &u32| self.point(location) == point;
        if let Some(&location) = self.table.find(hash, same) {
            self.newest[location as usize] = index;
            return (location, false);
        }
        let location = match self.free.pop() {
            Some(location) => {
                let row = location as usize * self.dimension;
                self.points[row..][..self.dimension].copy_from_slice(point);
                self.newest[location as usize] = index;
                location
            }
            None => {
                self.points.extend_from_slice(point);
                self.newest.push(index);
                (self.newest.len() - 1) as u32
            }
        };
        let (points, hasher, d) = (&self.points, &self.hasher, self.dimension);
        let rehash = |&l: &u32| hash_point(hasher, &points[l as usize * d..][..d]);
        self.table.insert_unique(hash, location, rehash);
        (location, true)
    }

    /// Forgets a location.
    pub(crate) fn forget(&mut self, location: u32) {
        let hash = self.hash(self.point(location));
        if let Ok(entry) = self.table.find_entry(hash, |&l| l == location) {
            entry.remove();
            self.free.push(location);
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.allocation_size()
            + self.points.capacity() * size_of::<f32>()
            + self.newest.capacity() * size_of::<u64>()
            + self.free.capacity() * size_of::<u32>()
    }

    fn hash(&self, point: &[f32]) -> u64 {
        hash_point(&self.hasher, point)
    }
}

fn hash_point(hasher: &DefaultHashBuilder, point: &[f32]) -> u64 {
    use std::hash::Hasher;
    let mut state = hasher.build_hasher();
    point.iter().for_each(|x| state.write_u32(x.to_bits()));
    state.finish()
}
