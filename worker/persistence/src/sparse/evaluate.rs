use crate::simd::{Search, Simd};

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
    /// The graph on the lune, a row of bits a member, itself included.
    rows: Vec<u64>,
    unvisited: Vec<u64>,
    stack: Vec<u32>,
    /// A member of each component.
    roots: Vec<usize>,
    /// The components, a row of bits each.
    components: Vec<u64>,
    covered: Vec<u64>,
    centres: Vec<usize>,
}

/// The most centres that are kept of a connected lune.
pub(super) const CENTRES: usize = 4;

impl Evaluation {
    pub(super) fn new(dimension: usize) -> Evaluation {
        Evaluation {
            cloud: Cloud::new(dimension),
            ids: Vec::new(),
            rows: Vec::new(),
            unvisited: Vec::new(),
            stack: Vec::new(),
            roots: Vec::new(),
            components: Vec::new(),
            covered: Vec::new(),
            centres: Vec::new(),
        }
    }

    fn words(&self) -> usize {
        self.ids.len().div_ceil(64)
    }

    fn row(&self, i: usize) -> &[u64] {
        &self.rows[i * self.words()..][..self.words()]
    }

    fn component(&self, c: usize) -> &[u64] {
        &self.components[c * self.words()..][..self.words()]
    }

    /// Finds the components of the lune, each from one of the `preferred` vertices where it can.
    fn find_components<'a>(&mut self, preferred: impl Iterator<Item = &'a u32>) {
        let n = self.ids.len();
        self.roots.clear();
        self.components.clear();
        self.unvisited.clear();
        self.unvisited.resize(self.words(), u64::MAX);
        if !n.is_multiple_of(64) {
            self.unvisited[n / 64] = (1 << (n % 64)) - 1;
        }
        for id in preferred {
            if let Ok(i) = self.ids.binary_search(id) {
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
        let (words, first) = (self.words(), self.components.len());
        self.components.extend_from_slice(&self.unvisited);
        self.unvisited[member / 64] &= !bit;
        self.roots.push(member);
        self.stack.push(member as u32);
        while let Some(i) = self.stack.pop() {
            let row = &self.rows[i as usize * words..][..words];
            for (word, (unvisited, adjacent)) in self.unvisited.iter_mut().zip(row).enumerate() {
                let reached = *unvisited & adjacent;
                *unvisited &= !reached;
                self.stack.extend(bits(word, reached).map(|i| i as u32));
            }
        }
        let component = self.components[first..].iter_mut();
        component.zip(&self.unvisited).for_each(|(c, unvisited)| *c &= !unvisited);
    }

    /// Looks for a connected set of centres that dominates a component: `start`, and others not
    /// older than member `least`. Whether they do, `centres` holds members of the component.
    fn dominate(&mut self, c: usize, start: usize, least: usize) -> bool {
        let mut covered = std::mem::take(&mut self.covered);
        covered.clear();
        covered.extend_from_slice(self.row(start));
        self.centres.clear();
        self.centres.push(start);
        while covered != self.component(c) && self.centres.len() < CENTRES {
            let gain = |i: usize| {
                let both = self.row(i).iter().zip(&covered);
                both.map(|(row, covered)| (row & !covered).count_ones()).sum::<u32>()
            };
            let reached = covered.iter().enumerate().flat_map(|(word, &w)| bits(word, w));
            let best = reached.filter(|&i| i >= least).map(|i| (gain(i), i)).max();
            let Some((1.., i)) = best else { break };
            covered.iter_mut().zip(self.row(i)).for_each(|(covered, row)| *covered |= row);
            self.centres.push(i);
        }
        let dominated = covered == self.component(c);
        self.covered = covered;
        dominated
    }

    /// The most central member that is not older than member `least`.
    fn hub(&self, least: usize) -> Option<usize> {
        let degree = |i: usize| self.row(i).iter().map(|w| w.count_ones()).sum::<u32>();
        (least..self.ids.len()).max_by_key(|&i| degree(i))
    }

    /// Finds centres of a connected lune; gives the member whose leaving may make it another.
    /// Members from `lasting` on will outlive the edge.
    fn certify(&mut self, lasting: usize) -> usize {
        for least in [lasting, lasting / 2, 0] {
            if let Some(hub) = self.hub(least)
                && self.dominate(0, hub, least)
            {
                return self.centres.iter().copied().min().unwrap_or(0);
            }
        }
        0
    }

    /// The member of component `c` whose leaving may make it another; its root always counts.
    fn critical_member(&mut self, c: usize, lasting: usize) -> usize {
        let root = self.roots[c];
        for least in [lasting, lasting / 2, 0] {
            if self.dominate(c, root, least) {
                return self.centres.iter().copied().min().unwrap_or(root);
            }
        }
        let component = self.component(c).iter().enumerate();
        component.flat_map(|(word, &w)| bits(word, w)).next().unwrap_or(root)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let words = self.rows.capacity()
            + self.unvisited.capacity()
            + self.components.capacity()
            + self.covered.capacity()
            + self.roots.capacity()
            + self.centres.capacity();
        self.cloud.heap_bytes()
            + words * size_of::<u64>()
            + (self.ids.capacity() + self.stack.capacity()) * size_of::<u32>()
    }
}

/// The numbers of the bits of a word of a row, in order.
fn bits(word: usize, mut w: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (w != 0).then(|| w.trailing_zeros() as usize);
        w &= w.wrapping_sub(1);
        bit.map(|bit| word * 64 + bit)
    })
}

