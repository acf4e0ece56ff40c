use std::ops::Range;

use crate::simd::Simd;

use super::adjacency::{Lists, NONE, Vertex};
use super::cloud::Cloud;

/// The live points and the edges between them. A point keeps the slot `id mod capacity`; the
/// capacity is a power of two above the span of live ids.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) simd: Simd,
    pub(super) points: Cloud,
    vertices: Vec<Vertex>,
    /// Room that vertices have left.
    spare: Vec<Lists>,
    dimension: usize,
    /// The oldest live id, or `next`.
    pub(super) oldest: u32,
    pub(super) next: u32,
    pub(super) live: usize,
    pub(super) edges: usize,
}

const LEAST_CAPACITY: usize = 64;

impl Graph {
    pub(super) fn new(simd: Simd, dimension: usize) -> Graph {
        Graph {
            simd,
            points: Cloud::absent(dimension, LEAST_CAPACITY),
            vertices: std::iter::repeat_with(Vertex::default).take(LEAST_CAPACITY).collect(),
            spare: Vec::new(),
            dimension,
            oldest: 0,
            next: 0,
            live: 0,
            edges: 0,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.vertices.len()
    }

    pub(super) fn mask(&self) -> u32 {
        self.vertices.len() as u32 - 1
    }

    #[inline(always)]
    pub(super) fn slot(&self, id: u32) -> usize {
        (id & self.mask()) as usize
    }

    #[inline(always)]
    pub(super) fn vertex(&self, id: u32) -> &Vertex {
        &self.vertices[self.slot(id)]
    }

    #[inline(always)]
    pub(super) fn vertex_mut(&mut self, id: u32) -> &mut Vertex {
        let slot = self.slot(id);
        &mut self.vertices[slot]
    }

    pub(super) fn is_live(&self, id: u32) -> bool {
        self.vertex(id).id == id
    }

    pub(super) fn point(&self, id: u32) -> &[f32] {
        self.points.point(self.slot(id))
    }

    /// The live id in a slot.
    #[inline(always)]
    pub(super) fn id_at(&self, slot: u32) -> u32 {
        self.oldest + (slot.wrapping_sub(self.oldest) & self.mask())
    }

    /// Whether the next arrival finds no slot.
    pub(super) fn is_full(&self) -> bool {
        (self.next - self.oldest) as usize == self.capacity()
    }

    /// Doubles the capacity.
    pub(super) fn grow(&mut self) {
        let capacity = 2 * self.capacity();
        let mut points = Cloud::absent(self.dimension, capacity);
        let mut vertices: Vec<Vertex> =
            std::iter::repeat_with(Vertex::default).take(capacity).collect();
        for vertex in std::mem::take(&mut self.vertices) {
            if vertex.id != NONE {
                let (from, to) =
                    (vertex.id as usize % (capacity / 2), vertex.id as usize % capacity);
                points.set(to, self.points.point(from));
                vertices[to] = vertex;
            }
        }
        (self.points, self.vertices) = (points, vertices);
    }

    /// Slots of the live span in the order of arrival: at most two ranges.
    pub(super) fn span(&self) -> [Range<usize>; 2] {
        let (from, to) = (self.slot(self.oldest), self.slot(self.next));
        match (self.next - self.oldest) as usize {
            0 => [0..0, 0..0],
            _ if from < to => [from..to, 0..0],
            _ => [from..self.capacity(), 0..to],
        }
    }

    /// Live ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        (self.oldest..self.next).filter(|&id| self.is_live(id))
    }

    /// The next arrival, with edges to these older vertices.
    pub(super) fn arrive(&mut self, point: &[f32], ids: &[u32], lengths: &[f32]) {
        let (id, slot) = (self.next, self.slot(self.next));
        let lists = self.spare.pop().unwrap_or_default();
        self.vertices[slot].arrive(id, ids, lengths, lists);
        self.points.set(slot, point);
        self.next += 1;
        self.live += 1;
        self.edges += ids.len();
    }

    /// Takes a vertex whose edges are gone out of the graph.
    pub(super) fn vacate(&mut self, id: u32) {
        let slot = self.slot(id);
        self.spare.push(self.vertices[slot].leave());
        self.points.erase(slot);
        self.live -= 1;
        while self.oldest < self.next && !self.is_live(self.oldest) {
            self.oldest += 1;
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let lists = self.vertices.iter().map(Vertex::heap_bytes).sum::<usize>()
            + self.spare.iter().map(Lists::heap_bytes).sum::<usize>()
            + self.spare.capacity() * size_of::<Lists>();
        self.points.heap_bytes() + self.vertices.capacity() * size_of::<Vertex>() + lists
    }
}
