//! Windows in which a point has few neighbours: the incremental Morse complex.
//!
//! The radius-limited graph of the points is kept under arrivals and departures, with the *lune*
//! of every edge: the points nearer to both of its ends than they are to each other. Attaching an
//! edge changes homology only as its lune does (relative homology of the edge is the reduced
//! homology of the flag complex on its lune, two degrees lower), so
//!
//! * an edge with an empty lune is an edge of the relative neighbourhood graph: it merges two
//!   components or gives birth to a loop;
//! * an edge whose lune is a cone does nothing in any degree;
//! * a lune of c components is c − 1 *critical triangles*, each the end of a loop or the start
//!   of a void.
//!
//! Edges pair with a triangle over a vertex of their lune into a discrete gradient, whose flow
//! carries the boundary of a critical triangle to edges of the relative neighbourhood graph.
//! Those columns are cached between emissions and reduced at each of them: a matrix about as
//! large as the number of loops.
//!
//! Most of the work of a slide is avoided by the order of arrival. The oldest point is the first
//! in each neighbour's list, so removing it searches nothing; an apex newer than the older end of
//! its edge outlives the edge; a lune that a newer point has entered is never empty again.
//! A point that leaves before its turn is removed by looking at its neighbours' edges.

mod adjacency;
mod bits;
pub(crate) mod cloud;
mod evaluate;
mod graph;
mod insert;
mod morse;
mod order;
mod records;
mod reduce;
mod relative;
mod remove;
pub(crate) mod state;
#[cfg(test)]
pub(crate) mod tests;

use crate::diagram::SquaredPairs;
use crate::simd::Simd;
use crate::{Config, Degree};

use evaluate::Evaluation;
use graph::Graph;
use insert::Neighbourhood;
use morse::Morse;
use records::Records;
use relative::Relative;

/// Arrivals before the engine must be made anew: ids leave two bits of a word to edge states.
const IDS: u32 = 1 << 30;

/// The distinct points of a window, the edges between them up to the maximal radius, and what
/// is known about each.
#[derive(Debug)]
pub(crate) struct Sparse {
    max_squared: f32,
    /// Whether loops are asked for.
    loops: bool,
    /// Arrivals before the ids are used up.
    ids: u32,
    graph: Graph,
    /// By slot: what must be looked at when the vertex leaves as the oldest.
    buckets: Vec<Bucket>,
    /// Room that buckets have left.
    spare_buckets: Vec<Bucket>,
    /// Apex, owner and position of cones that no bucket holds yet.
    cones: Vec<(u32, u32, u32)>,
    records: Records,
    /// Records of dirty edges; some of them may have been freed since.
    dirty: Vec<u32>,
    relative: Relative,
    morse: Morse,
    neighbourhood: Neighbourhood,
    evaluation: Evaluation,
}

#[derive(Debug, Default)]
struct Bucket {
    /// Edges, by owner and position, whose lune was a cone over the vertex.
    cones: Vec<(u32, u32)>,
    /// Records whose minimum was the vertex.
    records: Vec<u32>,
}

impl Sparse {
    /// An engine without points.
    pub(crate) fn new(config: &Config) -> Sparse {
        Sparse::with(config, Simd::detect(), IDS)
    }

    /// An engine with the given vector instructions that takes `ids` arrivals.
    pub(crate) fn with(config: &Config, simd: Simd, ids: u32) -> Sparse {
        let graph = Graph::new(simd, config.dimension);
        Sparse {
            max_squared: config.max_squared(),
            loops: config.max_degree >= Degree::H1,
            ids,
            buckets: std::iter::repeat_with(Bucket::default).take(graph.capacity()).collect(),
            spare_buckets: Vec::new(),
            cones: Vec::new(),
            records: Records::default(),
            dirty: Vec::new(),
            relative: Relative::default(),
            morse: Morse::default(),
            neighbourhood: Neighbourhood::new(config.dimension, graph.capacity()),
            evaluation: Evaluation::new(config.dimension),
            graph,
        }
    }

    /// The pairs of the live points.
    pub(crate) fn pairs(&mut self, found: &mut SquaredPairs) {
        self.evaluate();
        self.relative.settle();
        let (capacity, live) = (self.graph.capacity(), self.graph.live);
        let before = found.merges.len();
        self.relative.span(capacity, live, &mut found.merges);
        found.components = live - (found.merges.len() - before);
        if self.loops {
            self.morse.build(&self.graph, &self.records, &self.relative);
            self.morse.pairs(&self.relative, &mut found.loops);
        }
        self.relative.recycle();
    }

    /// The length of the edge that has `rank` shorter ones.
    pub(crate) fn edge_length(&mut self, rank: usize) -> Option<f32> {
        if rank >= self.graph.edges {
            return None;
        }
        let live = self.graph.ids().map(|id| self.graph.vertex(id));
        let mut lengths: Vec<f32> =
            live.flat_map(|v| v.live_newer().map(|(_, length, _)| length)).collect();
        let (_, length, _) = lengths.select_nth_unstable_by(rank, f32::total_cmp);
        Some(length.sqrt())
    }

    /// Edges up to the maximal radius.
    pub(crate) fn edges(&self) -> usize {
        self.graph.edges
    }

    /// Arrivals before the engine must be made anew.
    pub(crate) fn arrivals_left(&self) -> u32 {
        self.ids - self.graph.next
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let buckets = self.buckets.iter().chain(&self.spare_buckets).map(|b| {
            b.cones.capacity() * size_of::<(u32, u32)>() + b.records.capacity() * size_of::<u32>()
        });
        self.graph.heap_bytes()
            + (self.buckets.capacity() + self.spare_buckets.capacity()) * size_of::<Bucket>()
            + buckets.sum::<usize>()
            + self.cones.capacity() * size_of::<(u32, u32, u32)>()
            + self.records.heap_bytes()
            + self.dirty.capacity() * size_of::<u32>()
            + self.relative.heap_bytes()
            + self.morse.heap_bytes()
            + self.neighbourhood.heap_bytes()
            + self.evaluation.heap_bytes()
    }
}
