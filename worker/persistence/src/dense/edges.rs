//! All edges of a small window, in order, under insertion and removal of vertices.

/// An edge as one word: squared length, then the two slots, so that words compare as edges do.
/// The bits of positive floats compare as the floats do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge(u64);

impl Edge {
    fn new(squared_length: f32, a: u16, b: u16) -> Edge {
        Edge(u64::from(squared_length.to_bits()) << 32 | u64::from(a) << 16 | u64::from(b))
    }

    pub(crate) fn squared_length(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }

    /// The slots of the two ends.
    pub(crate) fn ends(self) -> (usize, usize) {
        ((self.0 >> 16) as u16 as usize, self.0 as u16 as usize)
    }
}

#[derive(Debug)]
pub(crate) struct Edges {
    dimension: usize,
    max_squared: f32,
    /// Coordinate `i` of slot `s` is at `i * capacity + s`; NaN in slots that are free, so that
    /// no comparison of a distance to them holds.
    coordinates: Vec<f32>,
    capacity: usize,
    free: Vec<u16>,
    /// Slots that were freed since the last merge; their edges are still in `sorted`.
    stale: Vec<bool>,
    any_stale: bool,
    sorted: Vec<Edge>,
    /// Edges since the last merge.
    fresh: Vec<Edge>,
    distances: Vec<f32>,
}

impl Edges {
    pub(crate) fn new(dimension: usize, max_squared: f32) -> Edges {
        Edges {
            dimension,
            max_squared,
            coordinates: Vec::new(),
            capacity: 0,
            free: Vec::new(),
            stale: Vec::new(),
            any_stale: false,
            sorted: Vec::new(),
            fresh: Vec::new(),
            distances: Vec::new(),
        }
    }

    /// Slots are below this.
    pub(crate) fn slots(&self) -> usize {
        self.capacity
    }

    pub(crate) fn vertices(&self) -> usize {
        self.capacity - self.free.len()
    }

    pub(crate) fn insert(&mut self, point: &[f32]) -> u16 {
        if self.free.is_empty() {
            self.grow();
        }
        let slot = self.free.pop().expect("growing frees slots");
        self.measure(point);
        for (other, &distance) in self.distances.iter().enumerate() {
            if distance <= self.max_squared {
                self.fresh.push(Edge::new(distance, slot, other as u16));
            }
        }
        for (i, &x) in point.iter().enumerate() {
            self.coordinates[i * self.capacity + slot as usize] = x;
        }
        slot
    }

    pub(crate) fn remove(&mut self, slot: u16) {
        if !self.fresh.is_empty() {
            self.merge();
        }
        for i in 0..self.dimension {
            self.coordinates[i * self.capacity + slot as usize] = f32::NAN;
        }
        self.stale[slot as usize] = true;
        self.any_stale = true;
        self.free.push(slot);
    }

    /// The edges, the shortest first.
    pub(crate) fn sorted(&mut self) -> &[Edge] {
        if self.any_stale || !self.fresh.is_empty() {
            self.merge();
        }
        &self.sorted
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let edges = self.sorted.capacity() + self.fresh.capacity();
        let floats = self.coordinates.capacity() + self.distances.capacity();
        edges * size_of::<Edge>()
            + floats * size_of::<f32>()
            + self.free.capacity() * size_of::<u16>()
            + self.stale.capacity()
    }

    /// Squared distances of `point` to all slots, by the formula of [`crate::metric`].
    fn measure(&mut self, point: &[f32]) {
        self.distances.clear();
        self.distances.resize(self.capacity, 0.0);
        for (x, row) in point.iter().zip(self.coordinates.chunks_exact(self.capacity)) {
            for (sum, y) in self.distances.iter_mut().zip(row) {
                let difference = x - y;
                *sum += difference * difference;
            }
        }
    }

    /// Drops the edges of freed slots and sorts the new ones in.
    fn merge(&mut self) {
        if self.any_stale {
            self.drop_stale();
        }
        self.fresh.sort_unstable();
        self.sorted.extend_from_slice(&self.fresh);
        // Two sorted runs: the stable sort finds and merges them.
        self.sorted.sort();
        self.fresh.clear();
    }

    fn drop_stale(&mut self) {
        let mut kept = 0;
        for i in 0..self.sorted.len() {
            let edge = self.sorted[i];
            let (a, b) = edge.ends();
            self.sorted[kept] = edge;
            kept += usize::from(!(self.stale[a] | self.stale[b]));
        }
        self.sorted.truncate(kept);
        self.stale.fill(false);
        self.any_stale = false;
    }

    /// Makes room for 64 more slots.
    fn grow(&mut self) {
        let capacity = self.capacity + 64;
        let mut coordinates = vec![f32::NAN; self.dimension * capacity];
        for i in 0..self.dimension {
            let row = &self.coordinates[i * self.capacity..][..self.capacity];
            coordinates[i * capacity..][..self.capacity].copy_from_slice(row);
        }
        self.coordinates = coordinates;
        self.free.extend((self.capacity..capacity).rev().map(|slot| slot as u16));
        self.stale.resize(capacity, false);
        self.capacity = capacity;
    }
}
