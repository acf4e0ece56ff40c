//! The two engines behind a window, and the choice between them.

use crate::dense::Dense;
use crate::diagram::SquaredPairs;
use crate::sparse::Sparse;
use crate::{Config, Path};

/// What computes a window.
#[derive(Debug)]
pub(crate) enum Engine {
    Dense(Box<Dense>),
    Sparse(Box<Sparse>),
}

impl Engine {
    pub(crate) fn new(path: Path, config: &Config) -> Engine {
        match path {
            Path::Dense => Engine::Dense(Box::new(Dense::new(config))),
            Path::Sparse => Engine::Sparse(Box::new(Sparse::new(config))),
        }
    }

    pub(crate) fn path(&self) -> Path {
        match self {
            Engine::Dense(_) => Path::Dense,
            Engine::Sparse(_) => Path::Sparse,
        }
    }

    /// Adds a point that equals no other; gives its name.
    pub(crate) fn insert(&mut self, point: &[f32]) -> u32 {
        match self {
            Engine::Dense(dense) => dense.insert(point),
            Engine::Sparse(sparse) => sparse.insert(point),
        }
    }

    pub(crate) fn remove(&mut self, vertex: u32) {
        match self {
            Engine::Dense(dense) => dense.remove(vertex),
            Engine::Sparse(sparse) => sparse.remove(vertex),
        }
    }

    pub(crate) fn pairs(&mut self, found: &mut SquaredPairs) {
        match self {
            Engine::Dense(dense) => dense.pairs(found),
            Engine::Sparse(sparse) => sparse.pairs(found),
        }
    }

    /// Loops that the last emission had to evaluate at an edge, for each edge; `None` where that is
    /// not how it is done.
    pub(crate) fn crowd(&self) -> Option<f64> {
        match self {
            Engine::Dense(dense) => Some(dense.evaluations() as f64 / dense.edges().max(1) as f64),
            Engine::Sparse(_) => None,
        }
    }

    pub(crate) fn edge_length(&mut self, rank: usize) -> Option<f32> {
        match self {
            Engine::Dense(dense) => dense.edge_length(rank),
            Engine::Sparse(sparse) => sparse.edge_length(rank),
        }
    }

    pub(crate) fn edges(&self) -> usize {
        match self {
            Engine::Dense(dense) => dense.edges(),
            Engine::Sparse(sparse) => sparse.edges(),
        }
    }

    /// Whether `entering` points can be inserted, with which there will be `vertices`.
    pub(crate) fn has_room(&self, vertices: usize, entering: usize) -> bool {
        match self {
            Engine::Dense(_) => vertices <= Dense::MAX_VERTICES,
            // Every live one may have to be inserted again.
            Engine::Sparse(sparse) => sparse.arrivals_left() as usize >= vertices + entering,
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Engine::Dense(dense) => size_of::<Dense>() + dense.heap_bytes(),
            Engine::Sparse(sparse) => size_of::<Sparse>() + sparse.heap_bytes(),
        }
    }
}

/// What is known of a window when its path is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Distinct points at the next emission, or a bound of them.
    pub(crate) vertices: usize,
    /// Edges up to the maximal radius.
    pub(crate) edges: usize,
    /// Distinct points that enter from one emission to the next.
    pub(crate) entering: usize,
    /// Loops evaluated at an edge by the last emission on the dense path, for each edge.
    pub(crate) crowd: f64,
}

impl Load {
    /// Windows of at most this many points may be swept whatever their density.
    const SMALL: usize = 512;
    /// Larger ones only when this share of all pairs are edges: their sparse graphs hold too
    /// many loops at once.
    const DENSE: f64 = 0.3;

    /// The path that promises to be cheaper; another one than `now` only if it promises to be
    /// much cheaper, because costs are estimates, and changing the path costs a window's
    /// worth of insertions.
    pub(crate) fn path(&self, now: Option<Path>) -> Path {
        const RELUCTANCE: f64 = 1.5;
        let (dense, sparse) = match now {
            Some(Path::Dense) => (self.dense_cost(), self.sparse_cost() * RELUCTANCE),
            Some(Path::Sparse) => (self.dense_cost() * RELUCTANCE, self.sparse_cost()),
            None => (self.dense_cost(), self.sparse_cost()),
        };
        let suits = self.vertices <= Load::SMALL || self.density() >= Load::DENSE;
        if self.vertices <= Dense::MAX_VERTICES && suits && dense <= sparse {
            Path::Dense
        } else {
            Path::Sparse
        }
    }

    /// The share of all pairs that are edges.
    fn density(&self) -> f64 {
        self.degree() / self.vertices.max(1) as f64
    }

    /// The mean number of neighbours.
    fn degree(&self) -> f64 {
        2.0 * self.edges as f64 / self.vertices.max(1) as f64
    }

    /// Nanoseconds for an emission: a sweep over all edges. Fitted to measurements.
    fn dense_cost(&self) -> f64 {
        let words = self.vertices.div_ceil(64) as f64;
        self.edges as f64 * (7.0 + 0.4 * words + self.crowd * (4.0 + words))
    }

    /// Nanoseconds for an emission: each point that enters meets the edges between its
    /// neighbours, and where most points are neighbours, many lunes have no centre. Fitted to
    /// measurements.
    fn sparse_cost(&self) -> f64 {
        let (vertices, degree) = (self.vertices as f64, self.degree());
        let crowding = 1.0 + 20.0 * (self.density() - 0.15).max(0.0);
        let point = 2000.0 + 250.0 * degree + crowding * degree * degree;
        self.entering as f64 * point + 30.0 * vertices
    }
}
