//! Diagrams whose bars are all born at the same length.
//!
//! They lie on a line, where the cost of a match is convex in the difference of the deaths. Two
//! crossing matches can be uncrossed without cost, so some optimal matching keeps the order of
//! the deaths: an alignment of two sorted sequences.

use super::{Order, between, to_diagonal};
use crate::bars::Bar;

/// The length at which all bars of both diagrams are born, if there is one.
pub(super) fn common_birth(a: &[Bar], b: &[Bar]) -> Option<f32> {
    let mut births = a.iter().chain(b).map(|bar| bar.birth);
    let first = births.next()?;
    births.all(|birth| birth == first).then_some(first)
}

pub(super) fn bottleneck(a: &[Bar], b: &[Bar]) -> f64 {
    align(a, b, |cost| cost, f64::max)
}

/// The sum of the powers of the costs.
pub(super) fn wasserstein(a: &[Bar], b: &[Bar], order: Order) -> f64 {
    align(a, b, |cost| order.power(cost), |sum, cost| sum + cost)
}

fn align(a: &[Bar], b: &[Bar], price: impl Fn(f64) -> f64, join: impl Fn(f64, f64) -> f64) -> f64 {
    let (a, b) = (by_death(a), by_death(b));
    let alone_b: Vec<f64> = b.iter().map(|y| price(to_diagonal(y))).collect();
    let mut best = vec![0.0; b.len() + 1];
    for j in 0..b.len() {
        best[j + 1] = join(best[j], alone_b[j]);
    }
    for x in &a {
        let alone = price(to_diagonal(x));
        let mut corner = best[0];
        best[0] = join(corner, alone);
        for (j, y) in b.iter().enumerate() {
            let matched = join(corner, price(between(x, y)));
            corner = best[j + 1];
            best[j + 1] = matched.min(join(corner, alone)).min(join(best[j], alone_b[j]));
        }
    }
    best[b.len()]
}

fn by_death(bars: &[Bar]) -> Vec<Bar> {
    let mut bars = bars.to_vec();
    bars.sort_unstable_by(|a, b| b.death.total_cmp(&a.death));
    bars
}
