use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bars::Bar;

/// Norms of the first persistence landscapes of a diagram (Bubenik, 2015; as a warning signal:
/// Gidea and Katz, 2018).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LandscapeNorms {
    /// ∫ Σₖ λₖ, in the squared unit of the coordinates.
    pub l1: f32,
    /// (∫ Σₖ λₖ²)^½, in the unit of the coordinates to the power of 3/2.
    pub l2: f32,
}

impl LandscapeNorms {
    /// Of the first `levels` landscapes; the integrals are exact on each linear piece.
    pub fn of(bars: &[Bar], levels: usize) -> LandscapeNorms {
        let levels = landscapes(bars, levels);
        let pieces = || levels.iter().flat_map(|level| level.windows(2));
        let l1: f64 = pieces().map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0).sum();
        let square = |p: &[(f64, f64)]| {
            let (left, right) = (p[0].1, p[1].1);
            (p[1].0 - p[0].0) * (left * left + left * right + right * right) / 3.0
        };
        let l2 = pieces().map(square).sum::<f64>().sqrt();
        LandscapeNorms { l1: l1 as f32, l2: l2 as f32 }
    }
}

/// The corners `(x, λₖ(x))` of the first `levels` landscapes, from left to right; between the
/// corners they are linear, outside 0. The algorithm of Bubenik and Dłotko (2017, algorithm 1):
/// O(n log n) to sort, then O(n) a level and bar that crosses it.
pub fn landscapes(bars: &[Bar], levels: usize) -> Vec<Vec<(f64, f64)>> {
    let mut rest: Vec<(f64, f64)> =
        bars.iter().map(|b| (f64::from(b.birth), f64::from(b.death))).collect();
    rest.retain(|(birth, death)| birth < death);
    rest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut found = Vec::new();
    while found.len() < levels && !rest.is_empty() {
        found.push(top(&mut rest));
    }
    found
}

/// Takes the highest landscape off the bars: what remains of them has the lower ones.
fn top(rest: &mut Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let (birth, mut death) = rest.remove(0);
    let mut corners = vec![(birth, 0.0), peak(birth, death)];
    let mut from = 0;
    while let Some(step) = rest[from..].iter().position(|b| b.1 > death) {
        let at = from + step;
        let (next_birth, next_death) = rest.remove(at);
        from = at;
        if next_birth < death {
            corners.push(peak(next_birth, death));
            let overlap = (next_birth, death);
            from += rest[at..].partition_point(|b| before(b, &overlap));
            rest.insert(from, overlap);
            from += 1;
        } else {
            corners.extend([(death, 0.0), (next_birth, 0.0)]);
        }
        corners.push(peak(next_birth, next_death));
        death = next_death;
    }
    corners.push((death, 0.0));
    corners
}

fn peak(birth: f64, death: f64) -> (f64, f64) {
    ((birth + death) / 2.0, (death - birth) / 2.0)
}

fn before(a: &(f64, f64), b: &(f64, f64)) -> bool {
    a.0 < b.0 || (a.0 == b.0 && a.1 >= b.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn height(corners: &[(f64, f64)], x: f64) -> f64 {
        let piece = corners.windows(2).find(|p| p[0].0 <= x && x <= p[1].0 && p[0].0 < p[1].0);
        piece.map_or(0.0, |p| p[0].1 + (p[1].1 - p[0].1) * (x - p[0].0) / (p[1].0 - p[0].0))
    }

    /// λₖ(x) by its definition: the k-th largest of the tents over x.
    fn by_definition(bars: &[Bar], level: usize, x: f64) -> f64 {
        let tent = |b: &Bar| (x - f64::from(b.birth)).min(f64::from(b.death) - x).max(0.0);
        let mut heights: Vec<f64> = bars.iter().map(tent).collect();
        heights.sort_by(|a, b| b.total_cmp(a));
        heights.get(level).copied().unwrap_or(0.0)
    }

    #[test]
    fn one_tent() {
        let norms = LandscapeNorms::of(&[Bar { birth: 1.0, death: 3.0 }], 3);
        assert_eq!(norms, LandscapeNorms { l1: 1.0, l2: (2.0f32 / 3.0).sqrt() });
        assert_eq!(LandscapeNorms::of(&[], 3), LandscapeNorms::default());
    }

    proptest! {
        #[test]
        fn landscapes_are_the_largest_tents(
            raw in prop::collection::vec((0u8..12, 1u8..8), 0..12),
        ) {
            let bar = |&(b, l): &(u8, u8)| Bar { birth: b.into(), death: (b + l).into() };
            let bars: Vec<Bar> = raw.iter().map(bar).collect();
            let found = landscapes(&bars, bars.len() + 1);
            for level in 0..bars.len() + 1 {
                for x in 0..80 {
                    let x = f64::from(x) / 4.0;
                    let height = found.get(level).map_or(0.0, |c| height(c, x));
                    prop_assert!((height - by_definition(&bars, level, x)).abs() < 1e-12);
                }
            }
            let area: f64 = bars.iter().map(|b| b.persistence().powi(2) / 4.0).sum();
            let norms = LandscapeNorms::of(&bars, usize::MAX);
            prop_assert!((f64::from(norms.l1) - area).abs() < 1e-4);
        }
    }
}
