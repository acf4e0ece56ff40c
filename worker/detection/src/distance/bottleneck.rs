use super::matching::maximum_matching;
use super::{between, to_diagonal};
use crate::bars::Bar;

/// The smallest candidate within which everything can be matched. Candidates are the distances
/// of bars to the diagonal, and those between bars that are smaller than the largest of these:
/// with that one, every bar can go to the diagonal.
pub(super) fn distance(a: &[Bar], b: &[Bar]) -> f64 {
    let farthest = a.iter().chain(b).map(to_diagonal).fold(0.0, f64::max);
    let matches = a.iter().flat_map(|x| b.iter().map(move |y| between(x, y)));
    let mut candidates: Vec<f64> = matches.filter(|d| *d < farthest).collect();
    candidates.extend(a.iter().chain(b).map(to_diagonal));
    candidates.push(0.0);
    candidates.sort_unstable_by(f64::total_cmp);
    candidates.dedup();
    candidates[candidates.partition_point(|d| !within(a, b, *d))]
}

/// Whether everything can be matched within `distance`: bars that the diagonal is too far for
/// need a bar of the other diagram. A matching that serves all of these on one side and a matching
/// that serves all of them on the other side imply one that serves both (Mendelsohn and
/// Dulmage, 1958).
fn within(a: &[Bar], b: &[Bar], distance: f64) -> bool {
    served(a, b, distance) && served(b, a, distance)
}

fn served(these: &[Bar], others: &[Bar], distance: f64) -> bool {
    let needy = these.iter().filter(|bar| to_diagonal(bar) > distance);
    let near = |bar: &Bar| -> Vec<usize> {
        (0..others.len()).filter(|&j| between(bar, &others[j]) <= distance).collect()
    };
    let neighbours: Vec<Vec<usize>> = needy.map(near).collect();
    maximum_matching(&neighbours, others.len()) == neighbours.len()
}
