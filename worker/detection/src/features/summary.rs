use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bars::Bar;

/// What the components of a window look like: its diagram of degree 0, reduced, ended at the
/// radius at which the window has the mean degree of `h0_degree`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Components {
    /// Sum of the persistences, in the unit of the coordinates.
    pub total: f32,
    /// The largest persistence, in the unit of the coordinates; 0 without bars.
    pub max: f32,
    /// Persistence entropy in nats: −Σ p ln p, where p is the share of a bar in the total
    /// (Rucco et al., 2016).
    pub entropy: f32,
    /// 90th percentile of the persistences, interpolated linearly, in the unit of the coordinates.
    pub p90: f32,
    /// Number of bars.
    pub count: u32,
}

/// What the loops of a window look like: its diagram of degree 1, ended at the radius at
/// which the window has the mean degree of `h1_degree`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loops {
    /// Sum of the persistences, in the unit of the coordinates.
    pub total: f32,
    /// The largest persistence, in the unit of the coordinates; 0 without bars.
    pub max: f32,
    /// The second largest persistence, in the unit of the coordinates; 0 with fewer than two bars.
    pub second: f32,
    /// Persistence entropy in nats.
    pub entropy: f32,
    /// Root of the sum of the squared persistences, in the unit of the coordinates.
    pub l2: f32,
    /// Number of bars.
    pub count: u32,
}

impl Components {
    /// Of these bars of degree 0.
    pub fn of(bars: &[Bar]) -> Components {
        let lives = descending(bars);
        Components {
            total: total(&lives) as f32,
            max: nth(&lives, 0) as f32,
            entropy: entropy(&lives) as f32,
            p90: percentile(&lives, 0.9) as f32,
            count: lives.len() as u32,
        }
    }
}

impl Loops {
    /// Of these bars of degree 1.
    pub fn of(bars: &[Bar]) -> Loops {
        let lives = descending(bars);
        Loops {
            total: total(&lives) as f32,
            max: nth(&lives, 0) as f32,
            second: nth(&lives, 1) as f32,
            entropy: entropy(&lives) as f32,
            l2: lives.iter().map(|l| l * l).sum::<f64>().sqrt() as f32,
            count: lives.len() as u32,
        }
    }
}

/// The persistences, the longest first: sums are then the same whatever the order of the bars.
fn descending(bars: &[Bar]) -> Vec<f64> {
    let mut lives: Vec<f64> = bars.iter().map(Bar::persistence).collect();
    lives.sort_unstable_by(|a, b| b.total_cmp(a));
    lives
}

fn nth(lives: &[f64], n: usize) -> f64 {
    lives.get(n).copied().unwrap_or(0.0)
}

fn total(lives: &[f64]) -> f64 {
    lives.iter().sum()
}

fn entropy(lives: &[f64]) -> f64 {
    let total = total(lives);
    let shares = lives.iter().map(|l| l / total).filter(|p| *p > 0.0);
    // Adding 0 turns the −0 of a single bar into 0.
    -shares.map(|p| p * p.ln()).sum::<f64>() + 0.0
}

fn percentile(descending: &[f64], share: f64) -> f64 {
    let Some(last) = descending.len().checked_sub(1) else {
        return 0.0;
    };
    let rank = (1.0 - share) * last as f64;
    let (below, above) = (descending[rank.ceil() as usize], descending[rank.floor() as usize]);
    above + (below - above) * rank.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(lives: &[f32]) -> Vec<Bar> {
        lives.iter().map(|&l| Bar { birth: 1.0, death: 1.0 + l }).collect()
    }

    #[test]
    fn summaries_of_four_bars() {
        let loops = Loops::of(&bars(&[1.0, 4.0, 1.0, 2.0]));
        assert_eq!((loops.total, loops.max, loops.second, loops.count), (8.0, 4.0, 2.0, 4));
        assert_eq!(loops.l2, 22f32.sqrt());
        let entropy = 0.5 * 2f32.ln() + 0.25 * 4f32.ln() + 0.25 * 8f32.ln();
        assert!((loops.entropy - entropy).abs() < 1e-6);
    }

    #[test]
    fn the_percentile_is_interpolated() {
        let components = Components::of(&bars(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(components.p90, 5.5);
        assert_eq!(Components::of(&bars(&[3.0])).p90, 3.0);
    }

    #[test]
    fn nothing_is_zero() {
        assert_eq!(Loops::of(&[]), Loops::default());
        assert_eq!(Components::of(&[]), Components::default());
        assert_eq!(Loops::of(&bars(&[2.0])).entropy.to_bits(), 0f32.to_bits());
    }
}
