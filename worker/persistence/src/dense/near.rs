use super::bits::bits;

/// For each vertex, the live loops whose cocycle is one on an edge there: a set of the places
/// where they are kept.
#[derive(Debug, Default)]
pub(crate) struct Near {
    slots: usize,
    /// Words in a set.
    words: usize,
    sets: Vec<u64>,
}

impl Near {
    pub(crate) fn new(slots: usize) -> Near {
        Near { slots, words: 1, sets: vec![0; slots] }
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// A word of the set at a vertex.
    #[inline(always)]
    pub(crate) fn word(&self, vertex: usize, word: usize) -> u64 {
        self.sets[vertex * self.words + word]
    }

    /// The places in the set at a vertex.
    pub(crate) fn at(&self, vertex: usize) -> impl Iterator<Item = usize> {
        bits(&self.sets[vertex * self.words..][..self.words])
    }

    /// Puts a place into the set at a vertex, or takes it out.
    pub(crate) fn put(&mut self, vertex: usize, place: usize, is_near: bool) {
        let word = &mut self.sets[vertex * self.words + place / 64];
        *word = *word & !(1 << (place % 64)) | u64::from(is_near) << (place % 64);
    }

    /// Makes all sets large enough for a place.
    pub(crate) fn reach(&mut self, place: usize) {
        if place < 64 * self.words {
            return;
        }
        let words = 2 * self.words;
        let mut sets = vec![0; self.slots * words];
        for (to, from) in sets.chunks_exact_mut(words).zip(self.sets.chunks_exact(self.words)) {
            to[..self.words].copy_from_slice(from);
        }
        (self.words, self.sets) = (words, sets);
    }

    pub(crate) fn clear(&mut self) {
        self.sets.fill(0);
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.sets.capacity() * 8
    }
}
