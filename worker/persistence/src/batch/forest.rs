//! Degree 0: the minimum spanning forest (Kruskal, 1956) of the relative neighbourhood graph.

use super::edge::Edge;
use super::graph::Graph;

#[derive(Debug)]
pub(super) struct Forest {
    /// Squared lengths of the edges of the forest, ascending.
    pub(super) merges: Vec<f32>,
    pub(super) components: usize,
    /// Edges of the relative neighbourhood graph that are not in the forest, ascending.
    pub(super) residual: Vec<Edge>,
}

pub(super) fn span(graph: &Graph) -> Forest {
    let empty = graph.edges().filter(|n| n.member.is_none());
    let mut edges: Vec<Edge> = empty.map(|n| n.edge).collect();
    edges.sort_unstable();
    let mut sets = Sets::new(graph.vertices());
    let (merging, residual): (Vec<Edge>, Vec<Edge>) =
        edges.into_iter().partition(|e| sets.join(e.newer, e.older));
    Forest {
        components: graph.vertices() - merging.len(),
        merges: merging.iter().map(|e| e.length()).collect(),
        residual,
    }
}

/// Disjoint sets with path halving.
struct Sets(Vec<u32>);

impl Sets {
    fn new(size: usize) -> Sets {
        Sets((0..size as u32).collect())
    }

    fn find(&mut self, mut v: u32) -> u32 {
        while self.0[v as usize] != v {
            let parent = self.0[v as usize];
            self.0[v as usize] = self.0[parent as usize];
            v = self.0[v as usize];
        }
        v
    }

    /// Joins the sets of two vertices; whether they were apart.
    fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a as usize] = b;
        a != b
    }
}