impl Sparse {
    /// Looks at the lunes of all dirty edges.
    pub(super) fn evaluate(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for (i, &record) in dirty.iter().enumerate() {
            self.prefetch_ahead_of(&dirty[i..]);
            let r = self.records.get(record);
            if r.is_live() {
                let state = self.graph.vertex(r.edge.older).state(r.position);
                if state == (State::Open { record, dirty: true }) {
                    self.evaluate_lune(record);
                }
            }
        }
        self.register_cones();
        dirty.clear();
        self.dirty = dirty;
    }

    fn prefetch_ahead_of(&self, dirty: &[u32]) {
        if let Some(&record) = dirty.get(12) {
            Simd::prefetch(self.records.get(record));
        }
        if let Some(&record) = dirty.get(8) {
            let edge = self.records.get(record).edge;
            Simd::prefetch(self.graph.vertex(edge.older));
            Simd::prefetch(self.graph.vertex(edge.newer));
        }
        if let Some(&record) = dirty.get(4) {
            let r = self.records.get(record);
            self.graph.vertex(r.edge.older).prefetch_newer();
            self.graph.vertex(r.edge.newer).prefetch_older();
        }
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

    /// Records the components of a lune that is no cone, and how long they will stay the same.
    fn describe(&mut self, record: u32) {
        let (lune, r) = (&mut self.evaluation, self.records.get_mut(record));
        let lasting = lune.ids.partition_point(|&id| id < r.edge.older);
        // The roots of a connected lune are in no boundary and may change at will.
        let split = !r.others.is_empty();
        lune.find_components(std::iter::once(&r.base).chain(&*r.others).filter(|_| split));
        r.centres = [NONE; CENTRES];
        let minimum = if lune.roots.len() == 1 {
            let minimum = lune.certify(lasting);
            for (to, &centre) in r.centres.iter_mut().zip(&lune.centres) {
                *to = lune.ids[centre];
            }
            lune.roots[0] = lune.centres[0];
            minimum
        } else {
            let critical = (0..lune.roots.len()).map(|c| lune.critical_member(c, lasting));
            critical.min().unwrap_or(0)
        };
        let roots = lune.roots.iter().map(|&i| lune.ids[i]);
        if !roots.clone().eq(std::iter::once(r.base).chain(r.others.iter().copied())) {
            r.others = roots.skip(1).collect();
            r.base = lune.ids[lune.roots[0]];
            let stamp = self.records.renew(record);
            self.morse.add(record, stamp, self.records.get(record));
        }
        let r = self.records.get_mut(record);
        let registered = std::mem::replace(&mut r.minimum, lune.ids[minimum]);
        if r.minimum < r.edge.older && r.minimum != registered {
            let slot = self.graph.slot(r.minimum);
            self.buckets[slot].records.push(record);
        }
    }
}
