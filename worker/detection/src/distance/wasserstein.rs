use super::assignment::{Choices, assign};
use super::{Order, between, to_diagonal};
use crate::bars::Bar;

/// The smallest sum of the powers of the costs over all matchings with the diagonal.
///
/// At first all bars go to the diagonal. A match is worth what it saves of that, and those
/// that save nothing are in no cheapest matching: usually most pairs, and all pairs far apart.
pub(super) fn cost(a: &[Bar], b: &[Bar], order: Order) -> f64 {
    let (alone_a, alone_b) = (alone(a, order), alone(b, order));
    let mut choices = Choices::default();
    for (x, x_alone) in a.iter().zip(&alone_a) {
        let costs = b.iter().zip(&alone_b).map(|(y, y_alone)| {
            let matched = order.power(between(x, y));
            matched - (x_alone + y_alone)
        });
        choices.push(costs);
    }
    let matched = assign(&choices, b.len());
    total(&matched, a, b, order)
}

fn alone(bars: &[Bar], order: Order) -> Vec<f64> {
    bars.iter().map(|bar| order.power(to_diagonal(bar))).collect()
}

/// What a matching costs: that of `b[j]` with `a[i]` where `matched[j]` is `i`.
fn total(matched: &[Option<usize>], a: &[Bar], b: &[Bar], order: Order) -> f64 {
    let mut rest = vec![true; a.len()];
    let mut total = 0.0;
    for (y, x) in b.iter().zip(matched) {
        total += order.power(x.map_or(to_diagonal(y), |x| between(&a[x], y)));
        if let Some(x) = *x {
            rest[x] = false;
        }
    }
    let left = a.iter().zip(&rest).filter(|(_, rest)| **rest);
    total + left.map(|(x, _)| order.power(to_diagonal(x))).sum::<f64>()
}
