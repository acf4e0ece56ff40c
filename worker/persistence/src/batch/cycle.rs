//! A loop through the edge with which a class appears.

use std::collections::VecDeque;

use super::edge::Edge;
use super::graph::Graph;

/// Rows of the vertices from the older end of the edge to the newer one, along a path with the
/// fewest edges among those before `edge`. Breadth first, each vertex by ascending neighbour.
pub(super) fn through(graph: &Graph, edge: Edge) -> Vec<usize> {
    let mut towards: Vec<Option<u32>> = vec![None; graph.vertices()];
    towards[edge.newer as usize] = Some(edge.newer);
    let mut queue = VecDeque::from([edge.newer]);
    while let Some(v) = queue.pop_front() {
        for n in graph.neighbours(v).iter().filter(|n| n.edge < edge) {
            if towards[n.vertex as usize].is_none() {
                towards[n.vertex as usize] = Some(v);
                queue.push_back(n.vertex);
            }
        }
    }
    let next = |&v: &u32| towards[v as usize].filter(|_| v != edge.newer);
    std::iter::successors(Some(edge.older), next).map(|v| graph.row(v)).collect()
}
