use crate::simd::Search;

use super::Sparse;
use super::adjacency::NONE;
use super::cloud::Cloud;
use super::state::State;

/// Room to look at one lune.
#[derive(Debug)]
pub(super) struct Evaluation {
    cloud: Cloud,
    /// Members of the lune, oldest first.
    ids: Vec<u32>,
    /// The graph on the lune, a row of bits a member.
    rows: Vec<u64>,
    unvisited: Vec<u64>,
    stack: Vec<u32>,
    /// A vertex of each component.
    roots: Vec<u32>,
}

impl Evaluation {
    pub(super) fn new(dimension: usize) -> Evaluation {
        Evaluation {
            cloud: Cloud::new(dimension),
            ids: Vec::new(),
            rows: Vec::new(),
            unvisited: Vec::new(),
            stack: Vec::new(),
            roots: Vec::new(),
        }
    }

    fn words(&self) -> usize {
        self.ids.len().div_ceil(64)
    }

    fn row(&self, i: usize) -> &[u64] {
        &self.rows[i * self.words()..][..self.words()]
    }

    /// A vertex of each component of the lune: of those in `preferred` where they can be.
    fn components(&mut self, preferred: impl Iterator<Item = u32>) {
        let n = self.ids.len();
        self.roots.clear();
        self.unvisited.clear();
        self.unvisited.resize(self.words(), u64::MAX);
        if !n.is_multiple_of(64) {
            self.unvisited[n / 64] = (1 << (n % 64)) - 1;
        }
        for id in preferred {
            if let Ok(i) = self.ids.binary_search(&id) {
                self.visit_from(i);
            }
        }
        while let Some(word) = self.unvisited.iter().rposition(|&w| w != 0) {
            self.visit_from(word * 64 + self.unvisited[word].ilog2() as usize);
        }
    }

    /// Visits the component of a member, unless it has been.
    fn visit_from(&mut self, member: usize) {
        let bit = 1 << (member % 64);
        if self.unvisited[member / 64] & bit == 0 {
            return;
        }
        self.unvisited[member / 64] &= !bit;
        self.roots.push(self.ids[member]);
        self.stack.push(member as u32);
        while let Some(i) = self.stack.pop() {
            let words = self.words();
            let row = &self.rows[i as usize * words..][..words];
            for (word, (unvisited, adjacent)) in self.unvisited.iter_mut().zip(row).enumerate() {
                let mut reached = *unvisited & adjacent;
                *unvisited &= !reached;
                while reached != 0 {
                    self.stack.push(word as u32 * 64 + reached.trailing_zeros());
                    reached &= reached - 1;
                }
            }
        }
    }

    /// Two adjacent members that together are adjacent to all.
    fn two_centres(&self) -> Option<[u32; 2]> {
        let n = self.ids.len();
        let degree = |i: usize| self.row(i).iter().map(|w| w.count_ones()).sum::<u32>();
        let first = (0..n).rev().max_by_key(|&i| degree(i))?;
        let adjacent = |&i: &usize| self.row(first)[i / 64] >> (i % 64) & 1 == 1;
        let covers = |&i: &usize| {
            let both = self.row(first).iter().zip(self.row(i)).map(|(a, b)| (a | b).count_ones());
            both.sum::<u32>() as usize == n
        };
        let second = (0..n).rev().filter(adjacent).find(covers)?;
        Some([self.ids[first], self.ids[second]])
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.cloud.heap_bytes()
            + (self.rows.capacity() + self.unvisited.capacity()) * size_of::<u64>()
            + (self.ids.capacity() + self.stack.capacity() + self.roots.capacity()) * 4
    }
}

impl Sparse {
    /// Looks at the lunes of all dirty edges.
    pub(super) fn evaluate(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for record in dirty.drain(..) {
            let r = self.records.get(record);
            if r.is_live() {
                let state = self.graph.vertex(r.edge.older).state(r.position);
                if state == (State::Open { record, dirty: true }) {
                    self.evaluate_lune(record);
                }
            }
        }
        self.dirty = dirty;
    }

    fn evaluate_lune(&mut self, record: u32) {
        self.find_lune(record);
        let (edge, position) = {
            let r = self.records.get(record);
            (r.edge, r.position)
        };
        let lune = &mut self.evaluation;
        let state = match lune.ids.last() {
            None => State::Relative(self.relative.add(edge)),
            Some(&newest) if !self.loops => self.cone(newest, edge.older, position),
            Some(_) => {
                lune.cloud.clear();
                lune.ids.iter().for_each(|&id| lune.cloud.push(self.graph.point(id)));
                let ties = lune.ids.partition_point(|&id| id < edge.newer);
                let (cloud, rows) = (&lune.cloud, &mut lune.rows);
                match self.graph.simd.adjacent(cloud, edge.length, ties, rows) {
                    Some(apex) => self.cone(self.evaluation.ids[apex], edge.older, position),
                    None => {
                        self.describe(record);
                        State::Open { record, dirty: false }
                    }
                }
            }
        };
        if !matches!(state, State::Open { .. }) {
            self.records.remove(record);
        }
        self.graph.vertex_mut(edge.older).set_state(position, state);
    }

    /// The members of a lune, among the entries of the end that has fewer.
    fn find_lune(&mut self, record: u32) {
        let edge = self.records.get(record).edge;
        let (older, newer) = (self.graph.vertex(edge.older), self.graph.vertex(edge.newer));
        // Of two edges of the same length, the one whose newer end is older comes first.
        let by_older = older.entries() <= newer.entries();
        let (list, other) = if by_older { (older, edge.newer) } else { (newer, edge.older) };
        let (tie, other_tie) = match by_older {
            true => (edge.newer, edge.older),
            false => (edge.older, edge.newer),
        };
        let search = Search { length: edge.length, tie, other_tie, other: self.graph.point(other) };
        let (points, mask, ids) =
            (self.graph.points.flat(), self.graph.mask(), &mut self.evaluation.ids);
        ids.clear();
        self.graph.simd.members(list.older(), points, mask, search, ids);
        self.graph.simd.members_owned(list.newer(), points, mask, search, ids);
    }

    /// Records the components of a lune that is no cone, or why it has only one.
    fn describe(&mut self, record: u32) {
        let lune = &mut self.evaluation;
        let r = self.records.get(record);
        lune.components(std::iter::once(r.base).chain(r.others.iter().copied()));
        let stamp = self.records.next_stamp();
        let r = self.records.get_mut(record);
        if lune.roots[0] != r.base || lune.roots[1..] != r.others[..] {
            (r.base, r.stamp) = (lune.roots[0], stamp);
            r.others.clear();
            r.others.extend_from_slice(&lune.roots[1..]);
            self.morse.add(record, r);
        }
        let centres = if r.others.is_empty() { lune.two_centres() } else { None };
        r.centres = centres.unwrap_or([NONE; 2]);
        let registered = r.minimum;
        r.minimum = match centres {
            Some([a, b]) => a.min(b).min(r.base),
            None => lune.ids[0],
        };
        if r.minimum < r.edge.older && r.minimum != registered {
            let slot = self.graph.slot(r.minimum);
            self.buckets[slot].records.push(record);
        }
    }
}
