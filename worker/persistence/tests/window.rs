//! Windows that slide, against the textbook and the batch engine, at every emission.

mod check;
mod clouds;
mod oracle;

use check::{Bits, bits, expected, recomputed, runner, windows};
use clouds::Cloud;
use persistence::{Config, Degree, Window};
use proptest::collection::vec;
use proptest::prelude::*;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/regressions/window.txt");

/// The part of a stream that a window holds after `seen` points.
fn held(points: &[Vec<f32>], seen: usize, window: usize) -> &[Vec<f32>] {
    &points[seen.saturating_sub(window)..seen]
}

fn config(cloud: &Cloud, window: usize, max_degree: Degree) -> Config {
    Config { max_degree, ..Config::new(cloud.dimension, window, cloud.radius) }
}

/// Pushes all points, and compares after `hops[0]` of them, then after `hops[1]`, and so on, over
/// and over.
fn compare_along(
    window: &mut Window,
    points: &[Vec<f32>],
    hops: &[usize],
    reference: fn(&[Vec<f32>], &Config) -> Bits,
) -> Result<(), TestCaseError> {
    let config = window.config().clone();
    let mut hops = hops.iter().cycle();
    let mut due = 0;
    for seen in 0..=points.len() {
        if seen > 0 {
            window.push(&points[seen - 1])?;
        }
        if seen == due {
            let held = held(points, seen, config.window);
            let found = window.diagrams();
            prop_assert_eq!(bits(&found), reference(held, &config), "after {} points", seen);
            prop_assert_eq!(window.diagrams(), found, "asked twice after {} points", seen);
            prop_assert!(window.points().eq(held.iter().map(Vec::as_slice)));
            due += hops.next().expect("there are hops");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(runner(1000, REGRESSIONS))]

    #[test]
    fn every_emission_is_that_of_the_oracle(
        cloud in clouds::clouds(0..=70),
        size in 1usize..=26,
        hops in vec(1usize..=12, 1..4),
        degree in check::degrees(),
    ) {
        for mut window in windows(&config(&cloud, size, degree))? {
            compare_along(&mut window, &cloud.points, &hops, expected)?;
        }
    }

    /// The window is longer than the stream, or slides by more than itself between emissions.
    #[test]
    fn odd_hops_change_nothing(
        cloud in clouds::clouds(0..=60),
        size in prop_oneof![Just(1usize), Just(2), 3usize..10, Just(200)],
        hops in vec(1usize..=40, 1..3),
    ) {
        for mut window in windows(&config(&cloud, size, Degree::H1))? {
            compare_along(&mut window, &cloud.points, &hops, recomputed)?;
        }
    }

    #[test]
    fn a_resumed_window_is_one_that_saw_the_whole_stream(
        cloud in clouds::clouds(0..=60),
        size in 1usize..=20,
        before in 0usize..40,
        resumed in 0u64..1000,
    ) {
        let (before, after) = cloud.points.split_at(before.min(cloud.points.len()));
        for mut window in windows(&config(&cloud, size, Degree::H1))? {
            for point in before {
                window.push(point)?;
            }
            window.diagrams();
            window.resume_at(resumed);
            prop_assert_eq!((window.len(), window.seen()), (0, resumed));
            prop_assert_eq!(bits(&window.diagrams()), vec![Vec::new(); 2]);
            compare_along(&mut window, after, &[3], expected)?;
            prop_assert_eq!(window.seen(), resumed + after.len() as u64);
        }
    }

    #[test]
    fn the_radius_of_a_degree_is_the_length_of_an_edge(
        cloud in clouds::clouds(0..=60),
        size in 1usize..=30,
        quarters in 0u8..80,
    ) {
        let degree = f32::from(quarters) / 4.0;
        let mut windows = windows(&config(&cloud, size, Degree::H1))?;
        for seen in 1..=cloud.points.len() {
            for window in &mut windows {
                window.push(&cloud.points[seen - 1])?;
            }
            if seen % 7 == 0 {
                let points = oracle::distinct(held(&cloud.points, seen, size));
                let edges = oracle::edges(&points, cloud.radius);
                let rank = (points.len() as f64 * f64::from(degree) / 2.0).ceil().max(1.0) as usize;
                let expected = edges.get(rank - 1).map_or(f32::INFINITY, |e| e.0.sqrt());
                for window in &mut windows {
                    prop_assert_eq!(window.radius_at_degree(degree), expected);
                }
            }
        }
    }

    #[test]
    fn a_cut_diagram_is_that_of_the_shorter_edges(
        cloud in clouds::clouds(0..=26),
        fraction in 0.0f32..1.2,
        edge in any::<Option<prop::sample::Index>>(),
    ) {
        let edges = oracle::edges(&cloud.points, cloud.radius);
        let longest = edges.last().map_or(1.0, |e| e.0.sqrt());
        let of = |edge: prop::sample::Index| edge.get(&edges).0.sqrt();
        let radius = edge.filter(|_| !edges.is_empty()).map_or(longest * fraction, of);
        let mut window = Window::new(&config(&cloud, 26, Degree::H1))?;
        for point in &cloud.points {
            window.push(point)?;
        }
        let shorter = |squared: f32| oracle::within(cloud.radius, squared) && squared.sqrt() <= radius;
        let expected = oracle::diagrams_if(&cloud.points, shorter);
        prop_assert_eq!(bits(&window.diagrams().cut(radius)), oracle::bits(&expected));
    }

    #[test]
    fn a_cut_diagram_is_that_of_a_smaller_radius(
        cloud in clouds::tame_clouds(1..=60),
        fraction in 0.0f32..1.2,
    ) {
        let edges = oracle::edges(&oracle::distinct(&cloud.points), cloud.radius);
        let radius = edges.last().map_or(1.0, |e| e.0.sqrt()) * fraction;
        prop_assume!(edges.iter().all(|e| e.0.sqrt() != radius));
        let wide = config(&cloud, 60, Degree::H1);
        let narrow = Config { max_radius: radius.min(cloud.radius), ..wide.clone() };
        let (mut wide, mut narrow) = (Window::new(&wide)?, Window::new(&narrow)?);
        for point in &cloud.points {
            wide.push(point)?;
            narrow.push(point)?;
        }
        prop_assert_eq!(bits(&wide.diagrams().cut(radius)), bits(&narrow.diagrams()));
    }
}

proptest! {
    #![proptest_config(runner(24, REGRESSIONS))]

    #[test]
    fn long_runs_stay_exact(
        cloud in clouds::clouds(1500..=2500),
        size in 2usize..=20,
        hops in vec(1usize..=9, 1..4),
    ) {
        for mut window in windows(&config(&cloud, size, Degree::H1))? {
            compare_along(&mut window, &cloud.points, &hops, expected)?;
        }
    }
}

/// A series that stands still has one location: no edges to keep, however long the window.
#[test]
fn a_flat_series_costs_nothing() {
    let flat = vec![vec![0.5f32; 3]; 6000];
    let config = Config::new(3, 2000, f32::INFINITY);
    for mut window in windows(&config).unwrap() {
        compare_along(&mut window, &flat, &[500], recomputed).unwrap();
        let points = 2000 * 3 * size_of::<f32>();
        assert!(window.heap_bytes() < 4 * points, "{} bytes", window.heap_bytes());
    }
}

/// One place that is seen again and again among others that are not.
#[test]
fn a_place_seen_for_ever_does_not_make_the_window_grow() {
    let place = |t: usize| match t % 5 {
        0 => vec![0.25f32, 0.75],
        _ => vec![(t as f32 * 0.754_877_7).fract(), (t as f32 * 0.569_840_3).fract()],
    };
    let stream: Vec<Vec<f32>> = (0..20_000).map(place).collect();
    for mut window in windows(&Config::new(2, 50, 0.3)).unwrap() {
        compare_along(&mut window, &stream[..2_000], &[10], recomputed).unwrap();
        let before = window.heap_bytes();
        for points in stream[2_000..].chunks(10) {
            points.iter().for_each(|point| window.push(point).unwrap());
            window.diagrams();
        }
        let after = window.heap_bytes();
        assert!(after < 2 * before, "{before} bytes, then {after}");
    }
}

#[test]
fn a_degree_that_makes_no_sense_has_a_radius_all_the_same() {
    let config = Config::new(1, 9, 5.0);
    for mut window in windows(&config).unwrap() {
        assert_eq!(window.radius_at_degree(3.0), f32::INFINITY);
        for x in [0.0, 1.0, 3.0, 9.0] {
            window.push(&[x]).unwrap();
        }
        for degree in [f32::NAN, f32::NEG_INFINITY, -1.0, 0.0, 0.5] {
            assert_eq!(window.radius_at_degree(degree), 1.0);
        }
        for degree in [3.0, f32::MAX, f32::INFINITY] {
            assert_eq!(window.radius_at_degree(degree), f32::INFINITY);
        }
    }
}
