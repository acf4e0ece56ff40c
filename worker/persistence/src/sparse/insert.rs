use crate::simd::{LANES, Lune, Row, Simd};

use super::adjacency::NONE;
use super::cloud::Cloud;
use super::order::Edge;
use super::state::State;
use super::{Bucket, Sparse};

/// The neighbours of the point that is arriving or leaving, and room to look at them.
#[derive(Debug)]
pub(super) struct Neighbourhood {
    cloud: Cloud,
    pub(super) ids: Vec<u32>,
    pub(super) lengths: Vec<f32>,
    /// `lengths` in vectors, NaN beyond the last.
    rows: Vec<Row>,
    /// Squared distance by slot, infinite for all but the neighbours.
    pub(super) distances: Vec<f32>,
    members: Vec<u16>,
    pub(super) positions: Vec<u32>,
}

impl Neighbourhood {
    pub(super) fn new(dimension: usize, capacity: usize) -> Neighbourhood {
        Neighbourhood {
            cloud: Cloud::new(dimension),
            ids: Vec::new(),
            lengths: Vec::new(),
            rows: Vec::new(),
            distances: vec![f32::INFINITY; capacity],
            members: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Writes the neighbours' distances into their slots.
    pub(super) fn scatter(&mut self) {
        let mask = self.distances.len() as u32 - 1;
        for (&id, &length) in self.ids.iter().zip(&self.lengths) {
            self.distances[(id & mask) as usize] = length;
        }
    }

    /// Undoes [`scatter`](Self::scatter).
    pub(super) fn clear(&mut self) {
        let mask = self.distances.len() as u32 - 1;
        for id in self.ids.drain(..) {
            self.distances[(id & mask) as usize] = f32::INFINITY;
        }
        self.lengths.clear();
    }

    fn arrange(&mut self) {
        self.rows.clear();
        for lengths in self.lengths.chunks(LANES) {
            let mut row = Row([f32::NAN; LANES]);
            row.0[..lengths.len()].copy_from_slice(lengths);
            self.rows.push(row);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.cloud.heap_bytes()
            + (self.ids.capacity() + self.lengths.capacity() + self.distances.capacity()) * 4
            + self.rows.capacity() * size_of::<Row>()
            + self.members.capacity() * size_of::<u16>()
            + self.positions.capacity() * size_of::<u32>()
    }
}

impl Sparse {
    /// Takes a point that equals no live one; gives its id, larger than any before.
    pub(crate) fn insert(&mut self, point: &[f32]) -> u32 {
        if self.graph.is_full() {
            self.grow();
        }
        let newest = self.graph.next;
        self.gather_neighbours(point);
        for i in 0..self.neighbourhood.ids.len() {
            self.prefetch_ahead(i);
            self.enter_lunes(i, newest);
            self.connect(i, newest);
        }
        let Neighbourhood { ids, lengths, .. } = &self.neighbourhood;
        self.graph.arrive(point, ids, lengths);
        let slot = self.graph.slot(newest);
        self.buckets[slot] = self.spare_buckets.pop().unwrap_or_default();
        self.register_cones();
        self.neighbourhood.clear();
        newest
    }

    fn grow(&mut self) {
        let before = self.graph.capacity();
        self.graph.grow();
        let mut buckets: Vec<Bucket> =
            std::iter::repeat_with(Bucket::default).take(2 * before).collect();
        for id in self.graph.oldest..self.graph.next {
            let from = id as usize % before;
            buckets[self.graph.slot(id)] = std::mem::take(&mut self.buckets[from]);
        }
        self.buckets = buckets;
        self.neighbourhood.distances.resize(2 * before, f32::INFINITY);
    }

    fn gather_neighbours(&mut self, point: &[f32]) {
        let (graph, n) = (&self.graph, &mut self.neighbourhood);
        for range in graph.span() {
            let (ids, lengths) = (&mut n.ids, &mut n.lengths);
            graph.simd.near(&graph.points, range, point, self.max_squared, ids, lengths);
        }
        n.cloud.clear();
        for slot in &mut n.ids {
            n.cloud.push(graph.points.point(*slot as usize));
            *slot = graph.id_at(*slot);
        }
        n.arrange();
        n.scatter();
    }

    #[inline]
    fn prefetch_ahead(&self, i: usize) {
        let ids = &self.neighbourhood.ids;
        if let Some(&id) = ids.get(i + 8) {
            Simd::prefetch(self.graph.vertex(id));
        }
        if let Some(&id) = ids.get(i + 4) {
            self.graph.vertex(id).prefetch_newer();
        }
    }

    /// Edges owned by neighbour `i` whose lune the newest point enters.
    fn enter_lunes(&mut self, i: usize, newest: u32) {
        let n = &mut self.neighbourhood;
        let (owner, own) = (n.ids[i], n.lengths[i]);
        n.positions.clear();
        let list = self.graph.vertex(owner).newer();
        self.graph.simd.gaining(list, &n.distances, own, &mut n.positions);
        for at in 0..self.neighbourhood.positions.len() {
            let position = self.neighbourhood.positions[at];
            self.enter_lune(owner, position, newest);
        }
    }

    fn enter_lune(&mut self, owner: u32, position: u32, newest: u32) {
        let vertex = self.graph.vertex(owner);
        match vertex.state(position) {
            State::Cone(_) if !self.loops => {}
            State::Cone(_) => self.open(owner, position),
            State::Relative(number) => {
                self.relative.remove(number);
                self.graph.vertex_mut(owner).set_state(position, State::Cone(newest));
            }
            State::Open { dirty: true, .. } => {}
            State::Open { record, dirty: false } => {
                let (_, length) = vertex.edge(position);
                let covered = |centre: u32| {
                    centre != NONE && self.neighbourhood.distances[self.graph.slot(centre)] < length
                };
                if !self.records.get(record).centres.into_iter().any(covered) {
                    self.soil(record);
                }
            }
        }
    }

    /// The edge from neighbour `i` to the newest point.
    fn connect(&mut self, i: usize, newest: u32) {
        let n = &mut self.neighbourhood;
        let (older, length) = (n.ids[i], n.lengths[i]);
        let edge = Edge { length, newer: newest, older };
        let lune = self.graph.simd.lune(&n.cloud, &n.rows, i, self.loops, &mut n.members);
        let position = self.graph.vertex(older).next_position();
        let state = match lune {
            Lune::Empty => State::Relative(self.relative.add(edge)),
            Lune::Cone(apex) => self.cone(self.neighbourhood.ids[apex], older, position),
            Lune::Open => self.record(edge, position),
        };
        self.graph.vertex_mut(older).own(newest, length, state);
    }

    /// The state of an edge whose lune is a cone over `apex`.
    pub(super) fn cone(&mut self, apex: u32, owner: u32, position: u32) -> State {
        // A newer apex leaves after the edge.
        if apex < owner {
            self.cones.push((apex, owner, position));
        }
        State::Cone(apex)
    }

    /// Writes the new cones into the buckets of their apices: all at once, so that the wait for
    /// the memory of one is spent on others.
    pub(super) fn register_cones(&mut self) {
        for at in 0..self.cones.len() {
            if let Some(&(apex, ..)) = self.cones.get(at + 12) {
                Simd::prefetch(&self.buckets[self.graph.slot(apex)]);
            }
            if let Some(&(apex, ..)) = self.cones.get(at + 6)
                && let Some(last) = self.buckets[self.graph.slot(apex)].cones.last()
            {
                Simd::prefetch(last);
            }
            let (apex, owner, position) = self.cones[at];
            let slot = self.graph.slot(apex);
            self.buckets[slot].cones.push((owner, position));
        }
        self.cones.clear();
    }

    /// The state of an edge whose lune is to be evaluated.
    fn record(&mut self, edge: Edge, position: u32) -> State {
        let record = self.records.add(edge, position);
        self.dirty.push(record);
        State::Open { record, dirty: true }
    }

    /// Notes that the lune of an edge may have ceased to be a cone.
    pub(super) fn open(&mut self, owner: u32, position: u32) {
        let (newer, length) = self.graph.vertex(owner).edge(position);
        let state = self.record(Edge { length, newer, older: owner }, position);
        self.graph.vertex_mut(owner).set_state(position, state);
    }

    /// Notes that a record may not describe its lune any more.
    pub(super) fn soil(&mut self, record: u32) {
        let (owner, position) = {
            let r = self.records.get(record);
            (r.edge.older, r.position)
        };
        let vertex = self.graph.vertex_mut(owner);
        if vertex.state(position) == (State::Open { record, dirty: false }) {
            vertex.set_state(position, State::Open { record, dirty: true });
            self.dirty.push(record);
        }
    }
}
