//! Windows in which most pairs of points are edges.

use crate::Config;
use crate::diagram::SquaredPairs;
use crate::metric::squared_distance;

/// The distinct points of a window, and all edges between them in order.
#[derive(Debug)]
pub(crate) struct Dense {
    max_squared: f32,
    points: Vec<Option<Box<[f32]>>>,
}

impl Dense {
    pub(crate) fn new(config: &Config) -> Dense {
        Dense { max_squared: config.max_squared(), points: Vec::new() }
    }

    pub(crate) fn insert(&mut self, point: &[f32]) -> u32 {
        self.points.push(Some(point.into()));
        (self.points.len() - 1) as u32
    }

    pub(crate) fn remove(&mut self, vertex: u32) {
        self.points[vertex as usize] = None;
    }

    pub(crate) fn edge_length(&mut self, rank: usize) -> Option<f32> {
        self.edges().get(rank).map(|e| e.0.sqrt())
    }

    fn edges(&self) -> Vec<(f32, usize, usize)> {
        let live: Vec<&[f32]> = self.points.iter().flatten().map(|p| &**p).collect();
        let mut edges = Vec::new();
        for (j, b) in live.iter().enumerate() {
            for (i, a) in live[..j].iter().enumerate() {
                let length = squared_distance(a, b);
                if length <= self.max_squared {
                    edges.push((length, i, j));
                }
            }
        }
        edges.sort_by(|a, b| a.partial_cmp(b).expect("lengths are numbers"));
        edges
    }

    pub(crate) fn pairs(&mut self, found: &mut SquaredPairs) {
        let live = self.points.iter().flatten().count();
        let mut root: Vec<usize> = (0..live).collect();
        for (length, a, b) in self.edges() {
            if root[a] != root[b] {
                let (from, to) = (root[a], root[b]);
                root.iter_mut().filter(|r| **r == from).for_each(|r| *r = to);
                found.merges.push(length);
            }
        }
        found.components = live - found.merges.len();
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        0
    }
}
