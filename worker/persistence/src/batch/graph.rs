//! The distinct points and all edges up to the radius.

use std::cmp::Ordering;

use super::edge::Edge;
use crate::metric::squared_distance;

/// One end of an edge, seen from the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neighbour {
    pub(super) vertex: u32,
    pub(super) edge: Edge,
    /// A vertex in the edge's lune; `None` when the lune is empty.
    pub(super) member: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Graph {
    dimension: usize,
    /// Row-major coordinates of the vertices.
    points: Vec<f32>,
    /// The oldest row at each vertex, ascending.
    rows: Vec<usize>,
    /// The neighbours of each vertex, ascending.
    neighbours: Vec<Vec<Neighbour>>,
}

impl Graph {
    /// One vertex for each location; an edge for each pair of squared length up to `max_squared`.
    pub(super) fn new(points: &[f32], dimension: usize, max_squared: f32) -> Graph {
        let rows = distinct(points, dimension);
        let points: Vec<f32> =
            rows.iter().flat_map(|&r| &points[r * dimension..][..dimension]).copied().collect();
        let neighbours = vec![Vec::new(); rows.len()];
        let mut graph = Graph { dimension, points, rows, neighbours };
        graph.join(max_squared);
        graph
    }

    pub(super) fn vertices(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn row(&self, vertex: u32) -> usize {
        self.rows[vertex as usize]
    }

    pub(super) fn neighbours(&self, vertex: u32) -> &[Neighbour] {
        &self.neighbours[vertex as usize]
    }

    /// The edges, each once.
    pub(super) fn edges(&self) -> impl Iterator<Item = &Neighbour> {
        let by_newer = (0u32..).zip(&self.neighbours);
        by_newer.flat_map(|(v, list)| list.iter().take_while(move |n| n.vertex < v))
    }

    /// Squared length from one vertex to another, whether there is an edge or not.
    pub(super) fn squared_distance(&self, a: u32, b: u32) -> f32 {
        squared_distance(self.point(a), self.point(b))
    }

    /// The member of the lune that is known for an edge of the graph.
    pub(super) fn member(&self, edge: Edge) -> Option<u32> {
        self.position(edge.newer, edge.older)
            .and_then(|i| self.neighbours[edge.newer as usize][i].member)
    }

    pub(super) fn set_member(&mut self, edge: Edge, member: Option<u32>) {
        for (from, to) in [(edge.newer, edge.older), (edge.older, edge.newer)] {
            if let Some(i) = self.position(from, to) {
                self.neighbours[from as usize][i].member = member;
            }
        }
    }

    fn position(&self, from: u32, to: u32) -> Option<usize> {
        self.neighbours[from as usize].binary_search_by_key(&to, |n| n.vertex).ok()
    }

    fn point(&self, vertex: u32) -> &[f32] {
        &self.points[vertex as usize * self.dimension..][..self.dimension]
    }

    /// Sweeps along the widest axis. The rounded squared length of an edge is never less than the
    /// rounded square of its extent along one axis, so that no edge is missed.
    fn join(&mut self, max_squared: f32) {
        let axis = self.widest_axis();
        let at = |graph: &Graph, v: u32| graph.point(v)[axis];
        let mut order: Vec<u32> = (0..self.vertices() as u32).collect();
        order.sort_unstable_by(|&a, &b| at(self, a).total_cmp(&at(self, b)));
        for (i, &a) in order.iter().enumerate() {
            for &b in &order[i + 1..] {
                let extent = at(self, b) - at(self, a);
                if extent * extent > max_squared {
                    break;
                }
                let length = self.squared_distance(a, b);
                if length <= max_squared {
                    self.add(Edge::new(length, a, b));
                }
            }
        }
        for list in &mut self.neighbours {
            list.sort_unstable_by_key(|n| n.vertex);
        }
    }

    fn add(&mut self, edge: Edge) {
        for (from, vertex) in [(edge.newer, edge.older), (edge.older, edge.newer)] {
            self.neighbours[from as usize].push(Neighbour { vertex, edge, member: None });
        }
    }

    fn widest_axis(&self) -> usize {
        let extent = |axis: usize| {
            let along =
                || self.points.iter().skip(axis).step_by(self.dimension).map(|&x| f64::from(x));
            along().fold(f64::MIN, f64::max) - along().fold(f64::MAX, f64::min)
        };
        (0..self.dimension).max_by(|&a, &b| extent(a).total_cmp(&extent(b))).unwrap_or(0)
    }
}

/// The oldest row of each location, ascending.
fn distinct(points: &[f32], dimension: usize) -> Vec<usize> {
    let row = |r: usize| &points[r * dimension..][..dimension];
    let compare = |&a: &usize, &b: &usize| {
        row(a).partial_cmp(row(b)).unwrap_or(Ordering::Equal).then(a.cmp(&b))
    };
    let mut rows: Vec<usize> = (0..points.len() / dimension).collect();
    rows.sort_unstable_by(compare);
    rows.dedup_by(|later, first| row(*later) == row(*first));
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_a_point_are_one_vertex() {
        let points = [1.0, 0.0, 2.0, 0.0, 1.0, -0.0, 2.0, 0.0, 1.0, 0.0, 3.0, 0.0];
        let graph = Graph::new(&points, 2, f32::MAX);
        assert_eq!((graph.vertices(), &graph.rows[..]), (3, &[0, 1, 5][..]));
        assert_eq!(graph.edges().count(), 3);
    }
}
