//! A shorter and calmer history that breaks the same promise.

/// Runs that are tried at most.
const RUNS: usize = 400;

/// Ends the choices earlier, and makes blocks of them zero, for as long as they still break it.
pub(super) fn shrink(choices: &[u32], breaks: impl Fn(&[u32]) -> bool) -> Vec<u32> {
    let (mut best, mut runs) = (choices.to_vec(), 0);
    let mut attempt = |candidate: &[u32]| {
        runs += 1;
        (runs <= RUNS).then(|| breaks(candidate))
    };
    shorten(&mut best, &mut attempt);
    let mut block = best.len().next_power_of_two() / 8;
    while block > 0 {
        for start in (0..best.len()).step_by(block).rev() {
            let end = best.len().min(start + block);
            if best[start..end].iter().all(|&choice| choice == 0) {
                continue;
            }
            let mut calmer = best.clone();
            calmer[start..end].fill(0);
            match attempt(&calmer) {
                Some(true) => best = calmer,
                Some(false) => {}
                None => return best,
            }
        }
        block = if block > 1 { (block / 4).max(1) } else { 0 };
    }
    shorten(&mut best, &mut attempt);
    best
}

/// The shortest beginning that halving finds.
fn shorten(best: &mut Vec<u32>, attempt: &mut impl FnMut(&[u32]) -> Option<bool>) {
    let (mut too_short, mut enough) = (0, best.len());
    while enough - too_short > 1 {
        let middle = too_short.midpoint(enough);
        match attempt(&best[..middle]) {
            Some(true) => enough = middle,
            Some(false) => too_short = middle,
            None => break,
        }
    }
    best.truncate(enough);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_goes() {
        let choices: Vec<u32> = (1..=200).collect();
        let shortest = shrink(&choices, |c| c.get(40) == Some(&41) && c.get(7) == Some(&8));
        assert_eq!(shortest.len(), 41);
        assert_eq!(shortest.iter().filter(|&&c| c > 0).count(), 2);
    }
}
