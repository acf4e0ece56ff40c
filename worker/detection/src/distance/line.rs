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
    align(a, b, |cost| cost, |highest, cost| if cost > highest { cost } else { highest })
}

/// The sum of the powers of the costs.
pub(super) fn wasserstein(a: &[Bar], b: &[Bar], order: Order) -> f64 {
    align(a, b, |cost| order.power(cost), |sum, cost| sum + cost)
}

/// The room that limits are given, so that rounding does not put the best alignment beyond them.
const SLACK: f64 = 1.0 + 1e-9;

/// The cheapest alignment, by dynamic programming over what the first `i` bars and the first `j`
/// bars cost. To have `j > i`, the last `j − i` of these `j` bars or longer ones are left
/// alone: where that costs more than matching rank by rank, nothing is computed.
fn align(a: &[Bar], b: &[Bar], price: impl Fn(f64) -> f64, join: impl Fn(f64, f64) -> f64) -> f64 {
    let (a, b) = (by_death(a), by_death(b));
    let alone = |bars: &[Bar]| bars.iter().map(|x| price(to_diagonal(x))).collect::<Vec<f64>>();
    let (alone_a, alone_b) = (alone(&a), alone(&b));
    let ranks = a.iter().zip(&b).map(|(x, y)| price(between(x, y)));
    let rest = alone_a.iter().skip(b.len()).chain(alone_b.iter().skip(a.len()));
    let limit = ranks.chain(rest.copied()).fold(0.0, &join) * SLACK;
    let mut best = vec![f64::INFINITY; b.len() + 1];
    best[0] = 0.0;
    for j in 0..within(&alone_b, limit, &join) {
        best[j + 1] = join(best[j], alone_b[j]);
    }
    let mut from = 0;
    for (i, x) in a.iter().enumerate() {
        let before = from;
        while from < b.len().min(i + 1) && within(&alone_a[from..=i], limit, &join) < i + 1 - from {
            from += 1;
        }
        let free = alone_b.get(i + 1..).map_or(0, |next| within(next, limit, &join));
        let to = (i + 1 + free).min(b.len());
        let mut corner = if from > 0 { best[from - 1] } else { f64::INFINITY };
        best[before..from].fill(f64::INFINITY);
        let mut left = f64::INFINITY;
        for j in from..=to {
            let mut cheapest = join(best[j], alone_a[i]);
            if j > 0 {
                cheapest = lower(cheapest, join(corner, price(between(x, &b[j - 1]))));
                cheapest = lower(cheapest, join(left, alone_b[j - 1]));
            }
            corner = std::mem::replace(&mut best[j], cheapest);
            left = cheapest;
        }
    }
    best[b.len()]
}

/// How many bars, from the first, can be left alone within the limit.
fn within(alone: &[f64], limit: f64, join: impl Fn(f64, f64) -> f64) -> usize {
    let sums = alone.iter().scan(0.0, |sum, cost| {
        *sum = join(*sum, *cost);
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= limit).count()
}

fn lower(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

fn by_death(bars: &[Bar]) -> Vec<Bar> {
    let mut bars = bars.to_vec();
    bars.sort_unstable_by(|a, b| b.death.total_cmp(&a.death));
    bars
}
