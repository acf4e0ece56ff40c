/// A set of numbers over the field of two elements, with its maximum at hand: a tree of words,
/// each bit of which tells whether the word below it has any.
#[derive(Debug, Default)]
pub(super) struct Bits {
    levels: Vec<Vec<u64>>,
}

impl Bits {
    /// Makes room for numbers below `n`; the set is empty before and after.
    pub(super) fn reserve(&mut self, n: usize) {
        let mut words = n;
        for level in 0.. {
            words = words.div_ceil(64).max(1);
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            if self.levels[level].len() < words {
                self.levels[level].resize(words, 0);
            }
            if words == 1 && level + 1 >= self.levels.len() {
                break;
            }
        }
    }

    /// Adds `i`, or takes it out.
    #[inline]
    pub(super) fn toggle(&mut self, i: u32) {
        let mut i = i as usize;
        for level in &mut self.levels {
            let word = &mut level[i / 64];
            let was_empty = *word == 0;
            *word ^= 1 << (i % 64);
            if !was_empty && *word != 0 {
                break;
            }
            i /= 64;
        }
    }

    #[inline]
    pub(super) fn max(&self) -> Option<u32> {
        let mut i = 0;
        for level in self.levels.iter().rev() {
            let word = level[i];
            if word == 0 {
                return None;
            }
            i = i * 64 + word.ilog2() as usize;
        }
        Some(i as u32)
    }

    /// Empties the set into `to`, largest first.
    pub(super) fn drain_into(&mut self, to: &mut Vec<u32>) {
        while let Some(i) = self.max() {
            to.push(i);
            self.toggle(i);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.levels.iter().map(|level| level.capacity() * size_of::<u64>()).sum()
    }
}
