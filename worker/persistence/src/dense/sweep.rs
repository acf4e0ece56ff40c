use super::cocycles::{Cocycles, is_empty};
use super::edges::Edge;
use crate::Degree;
use crate::diagram::SquaredPairs;

/// The longest row of bits, in words.
pub(crate) const MAX_WORDS: usize = 64;

/// One pass over the edges of a window in order.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// For each vertex, its neighbours by the edges swept so far.
    neighbours: Vec<u64>,
    degree: Vec<u16>,
    /// Union–find over the components.
    parent: Vec<u16>,
    cocycles: Cocycles,
}

impl Sweep {
    /// The pairs of the filtration by `edges` on `vertices` vertices in slots below `slots`.
    pub(crate) fn pairs(
        &mut self,
        edges: &[Edge],
        slots: usize,
        vertices: usize,
        max_degree: Degree,
        found: &mut SquaredPairs,
    ) {
        self.parent.clear();
        self.parent.extend((0..slots).map(|slot| slot as u16));
        match max_degree {
            Degree::H0 => self.merges(edges, vertices, found),
            Degree::H1 => self.dispatch(edges, slots, vertices, found),
        }
        found.components = vertices - found.merges.len();
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.neighbours.capacity() * 8
            + (self.degree.capacity() + self.parent.capacity()) * 2
            + self.cocycles.heap_bytes()
    }

    /// Degree 0 alone: a minimum spanning forest.
    fn merges(&mut self, edges: &[Edge], vertices: usize, found: &mut SquaredPairs) {
        for edge in edges {
            if found.merges.len() + 1 >= vertices {
                break;
            }
            let (a, b) = edge.ends();
            if self.join(a, b) {
                found.merges.push(edge.squared_length());
            }
        }
    }

    fn dispatch(
        &mut self,
        edges: &[Edge],
        slots: usize,
        vertices: usize,
        found: &mut SquaredPairs,
    ) {
        match slots.div_ceil(64) {
            0 => {}
            1 => self.sweep::<1>(edges, slots, vertices, found),
            2 => self.sweep::<2>(edges, slots, vertices, found),
            3 => self.sweep::<3>(edges, slots, vertices, found),
            4 => self.sweep::<4>(edges, slots, vertices, found),
            5..=6 => self.sweep::<6>(edges, slots, vertices, found),
            7..=8 => self.sweep::<8>(edges, slots, vertices, found),
            9..=16 => self.sweep::<16>(edges, slots, vertices, found),
            17..=32 => self.sweep::<32>(edges, slots, vertices, found),
            _ => self.sweep::<MAX_WORDS>(edges, slots, vertices, found),
        }
    }

    fn sweep<const N: usize>(
        &mut self,
        edges: &[Edge],
        slots: usize,
        vertices: usize,
        found: &mut SquaredPairs,
    ) {
        self.neighbours.clear();
        self.neighbours.resize(slots * N, 0);
        self.degree.clear();
        self.degree.resize(slots, 0);
        self.cocycles.reset::<N>(slots);
        for edge in edges {
            let (a, b) = edge.ends();
            let neighbours = self.neighbours.as_chunks::<N>().0;
            let lune: [u64; N] = std::array::from_fn(|i| neighbours[a][i] & neighbours[b][i]);
            if is_empty(&lune) {
                self.take_critical::<N>(*edge, found);
            } else if self.cocycles.any() && self.is_near_a_loop(a, b, &lune) {
                let death = edge.squared_length();
                let mut died = |birth| found.loops.push((birth, death));
                self.cocycles.extend::<N>(a, b, &lune, &mut died);
            }
            if self.connect::<N>(a, b) + 1 == vertices {
                // A vertex joined to all others makes the complex a cone for good.
                break;
            }
        }
        self.cocycles.survivors::<N>(|birth| found.loops.push((birth, f32::INFINITY)));
    }

    /// Whether a cocycle is one on an edge from `a` or `b` to their lune; if not, all of them
    /// are zero on all triangles over `ab`, and on `ab`.
    #[inline(always)]
    fn is_near_a_loop<const N: usize>(&self, a: usize, b: usize, lune: &[u64; N]) -> bool {
        let support = self.cocycles.support::<N>();
        let (a, b) = (&support[a], &support[b]);
        (0..N).fold(0, |any, i| any | (a[i] | b[i]) & lune[i]) != 0
    }

    /// An edge with an empty lune joins two components or closes a loop.
    fn take_critical<const N: usize>(&mut self, edge: Edge, found: &mut SquaredPairs) {
        let (a, b) = edge.ends();
        if self.join(a, b) {
            found.merges.push(edge.squared_length());
        } else {
            self.cocycles.bear::<N>(a, b, edge.squared_length());
        }
    }

    /// Makes `a` and `b` neighbours; gives the larger of their degrees.
    #[inline(always)]
    fn connect<const N: usize>(&mut self, a: usize, b: usize) -> usize {
        self.neighbours[a * N + b / 64] |= 1 << (b % 64);
        self.neighbours[b * N + a / 64] |= 1 << (a % 64);
        self.degree[a] += 1;
        self.degree[b] += 1;
        self.degree[a].max(self.degree[b]) as usize
    }

    /// Joins two components; gives whether they were two.
    fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a] = b as u16;
        a != b
    }

    fn find(&mut self, mut a: usize) -> usize {
        while self.parent[a] as usize != a {
            let above = self.parent[self.parent[a] as usize];
            self.parent[a] = above;
            a = above as usize;
        }
        a
    }
}
