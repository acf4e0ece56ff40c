//! The dense path: windows in which most pairs of points are edges.
//!
//! All edges are kept in order from one emission to the next, and an emission sweeps over them
//! once. The neighbours of a vertex are a row of bits, so the lune of an edge (the vertices
//! joined to both ends by shorter edges) is one *and* of two rows. An edge with an empty lune
//! joins two components or is born as a loop; an edge with one costs two loads and a test unless a
//! live loop is near it. Loops are followed by their cocycles (annotations), which are rows of
//! bits too. The work of an emission is then a few instructions for an edge, which
//! beats any bookkeeping between emissions as long as a good part of the edges is new.
//!
//! Sources: lunes and apparent pairs: Bauer, *Ripser* (J. Appl. Comput. Topol. 2021), and
//! Koyama, Mémoli, Robins, Turner, *Reduced Vietoris–Rips complexes* (arXiv:2307.16333).
//! Cocycles killed in order: de Silva, Morozov, Vejdemo-Johansson, *Persistent cohomology and
//! circular coordinates* (Discrete Comput. Geom. 2011).

mod bits;
mod cocycle;
mod cocycles;
mod edges;
mod near;
mod sweep;

use crate::diagram::SquaredPairs;
use crate::{Config, Degree};
use edges::Edges;
use sweep::Sweep;

/// The distinct points of a window and all edges between them.
#[derive(Debug)]
pub(crate) struct Dense {
    edges: Edges,
    sweep: Sweep,
    max_degree: Degree,
}

impl Dense {
    /// The most vertices that fit.
    pub(crate) const MAX_VERTICES: usize = 64 * sweep::MAX_WORDS;

    pub(crate) fn new(config: &Config) -> Dense {
        Dense {
            edges: Edges::new(config.dimension, config.max_squared()),
            sweep: Sweep::default(),
            max_degree: config.max_degree,
        }
    }

    /// Adds a point and its edges; gives the name of the vertex.
    pub(crate) fn insert(&mut self, point: &[f32]) -> u32 {
        self.edges.insert(point).into()
    }

    /// Removes a vertex and its edges. Its name may then be given to another one.
    pub(crate) fn remove(&mut self, vertex: u32) {
        self.edges.remove(vertex as u16);
    }

    pub(crate) fn pairs(&mut self, found: &mut SquaredPairs) {
        let vertices = self.edges.vertices();
        let slots = self.edges.slots();
        let edges = self.edges.sorted();
        self.sweep.pairs(edges, slots, vertices, self.max_degree, found);
    }

    /// The length of the edge of rank `rank`, counted from the shortest as 0.
    pub(crate) fn edge_length(&mut self, rank: usize) -> Option<f32> {
        self.edges.sorted().get(rank).map(|e| e.squared_length().sqrt())
    }

    /// The number of edges, those of vertices removed since the last emission included.
    pub(crate) fn edges(&self) -> usize {
        self.edges.len()
    }

    /// How often the last emission had to evaluate a loop near an edge.
    pub(crate) fn evaluations(&self) -> usize {
        self.sweep.evaluations()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.edges.heap_bytes() + self.sweep.heap_bytes()
    }
}
