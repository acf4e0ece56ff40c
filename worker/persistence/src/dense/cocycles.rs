//! The loops alive during a sweep, each as a cocycle on the edges swept so far.

use super::bits::{bits, has, is_empty};
use super::cocycle::Cocycle;
use super::near::Near;

/// The live loops. The memory of dead ones is used again.
#[derive(Debug, Default)]
pub(crate) struct Cocycles {
    loops: Vec<Cocycle>,
    alive: usize,
    free: Vec<usize>,
    births: usize,
    /// Cocycles evaluated on the triangles over an edge since the sweep began.
    evaluations: usize,
    /// For each vertex, the edges on which any cocycle is one.
    support: Vec<u64>,
    near: Near,
    /// Values on the triangles over an edge: place, and the vertices of the lune where it is one.
    mixed: Vec<(usize, Vec<u64>)>,
    spare: Vec<Vec<u64>>,
    constant: Vec<usize>,
}

impl Cocycles {
    /// No loops, on rows of `words` words for `slots` vertices.
    pub(crate) fn reset<const N: usize>(&mut self, slots: usize) {
        if self.support.len() != slots * N {
            *self = Cocycles {
                support: vec![0; slots * N],
                near: Near::new(slots),
                ..Cocycles::default()
            };
        }
        self.births = 0;
        self.evaluations = 0;
    }

    /// Whether any cocycle is one on an edge from `a` or `b` to their lune. If not, all of them
    /// are zero on all triangles over `ab`, and on `ab`.
    #[inline(always)]
    pub(crate) fn are_near<const N: usize>(&self, a: usize, b: usize, lune: &[u64; N]) -> bool {
        if self.alive == 0 {
            return false;
        }
        let support = self.support.as_chunks::<N>().0;
        let (a, b) = (&support[a], &support[b]);
        (0..N).fold(0, |any, i| any | (a[i] | b[i]) & lune[i]) != 0
    }

    /// A loop is born with the edge `ab`.
    pub(crate) fn bear<const N: usize>(&mut self, a: usize, b: usize, birth: f32) {
        let place = self.free.pop().unwrap_or(self.loops.len());
        if place == self.loops.len() {
            self.loops.push(Cocycle::zero::<N>(self.near.slots()));
        }
        self.near.reach(place);
        self.alive += 1;
        self.loops[place].alive = true;
        self.loops[place].birth = birth;
        self.loops[place].rank = self.births;
        self.births += 1;
        self.set::<N>(place, a, b);
    }

    /// Takes the edge `ab` with the non-empty `lune`: extends each cocycle over it, and
    /// where the triangles over the edge contradict each other, ends the youngest loop that
    /// they tell apart. `died` gets its birth.
    pub(crate) fn extend<const N: usize>(
        &mut self,
        a: usize,
        b: usize,
        lune: &[u64; N],
        mut died: impl FnMut(f32),
    ) {
        self.evaluate::<N>(a, b, lune);
        while let Some(youngest) = self.youngest_told_apart::<N>(lune) {
            self.end::<N>(youngest, lune, &mut died);
        }
        for place in std::mem::take(&mut self.constant) {
            self.set::<N>(place, a, b);
        }
    }

    /// Cocycles evaluated on the triangles over an edge since the sweep began.
    pub(crate) fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// Ends the sweep; gives the births of the loops that are still alive.
    pub(crate) fn survivors<const N: usize>(&mut self, mut survived: impl FnMut(f32)) {
        for (place, survivor) in self.loops.iter_mut().enumerate().filter(|(_, l)| l.alive) {
            survived(survivor.birth);
            survivor.clear::<N>();
            self.free.push(place);
        }
        self.alive = 0;
        self.support.fill(0);
        self.near.clear();
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let words = self.support.capacity() + self.free.capacity();
        let lists = self
            .mixed
            .iter()
            .map(|(_, x)| x.capacity())
            .chain(self.spare.iter().map(Vec::capacity));
        self.loops.iter().map(Cocycle::heap_bytes).sum::<usize>()
            + self.loops.capacity() * size_of::<Cocycle>()
            + self.near.heap_bytes()
            + (words + self.constant.capacity() + lists.sum::<usize>()) * 8
    }

    /// The values of each cocycle on the triangles over `ab`: kept when they differ or are all one.
    fn evaluate<const N: usize>(&mut self, a: usize, b: usize, lune: &[u64; N]) {
        self.constant.clear();
        for word in 0..self.near.words() {
            let near = self.near.word(a, word) | self.near.word(b, word);
            for place in bits(&[near]) {
                self.evaluate_one::<N>(64 * word + place, a, b, lune);
            }
        }
    }

