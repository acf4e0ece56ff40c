use persistence::Diagram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many components and loops a window has at each radius of a fixed grid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BettiCurves {
    /// The radii, evenly spaced from 0 to the cap, in the unit of the coordinates. (With an
    /// infinite cap: to the largest finite length of the window.)
    pub radii: Vec<f32>,
    /// Components at each radius, the one that never dies included.
    pub h0: Vec<u32>,
    /// Loops at each radius.
    pub h1: Vec<u32>,
}

/// The Betti curve: at each radius the number of classes born at or before it and dead after it.
/// The radii are ascending.
pub fn betti_curve(diagram: &Diagram, radii: &[f32]) -> Vec<u32> {
    let mut change = vec![0i64; radii.len() + 1];
    for pair in diagram.pairs() {
        change[radii.partition_point(|r| *r < pair.birth)] += 1;
        change[radii.partition_point(|r| *r < pair.death)] -= 1;
    }
    let running = change.iter().scan(0i64, |alive, step| {
        *alive += step;
        Some(*alive as u32)
    });
    running.take(radii.len()).collect()
}

/// `points` radii, evenly spaced from 0 to `end`.
pub(crate) fn grid(points: usize, end: f32) -> Vec<f32> {
    let last = points.saturating_sub(1).max(1) as f64;
    (0..points).map(|i| (f64::from(end) * i as f64 / last) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use persistence::Pair;

    #[test]
    fn a_class_counts_from_its_birth_to_before_its_death() {
        let pairs = [(0.0, 1.0), (0.5, 2.0), (0.0, f32::INFINITY)];
        let diagram = pairs.iter().map(|&(birth, death)| Pair { birth, death }).collect();
        let curve = betti_curve(&diagram, &[0.0, 0.5, 0.9, 1.0, 2.0, 3.0]);
        assert_eq!(curve, [2, 3, 3, 2, 1, 1]);
    }

    #[test]
    fn the_grid_reaches_from_zero_to_the_end() {
        assert_eq!(grid(5, 2.0), [0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!(grid(1, 2.0), [0.0]);
        assert!(grid(0, 2.0).is_empty());
    }
}
