use super::common::without_common;
use super::matching::{Neighbours, maximum_matching};
use super::{between, to_diagonal};
use crate::bars::Bar;

/// The smallest length within which everything can be matched.
///
/// Bars that both diagrams have may have to be matched with others, but when each is matched with
/// itself, what is left gives an upper bound, and quickly where most bars are shared.
pub(super) fn distance(a: &[Bar], b: &[Bar]) -> f64 {
    let farthest = a.iter().chain(b).map(to_diagonal).fold(0.0, f64::max);
    let (only_a, only_b) = without_common(a, b);
    let most = shortest(&only_a, &only_b, farthest);
    if only_a.len() == a.len() { most } else { shortest(a, b, most) }
}

/// The smallest length within which everything can be matched, which is possible within `most`.
/// Usually it is less than twice what it has to be at least.
fn shortest(a: &[Bar], b: &[Bar], most: f64) -> f64 {
    let least = remotest(a, b);
    if least >= most {
        return most;
    }
    let twice = if least > 0.0 { most.min(2.0 * least) } else { most };
    let pairs = Pairs::new(a, b, (least, twice));
    if pairs.suffice(least) {
        least
    } else if twice == most || pairs.suffice(twice) {
        pairs.shortest((least, twice))
    } else {
        Pairs::new(a, b, (twice, most)).shortest((twice, most))
    }
}

/// How far the remotest bar is from the diagonal and the other diagram: no matching does better.
fn remotest(a: &[Bar], b: &[Bar]) -> f64 {
    let mut from_b: Vec<f64> = b.iter().map(to_diagonal).collect();
    let from_a = a.iter().map(|x| {
        from_b.iter_mut().zip(b).fold(to_diagonal(x), |nearest, (from_y, y)| {
            let length = between(x, y);
            *from_y = lower(*from_y, length);
            lower(nearest, length)
        })
    });
    let farthest = from_a.fold(0.0, f64::max);
    from_b.into_iter().fold(farthest, f64::max)
}

fn lower(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// The bars of one diagram that the diagonal is farther from than a length, and the bars of the other
/// diagram not too far away from them.
#[derive(Default)]
struct Near {
    /// For each bar, how far the diagonal is, and where its part of what follows ends.
    alone: Vec<f64>,
    ends: Vec<usize>,
    others: Vec<usize>,
    lengths: Vec<f64>,
}

/// The bars near to those that have to be matched within any length of a range.
struct Pairs {
    near_a: Near,
    near_b: Near,
    sizes: (usize, usize),
}

impl Pairs {
    fn new(a: &[Bar], b: &[Bar], range: (f64, f64)) -> Pairs {
        let sizes = (a.len(), b.len());
        Pairs { near_a: Near::new(a, b, range), near_b: Near::new(b, a, range), sizes }
    }

    /// Whether everything can be matched within `length`: bars that the diagonal is too far for
    /// need a bar of the other diagram. A matching that serves all of these on one side and a
    /// matching that serves all of them on the other side imply one that serves both
    /// (Mendelsohn and Dulmage, 1958).
    fn suffice(&self, length: f64) -> bool {
        self.near_a.served(self.sizes.1, length) && self.near_b.served(self.sizes.0, length)
    }

    /// The shortest candidate in the range, of which the longest suffices.
    fn shortest(&self, (low, high): (f64, f64)) -> f64 {
        let mut candidates = self.lengths();
        candidates.retain(|length| *length > low && *length <= high);
        while candidates.len() > 1 {
            let middle = (candidates.len() - 1) / 2;
            let (_, &mut length, _) = candidates.select_nth_unstable_by(middle, f64::total_cmp);
            if self.suffice(length) {
                candidates.truncate(middle + 1);
            } else {
                candidates.drain(..=middle);
            }
        }
        candidates.first().copied().unwrap_or(high)
    }

    /// The lengths from which on a bar need not be matched any more, or can be matched with
    /// another one.
    fn lengths(&self) -> Vec<f64> {
        let (a, b) = (&self.near_a, &self.near_b);
        [&a.alone[..], &a.lengths, &b.alone, &b.lengths].concat()
    }
}

impl Near {
    fn new(these: &[Bar], others: &[Bar], (low, high): (f64, f64)) -> Near {
        let mut near = Near::default();
        for bar in these.iter().filter(|bar| to_diagonal(bar) > low) {
            for (other, length) in others.iter().map(|y| between(bar, y)).enumerate() {
                if length <= high {
                    near.others.push(other);
                    near.lengths.push(length);
                }
            }
            near.alone.push(to_diagonal(bar));
            near.ends.push(near.others.len());
        }
        near
    }

    /// Whether all bars that need another one can be matched within `length`.
    fn served(&self, others: usize, length: f64) -> bool {
        let mut neighbours = Neighbours::default();
        let mut start = 0;
        for (alone, end) in self.alone.iter().zip(&self.ends) {
            if *alone > length {
                let near = self.others[start..*end].iter().zip(&self.lengths[start..*end]);
                neighbours.push(near.filter(|(_, l)| **l <= length).map(|(other, _)| *other));
            }
            start = *end;
        }
        maximum_matching(&neighbours, others) == neighbours.len()
    }
}
