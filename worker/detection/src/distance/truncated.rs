use serde::{Deserialize, Serialize};

use super::{DistanceErrors, Distances, Order, bottleneck_of_bars, wasserstein_of_bars};
use crate::bars::Bar;

/// The most persistent bars of a diagram, and how far they are from all of them.
///
/// Leaving out bars moves a diagram by half the persistence of the largest one left out in the
/// bottleneck distance, and by half their total in the 1-Wasserstein distance; by the
/// triangle inequality, distances between truncated diagrams are off by no more than the sum of
/// the two moves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Truncated {
    bars: Vec<Bar>,
    /// The move in the bottleneck distance.
    largest: f64,
    /// The move in the 1-Wasserstein distance.
    total: f64,
}

impl Truncated {
    /// Keeps the `limit` most persistent bars; of equally persistent ones those born first.
    pub fn new(mut bars: Vec<Bar>, limit: usize) -> Truncated {
        let longer = |a: &Bar, b: &Bar| b.persistence().total_cmp(&a.persistence());
        bars.sort_unstable_by(|a, b| longer(a, b).then(a.birth.total_cmp(&b.birth)));
        let dropped = bars.split_off(limit.min(bars.len()));
        let halves = || dropped.iter().map(|b| b.persistence() / 2.0);
        Truncated { bars, largest: halves().next().unwrap_or(0.0), total: halves().sum() }
    }

    /// The bars kept, the most persistent first.
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }

    /// The distances to another diagram, with their bounds if either was truncated.
    pub fn distances(&self, other: &Truncated) -> Distances {
        let errors = DistanceErrors {
            bottleneck: (self.largest + other.largest) as f32,
            wasserstein: (self.total + other.total) as f32,
        };
        Distances {
            bottleneck: bottleneck_of_bars(&self.bars, &other.bars) as f32,
            wasserstein: self.wasserstein(other),
            error: (errors != DistanceErrors::default()).then_some(errors),
        }
    }

    /// The 1-Wasserstein distance to another diagram, as in [`Truncated::distances`].
    pub fn wasserstein(&self, other: &Truncated) -> f32 {
        wasserstein_of_bars(&self.bars, &other.bars, Order::One) as f32
    }
}
