use serde::{Deserialize, Serialize};

use crate::bars::Bar;
use crate::distance::Truncated;
use crate::features::{DegreeDistances, DistanceFeatures};

/// Diagrams of the warm-up among which the reference is chosen.
const CANDIDATES: usize = 16;

/// The diagrams that distances are measured from: that of the emission before, and a reference.
///
/// The reference is the medoid, in the 1-Wasserstein distance of degree 1, of sixteen diagrams
/// taken at regular distances from the warm-up: one that really occurred, and no odd one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Drift {
    previous: Option<[Truncated; 2]>,
    reference: Option<[Truncated; 2]>,
    /// The emissions looked at, and the candidates, of which every `stride`-th emission gives one.
    seen: usize,
    stride: usize,
    candidates: Vec<[Truncated; 2]>,
}

impl Drift {
    /// Measures the distances, and remembers the diagrams. The reference is chosen
    /// when the warm-up ends.
    pub(super) fn observe(
        &mut self,
        [h0, h1]: [Vec<Bar>; 2],
        limit: usize,
        warming_up: bool,
    ) -> DistanceFeatures {
        let now = [Truncated::new(h0, limit), Truncated::new(h1, limit)];
        if self.reference.is_none() {
            self.gather(&now);
            if !warming_up {
                self.reference = medoid(std::mem::take(&mut self.candidates));
            }
        }
        let previous = self.previous.as_ref().map(|from| distances(from, &now));
        let reference = self.reference.as_ref().map(|from| distances(from, &now));
        self.previous = Some(now);
        DistanceFeatures { previous, reference }
    }

    /// Keeps between 16 and 32 candidates, evenly spread over all that was seen so far.
    fn gather(&mut self, now: &[Truncated; 2]) {
        self.stride = self.stride.max(1);
        if self.seen.is_multiple_of(self.stride) {
            self.candidates.push(now.clone());
        }
        self.seen += 1;
        if self.candidates.len() == 2 * CANDIDATES {
            let mut index = 0;
            self.candidates.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.stride *= 2;
        }
    }
}

fn distances(from: &[Truncated; 2], to: &[Truncated; 2]) -> DegreeDistances {
    DegreeDistances { h0: from[0].distances(&to[0]), h1: from[1].distances(&to[1]) }
}

fn medoid(mut candidates: Vec<[Truncated; 2]>) -> Option<[Truncated; 2]> {
    let reach = |a: &[Truncated; 2]| -> f64 {
        let others = candidates.iter();
        others.map(|b| f64::from(a[1].distances(&b[1]).wasserstein)).sum()
    };
    let reaches: Vec<f64> = candidates.iter().map(reach).collect();
    let best = (0..reaches.len()).min_by(|&a, &b| reaches[a].total_cmp(&reaches[b]))?;
    Some(candidates.swap_remove(best))
}
