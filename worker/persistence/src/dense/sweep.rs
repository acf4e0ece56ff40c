use super::bits::is_empty;
use super::cocycles::Cocycles;
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
    components: Components,
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
        self.components.reset(slots);
        match max_degree {
            Degree::H0 => self.merges(edges, vertices, found),
            Degree::H1 => self.dispatch(edges, slots, vertices, found),
        }
        found.components = vertices - found.merges.len();
    }

    /// Cocycles evaluated on the triangles over an edge in the last pass.
    pub(crate) fn evaluations(&self) -> usize {
        self.cocycles.evaluations()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.neighbours.capacity() * 8
            + (self.degree.capacity() + self.components.parent.capacity()) * 2
            + self.cocycles.heap_bytes()
    }

    /// Degree 0 alone: a minimum spanning forest.
    fn merges(&mut self, edges: &[Edge], vertices: usize, found: &mut SquaredPairs) {
        for edge in edges {
            if found.merges.len() + 1 >= vertices {
                break;
            }
            let (a, b) = edge.ends();
            if self.components.join(a, b) {
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
            5..=8 => self.sweep::<8>(edges, slots, vertices, found),
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
        let Sweep { neighbours, degree, components, cocycles } = self;
        neighbours.clear();
        neighbours.resize(slots * N, 0);
        degree.clear();
        degree.resize(slots, 0);
        cocycles.reset::<N>(slots);
        let (neighbours, degree) = (neighbours.as_chunks_mut::<N>().0, &mut degree[..]);
        for edge in edges {
            let (a, b) = edge.ends();
            let lune = and(&neighbours[a], &neighbours[b]);
            if is_empty(&lune) {
                if components.join(a, b) {
                    found.merges.push(edge.squared_length());
                } else {
                    cocycles.bear::<N>(a, b, edge.squared_length());
                }
            } else if cocycles.are_near(a, b, &lune) {
                let died = |birth| found.loops.push((birth, edge.squared_length()));
                cocycles.extend::<N>(a, b, &lune, died);
            }
            neighbours[a][b / 64] |= 1 << (b % 64);
            neighbours[b][a / 64] |= 1 << (a % 64);
            degree[a] += 1;
            degree[b] += 1;
            if degree[a].max(degree[b]) as usize + 1 == vertices {
                // A vertex joined to all others makes the complex a cone for good.
                break;
            }
        }
        cocycles.survivors::<N>(|birth| found.loops.push((birth, f32::INFINITY)));
    }
}

#[inline(always)]
fn and<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    std::array::from_fn(|i| a[i] & b[i])
}

/// Union–find.
#[derive(Debug, Default)]
struct Components {
    parent: Vec<u16>,
}

impl Components {
    fn reset(&mut self, slots: usize) {
        self.parent.clear();
        self.parent.extend((0..slots).map(|slot| slot as u16));
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
