//! The two ways in which a window is computed, on windows of the size that they are made for, and
//! the change from one to the other.

mod check;
mod clouds;
mod oracle;

use check::{bits, recomputed, runner, windows};
use persistence::{Config, Path, Window};
use proptest::prelude::*;
use proptest::sample::select;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/regressions/paths.txt");

proptest! {
    #![proptest_config(runner(40, REGRESSIONS))]

    /// Around multiples of 64, where a row of bits gets another word.
    #[test]
    fn windows_of_hundreds_of_points_are_exact(
        cloud in clouds::clouds(100..=420),
        size in select(vec![63usize, 64, 65, 127, 128, 129, 192, 193, 257]),
        hop in 9usize..=80,
    ) {
        let config = Config::new(cloud.dimension, size, cloud.radius);
        let mut windows = windows(&config)?;
        for seen in 1..=cloud.points.len() {
            for window in &mut windows {
                window.push(&cloud.points[seen - 1])?;
            }
            if seen % hop == 0 {
                let held = &cloud.points[seen.saturating_sub(size)..seen];
                let expected = recomputed(held, &config);
                for window in &mut windows {
                    prop_assert_eq!(&bits(&window.diagrams()), &expected, "{:?}", window.path());
                }
            }
        }
    }
}

/// A stream that spreads out and draws together, with copies of older points in between.
fn breathing(points: usize) -> Vec<Vec<f32>> {
    let mut stream: Vec<Vec<f32>> = Vec::new();
    for t in 0..points {
        let spread = if (t / 350).is_multiple_of(2) { 1.0 } else { 9.0 };
        let (a, b) = (t as f32 * 0.754_877_7, t as f32 * 0.569_840_3);
        let fresh = vec![a.fract() * spread, b.fract() * spread];
        stream.push(if t % 13 == 12 { stream[t - 11].clone() } else { fresh });
    }
    stream
}

#[test]
fn the_path_follows_the_density_and_changes_nothing() {
    let stream = breathing(1500);
    let config = Config::new(2, 300, 1.5);
    let mut window = Window::new(&config).unwrap();
    let mut paths = Vec::new();
    for seen in 1..=stream.len() {
        window.push(&stream[seen - 1]).unwrap();
        let found = window.diagrams();
        paths.push(window.path());
        if seen % 10 == 0 || paths.iter().rev().take(4).any(|path| *path != window.path()) {
            let held = &stream[seen.saturating_sub(300)..seen];
            assert!(bits(&found) == recomputed(held, &config), "after {seen} points");
        }
    }
    paths.dedup();
    let there_and_back = [Path::Dense, Path::Sparse, Path::Dense, Path::Sparse];
    assert!(paths.windows(4).any(|w| w == there_and_back), "{paths:?}");
}

#[test]
fn a_path_is_kept_when_it_is_asked_for() {
    for path in [Path::Dense, Path::Sparse] {
        let config = Config::new(2, 300, 1.5);
        let mut window = Window::with_path(&config, path).unwrap();
        for point in breathing(800) {
            window.push(&point).unwrap();
            window.diagrams();
            assert_eq!(window.path(), path);
        }
    }
}
