//! Lunes: the vertices nearer to both ends of an edge than the ends are to each other.

use super::edge::Edge;
use super::graph::{Graph, Neighbour};

/// Finds a member of each edge's lune, if there is one.
pub(super) fn find_members(graph: &mut Graph) {
    let mut nearest: Vec<Neighbour> = Vec::new();
    for v in 0..graph.vertices() as u32 {
        nearest.clear();
        nearest.extend_from_slice(graph.neighbours(v));
        nearest.sort_unstable_by_key(|n| n.edge);
        for (rank, n) in nearest.iter().enumerate().filter(|(_, n)| n.vertex < v) {
            let member = member(graph, n, &nearest[..rank]);
            graph.set_member(n.edge, member);
        }
    }
}

/// The nearest of `nearer` that is in the lune of the edge to `n`.
fn member(graph: &Graph, n: &Neighbour, nearer: &[Neighbour]) -> Option<u32> {
    let is_member = |w: &&Neighbour| {
        Edge::new(graph.squared_distance(n.vertex, w.vertex), n.vertex, w.vertex) < n.edge
    };
    nearer.iter().find(is_member).map(|w| w.vertex)
}