    #[inline(always)]
    fn evaluate_one<const N: usize>(&mut self, place: usize, a: usize, b: usize, lune: &[u64; N]) {
        self.evaluations += 1;
        let (a, b) = (self.loops[place].row::<N>(a), self.loops[place].row::<N>(b));
        let x: [u64; N] = std::array::from_fn(|i| (a[i] ^ b[i]) & lune[i]);
        self.sort_out(place, &x, lune);
    }

    #[inline(always)]
    fn sort_out<const N: usize>(&mut self, place: usize, x: &[u64; N], lune: &[u64; N]) {
        if is_empty(x) {
            return;
        }
        let rest: [u64; N] = std::array::from_fn(|i| x[i] ^ lune[i]);
        if is_empty(&rest) {
            self.constant.push(place);
        } else {
            let mut values = self.spare.pop().unwrap_or_default();
            values.clear();
            values.extend_from_slice(x);
            self.mixed.push((place, values));
        }
    }

    /// Among the cocycles that two triangles over the edge tell apart, the youngest; and in
    /// `mixed` first those that the same two triangles tell apart.
    fn youngest_told_apart<const N: usize>(&mut self, lune: &[u64; N]) -> Option<usize> {
        let (_, values) = self.mixed.first()?;
        let first = bits(lune).next().expect("the lune is not empty");
        let flip = if has(values, first) { u64::MAX } else { 0 };
        let other: [u64; N] = std::array::from_fn(|i| (values[i] ^ flip) & lune[i]);
        let other = bits(&other).next().expect("mixed values differ somewhere");
        let apart = |(_, x): &(usize, Vec<u64>)| has(x, first) != has(x, other);
        self.mixed.sort_by_key(|m| !apart(m));
        let told_apart = self.mixed.iter().take_while(|m| apart(m)).map(|m| m.0);
        let count = told_apart.clone().count();
        let youngest = told_apart.enumerate().max_by_key(|&(_, place)| self.loops[place].rank);
        let (at, _) = youngest.expect("the first is told apart");
        self.mixed.swap(at, count - 1);
        Some(count - 1)
    }

    /// The loop `mixed[last]` dies: its cocycle is added to those before it.
    fn end<const N: usize>(&mut self, last: usize, lune: &[u64; N], died: &mut impl FnMut(f32)) {
        let mut mixed = std::mem::take(&mut self.mixed);
        let (dead, dead_values) = mixed.swap_remove(last);
        died(self.loops[dead].birth);
        for (place, values) in &mut mixed[..last] {
            self.add::<N>(dead, *place);
            values.iter_mut().zip(&dead_values).for_each(|(x, y)| *x ^= y);
        }
        self.clear::<N>(dead);
        self.spare.push(dead_values);
        for (place, values) in mixed.drain(..) {
            let x: [u64; N] = std::array::from_fn(|i| values[i]);
            self.sort_out(place, &x, lune);
            self.spare.push(values);
        }
    }

    /// Adds the cocycle of one loop to that of another.
    fn add<const N: usize>(&mut self, from: usize, to: usize) {
        let [from, target] = self.loops.get_disjoint_mut([from, to]).expect("two loops");
        target.add::<N>(from, |vertex, rest| self.near.put(vertex, to, rest));
    }

    /// Takes a dead loop out of the support, and frees its place.
    fn clear<const N: usize>(&mut self, place: usize) {
        let vertices = self.loops[place].clear::<N>();
        self.alive -= 1;
        self.free.push(place);
        for vertex in bits(&vertices) {
            self.near.put(vertex, place, false);
            self.renew_support::<N>(vertex);
        }
    }

    fn renew_support<const N: usize>(&mut self, vertex: usize) {
        let mut support = [0; N];
        for place in self.near.at(vertex) {
            let row = self.loops[place].row::<N>(vertex);
            support.iter_mut().zip(row).for_each(|(s, r)| *s |= r);
        }
        self.support.as_chunks_mut::<N>().0[vertex] = support;
    }

    /// The cocycle of a loop is one on the edge `ab`.
    fn set<const N: usize>(&mut self, place: usize, a: usize, b: usize) {
        self.loops[place].set::<N>(a, b);
        for (a, b) in [(a, b), (b, a)] {
            self.support[a * N + b / 64] |= 1 << (b % 64);
            self.near.put(a, place, true);
        }
    }
}
