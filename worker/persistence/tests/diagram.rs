//! Diagrams as values.

use persistence::{Diagram, Pair};

const ALIVE: f32 = f32::INFINITY;

fn diagram(pairs: &[(f32, f32)]) -> Diagram {
    pairs.iter().map(|&(birth, death)| Pair { birth, death }).collect()
}

fn pairs(diagram: &Diagram) -> Vec<(f32, f32)> {
    diagram.pairs().iter().map(|p| (p.birth, p.death)).collect()
}

#[test]
fn pairs_are_sorted_and_those_without_length_left_out() {
    let found =
        diagram(&[(2.0, 3.0), (1.0, ALIVE), (0.0, 0.0), (1.0, 4.0), (2.0, 2.0), (1.0, 4.0)]);
    assert_eq!(pairs(&found), [(1.0, 4.0), (1.0, 4.0), (1.0, ALIVE), (2.0, 3.0)]);
}

#[test]
fn the_longest_of_equals_is_the_first() {
    let longest = |pairs: &[(f32, f32)]| diagram(pairs).longest().map(|p| (p.birth, p.death));
    assert_eq!(longest(&[]), None);
    assert_eq!(longest(&[(3.0, 5.0), (1.0, 3.0), (2.0, 3.0)]), Some((1.0, 3.0)));
    assert_eq!(longest(&[(0.0, 9.0), (3.0, ALIVE), (2.0, ALIVE)]), Some((2.0, ALIVE)));
}

#[test]
fn a_cut_ends_what_is_longer() {
    let cut = diagram(&[(0.0, 1.0), (0.0, 2.0), (1.0, 3.0), (2.0, 4.0), (3.0, ALIVE)]).cut(2.0);
    assert_eq!(pairs(&cut), [(0.0, 1.0), (0.0, 2.0), (1.0, ALIVE), (2.0, ALIVE)]);
    assert_eq!(cut.cut(f32::INFINITY), cut);
    assert!(cut.cut(-1.0).pairs().is_empty());
}
