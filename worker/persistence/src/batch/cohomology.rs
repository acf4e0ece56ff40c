//! Degree 1: reduction of the coboundaries of the residual edges.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashMap;

use super::edge::{Edge, Triangle};
use super::graph::Graph;

/// Pairs each residual edge with the squared length at which its class dies; infinite when it
/// does not. The edges come in ascending order.
pub(super) fn pairs(graph: &Graph, residual: &[Edge]) -> Vec<(Edge, f32)> {
    let mut reduction = Reduction { graph, pivots: HashMap::new(), column: Column::default() };
    residual.iter().rev().map(|&edge| (edge, reduction.death(edge))).collect()
}

struct Reduction<'g> {
    graph: &'g Graph,
    /// The earliest triangle of each reduced column, and the cochain whose coboundary that is.
    pivots: HashMap<Triangle, Vec<Edge>>,
    column: Column,
}

impl Reduction<'_> {
    /// Reduces the column of an edge by those of later edges.
    fn death(&mut self, edge: Edge) -> f32 {
        self.column.clear();
        let mut cochain = vec![edge];
        self.column.add_coboundary(self.graph, edge);
        while let Some(pivot) = self.column.pivot() {
            if pivot.is_apparent() {
                cochain.push(pivot.longest());
                self.column.add_coboundary(self.graph, pivot.longest());
            } else if let Some(later) = self.pivots.get(&pivot) {
                cochain.extend_from_slice(later);
                later.iter().for_each(|&e| self.column.add_coboundary(self.graph, e));
            } else {
                self.pivots.insert(pivot, odd(cochain));
                return pivot.longest().length();
            }
        }
        f32::INFINITY
    }
}

/// A sum of triangles over the field of two elements: those that are in it an odd number of times.
#[derive(Default)]
struct Column(BinaryHeap<Reverse<Triangle>>);

impl Column {
    fn clear(&mut self) {
        self.0.clear();
    }

    /// The earliest triangle of the sum.
    fn pivot(&mut self) -> Option<Triangle> {
        while let Some(first) = self.0.pop() {
            if self.0.peek() != Some(&first) {
                self.0.push(first);
                return Some(first.0);
            }
            self.0.pop();
        }
        None
    }

    /// Adds the triangles that have `edge` as a side.
    fn add_coboundary(&mut self, graph: &Graph, edge: Edge) {
        let member = graph.member(edge);
        let mut across = graph.neighbours(edge.older).iter().peekable();
        for a in graph.neighbours(edge.newer) {
            while across.next_if(|b| b.vertex < a.vertex).is_some() {}
            let Some(b) = across.next_if(|b| b.vertex == a.vertex) else {
                continue;
            };
            let triangle = if edge > a.edge && edge > b.edge {
                Triangle::new(edge, a.vertex, member)
            } else if a.edge > b.edge {
                Triangle::new(a.edge, edge.older, a.member)
            } else {
                Triangle::new(b.edge, edge.newer, b.member)
            };
            self.0.push(Reverse(triangle));
        }
    }
}

/// The edges that occur an odd number of times.
fn odd(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort_unstable();
    let runs = edges.chunk_by(|a, b| a == b);
    runs.filter(|run| run.len() % 2 == 1).map(|run| run[0]).collect()
}
