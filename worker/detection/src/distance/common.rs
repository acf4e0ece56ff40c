//! Bars that two diagrams share.

use std::cmp::Ordering;

use crate::bars::Bar;

/// Both diagrams without the bars that they share, each as often as both have it.
///
/// The 1-Wasserstein distance between what remains is that between the whole diagrams. Let
/// `d(x, y)` be the cost of a match or, where that is lower, of sending both bars to the diagonal:
/// a metric. Where a shared bar `s` is matched as `x → s` on one side and `s → y` on the other,
/// `d(x, y) ≤ d(x, s) + d(s, y)`, so that matching `s` with itself and `x` with `y` costs no more; `x`
/// or `y` may as well be the diagonal. No higher power of `d` obeys the triangle inequality.
pub(super) fn without_common(a: &[Bar], b: &[Bar]) -> (Vec<Bar>, Vec<Bar>) {
    let (a, b) = (sorted(a), sorted(b));
    let (mut only_a, mut only_b) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let order = by_place(&a[i], &b[j]);
        match order {
            Ordering::Less => only_a.push(a[i]),
            Ordering::Greater => only_b.push(b[j]),
            Ordering::Equal => {}
        }
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
    }
    only_a.extend(&a[i..]);
    only_b.extend(&b[j..]);
    (only_a, only_b)
}

fn sorted(bars: &[Bar]) -> Vec<Bar> {
    let mut bars = bars.to_vec();
    bars.sort_unstable_by(by_place);
    bars
}

fn by_place(a: &Bar, b: &Bar) -> Ordering {
    a.birth.total_cmp(&b.birth).then(a.death.total_cmp(&b.death))
}
