//! What must not change the diagrams, and what must change them in a known way. No oracle needed.

mod check;
mod clouds;
mod oracle;

use check::{Bits, bits, recomputed, runner};
use clouds::Cloud;
use persistence::{Config, Degree};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/regressions/metamorphic.txt");

/// The diagrams of all points: those of a window on any path, and of the batch engine.
fn diagrams(points: &[Vec<f32>], dimension: usize, radius: f32) -> Result<Bits, TestCaseError> {
    let config = Config::new(dimension, points.len().max(1), radius);
    let found = recomputed(points, &config);
    for mut window in check::windows(&config)? {
        for point in points {
            window.push(point)?;
        }
        prop_assert_eq!(&bits(&window.diagrams()), &found, "{:?}", window.path());
    }
    Ok(found)
}

fn diagrams_of(cloud: &Cloud) -> Result<Bits, TestCaseError> {
    diagrams(&cloud.points, cloud.dimension, cloud.radius)
}

fn map(points: &[Vec<f32>], coordinate: impl Fn(usize, f32) -> f32) -> Vec<Vec<f32>> {
    let mapped = |p: &Vec<f32>| p.iter().enumerate().map(|(i, x)| coordinate(i, *x)).collect();
    points.iter().map(mapped).collect()
}

/// Both diagrams of each degree in one, sorted.
fn union(a: Bits, b: Bits) -> Bits {
    let joined = a.into_iter().zip(b).map(|(a, b)| [a, b].concat());
    joined
        .map(|mut pairs| {
            pairs.sort_unstable();
            pairs
        })
        .collect()
}

proptest! {
    #![proptest_config(runner(400, REGRESSIONS))]

    #[test]
    fn a_copy_of_a_point_changes_nothing(
        cloud in clouds::clouds(1..=60),
        copies in vec((any::<Index>(), any::<Index>()), 1..20),
    ) {
        let mut points = cloud.points.clone();
        for (from, to) in copies {
            points.insert(to.index(points.len() + 1), from.get(&cloud.points).clone());
        }
        prop_assert_eq!(diagrams(&points, cloud.dimension, cloud.radius)?, diagrams_of(&cloud)?);
    }

    #[test]
    fn the_order_of_the_points_changes_nothing(
        (cloud, shuffled) in clouds::clouds(1..=60).prop_flat_map(|cloud| {
            let shuffled = Just(cloud.points.clone()).prop_shuffle();
            (Just(cloud), shuffled)
        }),
    ) {
        prop_assert_eq!(diagrams(&shuffled, cloud.dimension, cloud.radius)?, diagrams_of(&cloud)?);
    }

    #[test]
    fn lengths_scale_with_a_power_of_two(cloud in clouds::exact_clouds(1..=60), power in -20i32..=20) {
        let scale = 2.0f32.powi(power);
        let points = map(&cloud.points, |_, x| x * scale);
        let scaled = diagrams(&points, cloud.dimension, cloud.radius * scale)?;
        let by = |bits: u32| (f32::from_bits(bits) * scale).to_bits();
        let expected = diagrams_of(&cloud)?.into_iter();
        let expected: Bits =
            expected.map(|d| d.into_iter().map(|(b, d)| (by(b), by(d))).collect()).collect();
        prop_assert_eq!(scaled, expected);
    }

    #[test]
    fn isometries_change_nothing(
        cloud in clouds::exact_clouds(1..=60),
        shift in vec(-1000i16..1000, 8),
        mirror in vec(any::<bool>(), 8),
    ) {
        let moved = map(&cloud.points, |i, x| {
            f32::from(shift[i]) + if mirror[i] { -x } else { x }
        });
        let turned: Vec<Vec<f32>> = moved.into_iter().map(|p| p.into_iter().rev().collect()).collect();
        prop_assert_eq!(diagrams(&turned, cloud.dimension, cloud.radius)?, diagrams_of(&cloud)?);
    }

    #[test]
    fn clouds_far_apart_are_the_union_of_both(
        cloud in clouds::exact_clouds(1..=40),
        other in clouds::exact_clouds(1..=40),
    ) {
        let radius = cloud.radius.min(300.0);
        let resize = |p: &Vec<f32>| {
            (0..cloud.dimension).map(|i| p.get(i).copied().unwrap_or(0.0)).collect::<Vec<f32>>()
        };
        let other: Vec<Vec<f32>> = other.points.iter().map(resize).collect();
        let far = map(&other, |i, x| if i == 0 { x + 1024.0 } else { x });
        let mut alternating = Vec::new();
        for i in 0..cloud.points.len().max(far.len()) {
            alternating.extend(cloud.points.get(i).cloned());
            alternating.extend(far.get(i).cloned());
        }
        let apart = union(
            diagrams(&cloud.points, cloud.dimension, radius)?,
            diagrams(&other, cloud.dimension, radius)?,
        );
        prop_assert_eq!(diagrams(&alternating, cloud.dimension, radius)?, apart);
    }

    #[test]
    fn the_hop_changes_nothing_at_common_times(
        cloud in clouds::clouds(1..=90),
        size in 1usize..=40,
        hop in 2usize..=15,
    ) {
        let config = Config::new(cloud.dimension, size, cloud.radius);
        for (mut often, mut seldom) in check::windows(&config)?.into_iter().zip(check::windows(&config)?) {
            for (i, point) in cloud.points.iter().enumerate() {
                often.push(point)?;
                seldom.push(point)?;
                let each = often.diagrams();
                if i % hop == 0 {
                    prop_assert_eq!(bits(&seldom.diagrams()), bits(&each), "at point {}", i);
                }
            }
        }
    }

    #[test]
    fn degree_0_does_not_depend_on_degree_1(cloud in clouds::clouds(1..=90), size in 1usize..=40) {
        let both = Config::new(cloud.dimension, size, cloud.radius);
        let one = Config { max_degree: Degree::H0, ..both.clone() };
        for (mut both, mut one) in check::windows(&both)?.into_iter().zip(check::windows(&one)?) {
            for (i, point) in cloud.points.iter().enumerate() {
                both.push(point)?;
                one.push(point)?;
                if i % 11 == 0 {
                    prop_assert_eq!(&bits(&one.diagrams())[..], &bits(&both.diagrams())[..1]);
                }
            }
        }
    }
}
