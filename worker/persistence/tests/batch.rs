//! The batch engine against the textbook.

mod check;
mod clouds;
mod oracle;

use check::{bits, expected, runner};
use persistence::batch::{self, Loop};
use persistence::{Config, Degree};
use proptest::prelude::*;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/regressions/batch.txt");

proptest! {
    #![proptest_config(runner(3000, REGRESSIONS))]

    #[test]
    fn diagrams_are_those_of_the_oracle(
        cloud in clouds::clouds(0..=32),
        max_degree in check::degrees(),
    ) {
        let config = Config { max_degree, ..Config::new(cloud.dimension, 1, cloud.radius) };
        let found = batch::diagrams(&cloud.rows(), &config)?;
        prop_assert_eq!(bits(&found), expected(&cloud.points, &config));
    }

    #[test]
    fn the_longest_loop_is_one_of_the_longest_class(cloud in clouds::clouds(0..=32)) {
        let config = Config::new(cloud.dimension, 1, cloud.radius);
        let diagrams = batch::diagrams(&cloud.rows(), &config)?;
        let found = batch::longest_loop(&cloud.rows(), &config)?;
        let pair = found.as_ref().map(|l| (l.birth, l.death));
        prop_assert_eq!(pair, diagrams.degree(1).longest().map(|p| (p.birth, p.death)));
        if let Some(found) = found {
            check_loop(&found, &cloud.points, cloud.radius)?;
        }
    }
}

/// A closed walk without repetition whose last edge is its longest; that edge opens a class which
/// dies when the loop says.
fn check_loop(found: &Loop, points: &[Vec<f32>], radius: f32) -> Result<(), TestCaseError> {
    let distinct = oracle::distinct(points);
    let vertex = |row: &usize| distinct.iter().position(|p| *p == points[*row]);
    let walk: Vec<usize> = found.points.iter().filter_map(vertex).collect();
    let ends = walk.iter().zip(walk.iter().cycle().skip(1));
    let edges: Vec<_> = ends.map(|(&a, &b)| edge(&distinct, a, b)).collect();
    let (closing, path) = edges.split_last().expect("a loop has edges");

    prop_assert!(walk.len() >= 4);
    let oldest = |row: &usize| points.iter().position(|p| *p == points[*row]) == Some(*row);
    prop_assert!(found.points.iter().all(oldest), "of equal points the oldest");
    prop_assert!((0..walk.len()).all(|i| !walk[..i].contains(&walk[i])), "no repetition");
    prop_assert!(path.iter().all(|e| e < closing), "the last edge is the longest");
    prop_assert_eq!(closing.0.sqrt(), found.birth);
    prop_assert!(found.points[0] < found.points[found.points.len() - 1]);
    prop_assert_eq!(oracle::death(&distinct, *closing, radius), Some(found.death));
    prop_assert_eq!(walk.len(), oracle::distance(&distinct, *closing) + 1);
    Ok(())
}

fn edge(points: &[Vec<f32>], a: usize, b: usize) -> (f32, usize, usize) {
    (oracle::squared_distance(&points[a], &points[b]), a.max(b), a.min(b))
}

#[test]
fn no_points_have_empty_diagrams() {
    let config = Config::new(3, 10, 1.0);
    let diagrams = batch::diagrams(&[], &config).unwrap();
    assert!(diagrams.all().len() == 2 && diagrams.all().iter().all(|d| d.pairs().is_empty()));
    assert_eq!(batch::longest_loop(&[], &config), Ok(None));
}

#[test]
fn a_square_is_a_loop() {
    let square = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0];
    let config = Config { max_degree: Degree::H0, ..Config::new(2, 1, f32::INFINITY) };
    let found = batch::longest_loop(&square, &config).unwrap().unwrap();
    assert_eq!((found.birth, found.death), (1.0, 2.0f32.sqrt()));
    assert_eq!(found.points, [2, 1, 0, 3]);
}
