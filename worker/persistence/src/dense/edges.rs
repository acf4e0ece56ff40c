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
    merged: Vec<Edge>,
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
            merged: Vec::new(),
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

    /// Edges, those of slots freed since the last merge included.
    pub(crate) fn len(&self) -> usize {
        self.sorted.len() + self.fresh.len()
    }

    pub(crate) fn insert(&mut self, point: &[f32]) -> u16 {
        if self.free.is_empty() {
            self.grow();
        }
        let slot = self.free.pop().expect("growing frees slots");
        self.measure(point);
        let edges = self.distances.iter().enumerate().filter(|(_, d)| **d <= self.max_squared);
        self.fresh.extend(edges.map(|(other, &d)| Edge::new(d, slot, other as u16)));
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
        let edges = self.sorted.capacity() + self.fresh.capacity() + self.merged.capacity();
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
        sort_by_length(&mut self.fresh, &mut self.merged);
        self.merged.clear();
        self.merged.resize(self.sorted.len() + self.fresh.len(), Edge(0));
        let kept = merge_live(&self.sorted, &self.fresh, &self.stale, &mut self.merged);
        self.merged.truncate(kept);
        std::mem::swap(&mut self.sorted, &mut self.merged);
        self.fresh.clear();
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

/// Sorts by squared length: radix sort by the bits of the float, eleven at a time.
fn sort_by_length(edges: &mut Vec<Edge>, spare: &mut Vec<Edge>) {
    const DIGIT: usize = 1 << 11;
    if edges.len() < 2 * DIGIT {
        return edges.sort_unstable();
    }
    spare.clear();
    spare.resize(edges.len(), Edge(0));
    let digit = |e: &Edge, pass: usize| (e.0 >> (32 + 11 * pass)) as usize % DIGIT;
    let mut counts = [[0u32; DIGIT]; 3];
    for e in edges.iter() {
        (0..3).for_each(|pass| counts[pass][digit(e, pass)] += 1);
    }
    for (pass, counts) in counts.iter_mut().enumerate() {
        let mut place = 0;
        for count in counts.iter_mut() {
            place += std::mem::replace(count, place);
        }
        for e in edges.iter() {
            let place = &mut counts[digit(e, pass)];
            spare[*place as usize] = *e;
            *place += 1;
        }
        std::mem::swap(edges, spare);
    }
}

/// Independent merges in flight, so that none waits for the comparison of another.
const LANES: usize = 4;

/// Merges two sorted lists, leaving out edges of `old` with a stale end; gives how many are left.
fn merge_live(old: &[Edge], new: &[Edge], stale: &[bool], merged: &mut [Edge]) -> usize {
    let total = old.len() + new.len();
    let cut: [usize; LANES + 1] = std::array::from_fn(|lane| split(old, new, total * lane / LANES));
    let at = |lane: usize| total * lane / LANES;
    let mut lanes: [Lane<'_>; LANES] = std::array::from_fn(|lane| Lane {
        old: &old[cut[lane]..cut[lane + 1]],
        new: &new[at(lane) - cut[lane]..at(lane + 1) - cut[lane + 1]],
        merged: at(lane),
    });
    while lanes.iter().all(|lane| !lane.old.is_empty() && !lane.new.is_empty()) {
        lanes.iter_mut().for_each(|lane| lane.step(stale, merged));
    }
    let mut end = 0;
    for (lane, mut rest) in lanes.into_iter().enumerate() {
        while !rest.old.is_empty() && !rest.new.is_empty() {
            rest.step(stale, merged);
        }
        rest.finish(stale, merged);
        merged.copy_within(at(lane)..rest.merged, end);
        end += rest.merged - at(lane);
    }
    end
}

/// How many of the first `rank` edges of the merged list come from `old`.
fn split(old: &[Edge], new: &[Edge], rank: usize) -> usize {
    let (mut low, mut high) = (rank.saturating_sub(new.len()), rank.min(old.len()));
    while low < high {
        let middle = (low + high) / 2;
        if old[middle] < new[rank - middle - 1] {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// A merge of two stretches into the place from `merged` on.
struct Lane<'a> {
    old: &'a [Edge],
    new: &'a [Edge],
    merged: usize,
}

impl Lane<'_> {
    /// Takes the smaller of the two first edges, without a branch on which it is: nothing could
    /// predict that. A stale edge is written and then overwritten.
    #[inline(always)]
    fn step(&mut self, stale: &[bool], merged: &mut [Edge]) {
        let (x, y) = (self.old[0], self.new[0]);
        let first = x < y;
        merged[self.merged] = if first { x } else { y };
        self.merged += usize::from(!first | is_live(x, stale));
        self.old = &self.old[usize::from(first)..];
        self.new = &self.new[usize::from(!first)..];
    }

    /// Takes what is left when one of the two is used up.
    fn finish(&mut self, stale: &[bool], merged: &mut [Edge]) {
        for &edge in self.old {
            merged[self.merged] = edge;
            self.merged += usize::from(is_live(edge, stale));
        }
        merged[self.merged..][..self.new.len()].copy_from_slice(self.new);
        self.merged += self.new.len();
    }
}

#[inline(always)]
fn is_live(edge: Edge, stale: &[bool]) -> bool {
    let (a, b) = edge.ends();
    !(stale[a] | stale[b])
}
