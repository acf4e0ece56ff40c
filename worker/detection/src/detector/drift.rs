use serde::{Deserialize, Serialize};

use super::candidates::Candidates;
use crate::bars::Bar;
use crate::distance::Truncated;
use crate::features::{DegreeDistances, DistanceFeatures};

/// The diagrams that distances are measured from: that of the emission before, and a reference.
///
/// The reference is the medoid, in the 1-Wasserstein distance of degree 1, of diagrams taken at
/// regular distances from the warm-up: one that really occurred, and no odd one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Drift {
    previous: Option<[Truncated; 2]>,
    reference: Option<[Truncated; 2]>,
    candidates: Candidates,
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
            self.candidates.observe(&now);
            if !warming_up {
                self.reference = std::mem::take(&mut self.candidates).medoid();
            }
        }
        let previous = self.previous.as_ref().map(|from| distances(from, &now));
        let reference = self.reference.as_ref().map(|from| distances(from, &now));
        self.previous = Some(now);
        DistanceFeatures { previous, reference }
    }
}

fn distances(from: &[Truncated; 2], to: &[Truncated; 2]) -> DegreeDistances {
    DegreeDistances { h0: from[0].distances(&to[0]), h1: from[1].distances(&to[1]) }
}
