use serde::{Deserialize, Serialize};

use crate::distance::Truncated;

/// The largest number of candidates.
const MOST: usize = 31;
/// Distances measured at an emission.
const PACE: usize = 8;

/// Diagrams among which the reference is chosen: up to 31, and once there were as many at least 16,
/// evenly spread over all that was seen so far.
///
/// They are measured against each other at a steady pace as emissions come, so that choosing costs
/// no more than any emission. Those not measured when the warm-up ends, some of the newest, do not
/// count: after 200 emissions, at most one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Candidates {
    /// Emissions seen, of which every `stride`-th gives a candidate.
    seen: usize,
    stride: usize,
    kept: Vec<Candidate>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Candidate {
    diagrams: [Truncated; 2],
    /// The 1-Wasserstein distances in degree 1 to the candidates before it, as far as they are
    /// measured.
    distances: Vec<f32>,
}

impl Candidates {
    /// Looks at the next emission.
    pub(super) fn observe(&mut self, now: &[Truncated; 2]) {
        self.stride = self.stride.max(1);
        if self.seen.is_multiple_of(self.stride) {
            if self.kept.len() < MOST {
                self.kept.push(Candidate { diagrams: now.clone(), distances: Vec::new() });
            } else {
                self.thin();
            }
        }
        self.seen += 1;
        self.measure();
    }

    fn thin(&mut self) {
        self.stride *= 2;
        keep_every_other(&mut self.kept);
        self.kept.iter_mut().for_each(|candidate| keep_every_other(&mut candidate.distances));
    }

    /// Measures a few more distances, those of older candidates first.
    fn measure(&mut self) {
        let mut left = PACE;
        for index in 0..self.kept.len() {
            let (before, rest) = self.kept.split_at_mut(index);
            let Candidate { diagrams, distances } = &mut rest[0];
            for other in before.iter().skip(distances.len()).take(left) {
                distances.push(other.diagrams[1].wasserstein(&diagrams[1]));
                left -= 1;
            }
        }
    }

    /// The candidate with the smallest sum of distances to the others, the first of such.
    pub(super) fn medoid(mut self) -> Option<[Truncated; 2]> {
        let measured =
            |(index, candidate): &(usize, &Candidate)| candidate.distances.len() == *index;
        self.kept.truncate(self.kept.iter().enumerate().take_while(measured).count());
        let reaches: Vec<f64> = (0..self.kept.len()).map(|i| self.reach(i)).collect();
        let best = (0..reaches.len()).min_by(|&a, &b| reaches[a].total_cmp(&reaches[b]))?;
        Some(self.kept.swap_remove(best).diagrams)
    }

    fn reach(&self, index: usize) -> f64 {
        let before = self.kept[index].distances.iter();
        let after = self.kept[index + 1..].iter().map(|later| &later.distances[index]);
        before.chain(after).map(|distance| f64::from(*distance)).sum()
    }
}

fn keep_every_other<T>(items: &mut Vec<T>) {
    let mut keep = false;
    items.retain(|_| {
        keep = !keep;
        keep
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars::Bar;

    fn diagrams(life: f32) -> [Truncated; 2] {
        let bar = Bar { birth: 1.0, death: 1.0 + life };
        [vec![], vec![bar]].map(|bars| Truncated::new(bars, 8))
    }

    fn after(lives: &[f32]) -> Candidates {
        let mut candidates = Candidates::default();
        lives.iter().for_each(|life| candidates.observe(&diagrams(*life)));
        candidates
    }

    #[test]
    fn the_medoid_is_in_the_middle() {
        assert_eq!(after(&[11.0, 19.0, 15.0, 14.0, 10.5]).medoid(), Some(diagrams(14.0)));
        assert_eq!(after(&[2.0]).medoid(), Some(diagrams(2.0)));
        assert_eq!(after(&[]).medoid(), None);
    }

    #[test]
    fn candidates_are_spread_evenly_and_know_their_distances() {
        for count in 1..300 {
            let life = |i: usize| (i * 37 % 101) as f32 / 8.0;
            let Candidates { stride, kept, .. } =
                after(&(0..count).map(life).collect::<Vec<f32>>());
            assert!(kept.len() >= count.min(MOST.div_ceil(2)) && kept.len() <= MOST, "of {count}");
            for (i, candidate) in kept.iter().enumerate() {
                assert_eq!(candidate.diagrams, diagrams(life(i * stride)));
                let distance =
                    |j| diagrams(life(j * stride))[1].wasserstein(&candidate.diagrams[1]);
                let known = candidate.distances.len();
                assert_eq!(candidate.distances, (0..known).map(distance).collect::<Vec<f32>>());
                assert!(known <= i && (known == i || count < 100 || i + 1 == kept.len()));
            }
        }
    }

    #[test]
    fn candidates_that_are_not_measured_yet_are_not_chosen() {
        let candidates = after(&(100..131).map(|i| i as f32).collect::<Vec<f32>>());
        // 31 emissions at a pace of 8 suffice for 22 rows.
        assert_eq!(candidates.medoid(), Some(diagrams(110.0)));
    }
}
