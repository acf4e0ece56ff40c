use crate::simd::{Block, LANES, Owned, Simd};

use super::state::State;

/// No vertex.
pub(super) const NONE: u32 = u32::MAX;

/// The room of a vertex's lists, to be used again.
#[derive(Debug, Default)]
pub(super) struct Lists {
    older: Vec<Block>,
    newer: Vec<Owned>,
}

/// A vertex and its edges, in two lists that the order of arrival keeps sorted by id. An edge is
/// owned by its older end; its entry there never moves. An entry whose edge is gone keeps its id
/// and has the length NaN.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Vertex {
    /// The arrival that this is, or [`NONE`].
    pub(super) id: u32,
    /// The first live entry of `older`.
    head: u32,
    older_len: u32,
    newer_len: u32,
    /// Edges to older vertices: all there will ever be.
    older: Vec<Block>,
    /// Edges to newer vertices, owned here.
    newer: Vec<Owned>,
}

impl Default for Vertex {
    fn default() -> Vertex {
        let (older, newer) = (Vec::new(), Vec::new());
        Vertex { id: NONE, head: 0, older_len: 0, newer_len: 0, older, newer }
    }
}

const EMPTY: Block = Block { ids: [NONE; LANES], lengths: [f32::NAN; LANES] };

impl Vertex {
    /// Takes the place for the arrival `id` with edges to these older vertices.
    pub(super) fn arrive(&mut self, id: u32, ids: &[u32], lengths: &[f32], lists: Lists) {
        (self.id, self.head, self.older_len, self.newer_len) = (id, 0, ids.len() as u32, 0);
        (self.older, self.newer) = (lists.older, lists.newer);
        self.older.reserve_exact(ids.len().div_ceil(LANES));
        for (ids, lengths) in ids.chunks(LANES).zip(lengths.chunks(LANES)) {
            let mut block = EMPTY;
            block.ids[..ids.len()].copy_from_slice(ids);
            block.lengths[..ids.len()].copy_from_slice(lengths);
            self.older.push(block);
        }
    }

    /// Gives up the place.
    pub(super) fn leave(&mut self) -> Lists {
        let Vertex { mut older, mut newer, .. } = std::mem::take(self);
        older.clear();
        newer.clear();
        Lists { older, newer }
    }

    /// Blocks of edges to older vertices, from the first that holds a live one.
    #[inline]
    pub(super) fn older(&self) -> &[Block] {
        self.older.get(self.head as usize / LANES..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn newer(&self) -> &[Owned] {
        &self.newer
    }

    /// An upper bound of the number of edges.
    pub(super) fn entries(&self) -> usize {
        (self.older_len - self.head + self.newer_len) as usize
    }

    /// The position that the next [`own`](Self::own) will take.
    pub(super) fn next_position(&self) -> u32 {
        self.newer_len
    }

    /// Owns an edge to the newest vertex.
    #[inline]
    pub(super) fn own(&mut self, newest: u32, length: f32, state: State) {
        let lane = self.newer_len as usize % LANES;
        if lane == 0 {
            if self.newer.len() == self.newer.capacity() {
                self.newer.reserve_exact(1 + self.newer.len() / 4);
            }
            self.newer.push(Owned { near: EMPTY, state: [0; LANES] });
        }
        let last = self.newer_len as usize / LANES;
        let block = &mut self.newer[last];
        block.near.ids[lane] = newest;
        block.near.lengths[lane] = length;
        block.state[lane] = state.word();
        self.newer_len += 1;
    }

    /// The other end and the length of the edge at a position.
    #[inline]
    pub(super) fn edge(&self, position: u32) -> (u32, f32) {
        let (block, lane) = place(position);
        let near = &self.newer[block].near;
        (near.ids[lane], near.lengths[lane])
    }

    #[inline]
    pub(super) fn state(&self, position: u32) -> State {
        let (block, lane) = place(position);
        State::of(self.newer[block].state[lane])
    }

    #[inline]
    pub(super) fn set_state(&mut self, position: u32, state: State) {
        let (block, lane) = place(position);
        self.newer[block].state[lane] = state.word();
    }

    /// The position of the edge to the newer vertex `id`.
    #[inline]
    pub(super) fn position(&self, simd: Simd, id: u32) -> Option<u32> {
        let blocks = self.newer.len();
        let after = |b: &Owned| b.near.ids[LANES - 1] < id;
        let block = match blocks {
            0..=8 => self.newer.iter().position(|b| !after(b))?,
            _ => self.newer.partition_point(after),
        };
        let lane = simd.find(&self.newer.get(block)?.near.ids, id)?;
        Some((block * LANES + lane) as u32)
    }

    /// Forgets the edge at a position. Its state becomes one that relies on no other vertex.
    pub(super) fn disown(&mut self, position: u32) {
        let (block, lane) = place(position);
        self.newer[block].near.lengths[lane] = f32::NAN;
        self.newer[block].state[lane] = State::Cone(self.id).word();
    }

    /// Forgets the edge to the older vertex `id`: the first live one, if that is the oldest of all.
    #[inline]
    pub(super) fn forget(&mut self, id: u32) {
        let is_at = |v: &Vertex, at: u32| {
            let (block, lane) = place(at);
            v.older[block].ids[lane] == id
        };
        let at = match is_at(self, self.head) {
            true => self.head,
            false => {
                let block = self.older.partition_point(|b| b.ids[LANES - 1] < id);
                let lane = self.older[block].ids.iter().position(|&i| i == id);
                let Some(lane) = lane else { return };
                (block * LANES + lane) as u32
            }
        };
        let (block, lane) = place(at);
        self.older[block].lengths[lane] = f32::NAN;
        while self.head < self.older_len {
            let (block, lane) = place(self.head);
            if !self.older[block].lengths[lane].is_nan() {
                break;
            }
            self.head += 1;
        }
    }

    /// Live edges to older vertices.
    pub(super) fn live_older(&self) -> impl Iterator<Item = (u32, f32)> {
        let entries = self.older().iter().flat_map(|b| b.ids.into_iter().zip(b.lengths));
        entries.filter(|(_, length)| !length.is_nan())
    }

    /// Live edges owned here: other end, length, state.
    pub(super) fn live_newer(&self) -> impl Iterator<Item = (u32, f32, State)> {
        let entries = self.newer.iter().flat_map(|b| {
            let ends = b.near.ids.into_iter().zip(b.near.lengths);
            ends.zip(b.state).map(|((id, length), word)| (id, length, State::of(word)))
        });
        entries.filter(|(_, length, _)| !length.is_nan())
    }

    /// Asks for the edges owned here.
    #[inline]
    pub(super) fn prefetch_newer(&self) {
        for owned in self.newer.iter().take(4) {
            Simd::prefetch(&owned.near.ids);
            Simd::prefetch(&owned.near.lengths);
            Simd::prefetch(&owned.state);
        }
    }

    /// Asks for the first edges to older vertices.
    #[inline]
    pub(super) fn prefetch_older(&self) {
        for block in self.older().iter().take(1) {
            Simd::prefetch(&block.ids);
            Simd::prefetch(&block.lengths);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.older.capacity() * size_of::<Block>() + self.newer.capacity() * size_of::<Owned>()
    }
}

impl Lists {
    pub(super) fn heap_bytes(&self) -> usize {
        self.older.capacity() * size_of::<Block>() + self.newer.capacity() * size_of::<Owned>()
    }
}

fn place(position: u32) -> (usize, usize) {
    (position as usize / LANES, position as usize % LANES)
}
