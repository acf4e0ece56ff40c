//! Where every choice of a run comes from.

/// A sequence of choices: drawn from a seed, or those of a run before. Choice 0 is always the one
/// that disturbs nothing, so that a tape with more zeros, or a shorter one, is a calmer history.
#[derive(Clone, Debug)]
pub(super) struct Tape {
    given: Vec<u32>,
    /// State of the generator behind the given choices; without one, they are followed by zeros.
    source: Option<u64>,
    taken: Vec<u32>,
}

impl Tape {
    /// The choices of a seed.
    pub(super) fn seeded(seed: u64) -> Tape {
        Tape { given: Vec::new(), source: Some(seed), taken: Vec::new() }
    }

    /// These choices, then zeros.
    pub(super) fn replayed(given: Vec<u32>) -> Tape {
        Tape { given, source: None, taken: Vec::new() }
    }

    /// The choices that were taken, each as the number that was drawn.
    pub(super) fn taken(&self) -> &[u32] {
        &self.taken
    }

    /// A number below `n`, which is not 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let drawn = match self.given.get(self.taken.len()) {
            Some(&given) => given,
            None => self.source.as_mut().map_or(0, next),
        };
        // What is kept is what was chosen, so that a zero means the same everywhere.
        let chosen = drawn as usize % n;
        self.taken.push(chosen as u32);
        chosen
    }

    /// True so many times in a thousand.
    pub(super) fn chance(&mut self, per_mille: usize) -> bool {
        self.below(1000) >= 1000 - per_mille.min(1000)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), its upper half.
fn next(state: &mut u64) -> u32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_gives_the_same_choices_again_and_then_rest() {
        let mut first = Tape::seeded(7);
        let drawn: Vec<usize> = (1..50).map(|n| first.below(n)).collect();
        assert!(drawn.iter().any(|&d| d > 0));
        let mut again = Tape::replayed(first.taken().to_vec());
        assert_eq!(drawn, (1..50).map(|n| again.below(n)).collect::<Vec<_>>());
        assert_eq!((again.below(9), again.chance(1000)), (0, true));
        assert!(!again.chance(999), "what comes after the tape disturbs nothing");
    }
}
