use crate::simd::Simd;

use super::Sparse;
use super::state::State;

impl Sparse {
    /// Removes a live point. Cheapest for the oldest.
    pub(crate) fn remove(&mut self, id: u32) {
        self.disconnect_newer(id);
        let slot = self.graph.slot(id);
        let mut bucket = std::mem::take(&mut self.buckets[slot]);
        if id == self.graph.oldest {
            self.look_into(id, &bucket.cones, &bucket.records);
        } else {
            self.disconnect_older(id);
            self.look_around(id);
            self.morse.forget(id);
        }
        bucket.cones.clear();
        bucket.records.clear();
        self.spare_buckets.push(bucket);
        self.neighbourhood.clear();
        self.graph.vacate(id);
    }

    /// Edges of which the point is the older end. Its neighbours are noted.
    fn disconnect_newer(&mut self, id: u32) {
        let n = &mut self.neighbourhood;
        let newer = self.graph.vertex(id).live_newer();
        n.positions.clear();
        for (other, length, state) in newer {
            n.ids.push(other);
            n.lengths.push(length);
            n.positions.push(state.word());
        }
        self.graph.edges -= n.ids.len();
        for at in 0..self.neighbourhood.ids.len() {
            let ids = &self.neighbourhood.ids;
            if let Some(&ahead) = ids.get(at + 12) {
                Simd::prefetch(self.graph.vertex(ahead));
            }
            if let Some(&ahead) = ids.get(at + 6) {
                self.graph.vertex(ahead).prefetch_older();
            }
            let (other, word) = (ids[at], self.neighbourhood.positions[at]);
            self.graph.vertex_mut(other).forget(id);
            self.release(State::of(word));
        }
    }

    /// Edges of which the point is the newer end.
    fn disconnect_older(&mut self, id: u32) {
        let first = self.neighbourhood.ids.len();
        for (other, length) in self.graph.vertex(id).live_older() {
            self.neighbourhood.ids.push(other);
            self.neighbourhood.lengths.push(length);
        }
        self.graph.edges -= self.neighbourhood.ids.len() - first;
        for at in first..self.neighbourhood.ids.len() {
            let other = self.neighbourhood.ids[at];
            let simd = self.graph.simd;
            let owner = self.graph.vertex_mut(other);
            if let Some(position) = owner.position(simd, id) {
                let state = owner.state(position);
                owner.disown(position);
                self.release(state);
            }
        }
    }

    /// Forgets what was kept about an edge that is gone.
    fn release(&mut self, state: State) {
        match state {
            State::Cone(_) => {}
            State::Relative(number) => self.relative.remove(number),
            State::Open { record, .. } => self.records.remove(record),
        }
    }

    /// Edges that relied on the oldest point. An edge whose older end was older than an apex
    /// would have left before it.
    fn look_into(&mut self, id: u32, cones: &[(u32, u32)], records: &[u32]) {
        for &(owner, position) in cones {
            let vertex = self.graph.vertex(owner);
            if vertex.id == owner && vertex.state(position) == State::Cone(id) {
                self.open(owner, position);
            }
        }
        for &record in records {
            let r = self.records.get(record);
            if r.is_live() && r.minimum == id {
                self.soil(record);
            }
        }
    }

    /// Edges whose lune holds a point that leaves before its turn: both ends are neighbours.
    fn look_around(&mut self, id: u32) {
        self.neighbourhood.scatter();
        for i in 0..self.neighbourhood.ids.len() {
            let n = &mut self.neighbourhood;
            let (owner, own) = (n.ids[i], n.lengths[i]);
            n.positions.clear();
            let list = self.graph.vertex(owner).newer();
            self.graph.simd.holding(list, &n.distances, own, &mut n.positions);
            for at in 0..self.neighbourhood.positions.len() {
                let position = self.neighbourhood.positions[at];
                match self.graph.vertex(owner).state(position) {
                    State::Cone(apex) if apex == id => self.open(owner, position),
                    State::Open { record, dirty: false } => self.soil(record),
                    _ => {}
                }
            }
        }
    }
}
