//! Distances against brute force over all matchings, and against goldens of GUDHI and persim.

use detection::Bar;
use detection::distance::{
    Order, Truncated, bottleneck, bottleneck_of_bars, wasserstein, wasserstein_of_bars,
};
use persistence::{Diagram, Pair};
use proptest::prelude::*;

/// The smallest `join` of prices over every way to match bars one to one or with the diagonal.
fn brute_force(
    a: &[Bar],
    b: &[Bar],
    price: &dyn Fn(f64) -> f64,
    join: &dyn Fn(f64, f64) -> f64,
) -> f64 {
    let Some((first, rest)) = a.split_first() else {
        return b.iter().map(|bar| price(alone(bar))).fold(0.0, join);
    };
    let mut best = join(price(alone(first)), brute_force(rest, b, price, join));
    for j in 0..b.len() {
        let mut others = b.to_vec();
        let taken = others.remove(j);
        let births = f64::from(first.birth) - f64::from(taken.birth);
        let deaths = f64::from(first.death) - f64::from(taken.death);
        let matched = price(births.abs().max(deaths.abs()));
        best = best.min(join(matched, brute_force(rest, &others, price, join)));
    }
    best
}

fn alone(bar: &Bar) -> f64 {
    (f64::from(bar.death) - f64::from(bar.birth)) / 2.0
}

/// Up to five bars on a coarse grid, so that ties are everywhere.
fn small() -> impl Strategy<Value = Vec<Bar>> {
    let bar = |(birth, life): (u8, u8)| Bar { birth: birth.into(), death: (birth + life).into() };
    prop::collection::vec((0u8..8, 1u8..8).prop_map(bar), 0..6)
}

fn on_a_line() -> impl Strategy<Value = Vec<Bar>> {
    let bar = |life: u8| Bar { birth: 1.5, death: 1.5 + f32::from(life) };
    prop::collection::vec((1u8..12).prop_map(bar), 0..6)
}

fn many() -> impl Strategy<Value = Vec<Bar>> {
    let bar = |(birth, life): (f32, f32)| Bar { birth, death: birth + life };
    prop::collection::vec((0f32..1.0, 0.001f32..1.0).prop_map(bar), 0..40)
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

fn check(a: &[Bar], b: &[Bar]) -> Result<(), TestCaseError> {
    let sum = |s, c| s + c;
    prop_assert_eq!(bottleneck_of_bars(a, b), brute_force(a, b, &|c| c, &f64::max));
    let one = brute_force(a, b, &|c| c, &sum);
    prop_assert!(close(wasserstein_of_bars(a, b, Order::One), one));
    let two = brute_force(a, b, &|c| c * c, &sum).sqrt();
    prop_assert!(close(wasserstein_of_bars(a, b, Order::Two), two));
    Ok(())
}

proptest! {
    #[test]
    fn distances_are_the_best_of_all_matchings(a in small(), b in small()) {
        check(&a, &b)?;
    }

    #[test]
    fn bars_on_a_line_are_aligned_as_well_as_they_can_be(a in on_a_line(), b in on_a_line()) {
        check(&a, &b)?;
    }

    #[test]
    fn the_line_and_the_plane_agree(lives in prop::collection::vec(0.001f32..1.0, 0..30),
                                    others in prop::collection::vec(0.001f32..1.0, 0..30)) {
        let line = |lives: &[f32]| -> Vec<Bar> {
            lives.iter().map(|l| Bar { birth: 0.0, death: *l }).collect()
        };
        // A bar on the diagonal changes no distance, but is not on the line.
        let beside = Bar { birth: 5.0, death: 5.0 };
        let plane = |lives: &[f32]| [line(lives), vec![beside]].concat();
        let (a, b) = (line(&lives), line(&others));
        let (c, d) = (plane(&lives), plane(&others));
        prop_assert_eq!(bottleneck_of_bars(&a, &b), bottleneck_of_bars(&c, &d));
        for order in [Order::One, Order::Two] {
            let (line, plane) = (wasserstein_of_bars(&a, &b, order), wasserstein_of_bars(&c, &d, order));
            prop_assert!(close(line, plane), "{} {}", line, plane);
        }
    }

    #[test]
    fn they_are_metrics(a in many(), b in many(), c in many()) {
        type Metric = fn(&[Bar], &[Bar]) -> f64;
        let metrics: [Metric; 3] = [
            bottleneck_of_bars,
            |a, b| wasserstein_of_bars(a, b, Order::One),
            |a, b| wasserstein_of_bars(a, b, Order::Two),
        ];
        for distance in metrics {
            prop_assert!(distance(&a, &a) == 0.0);
            prop_assert!(close(distance(&a, &b), distance(&b, &a)));
            prop_assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c) + 1e-9);
        }
        prop_assert!(bottleneck_of_bars(&a, &b) <= wasserstein_of_bars(&a, &b, Order::Two) + 1e-9);
    }

    #[test]
    fn truncated_distances_are_within_their_bounds(a in many(), b in many(), limit in 0usize..20) {
        let truncate = |bars: &[Bar]| Truncated::new(bars.to_vec(), limit);
        let found = truncate(&a).distances(&truncate(&b));
        let (bottleneck, wasserstein) =
            (bottleneck_of_bars(&a, &b) as f32, wasserstein_of_bars(&a, &b, Order::One) as f32);
        match found.error {
            None => {
                prop_assert!(a.len() <= limit && b.len() <= limit);
                prop_assert!(close(found.wasserstein.into(), wasserstein.into()));
                prop_assert_eq!(found.bottleneck, bottleneck);
            }
            Some(error) => {
                prop_assert!(a.len() > limit || b.len() > limit);
                prop_assert!((found.bottleneck - bottleneck).abs() <= error.bottleneck + 1e-6);
                prop_assert!((found.wasserstein - wasserstein).abs() <= error.wasserstein + 1e-5);
            }
        }
    }
}

fn diagram(pairs: &[(f32, f32)]) -> Diagram {
    pairs.iter().map(|&(birth, death)| Pair { birth, death }).collect()
}

#[test]
fn classes_that_never_die_are_matched_among_themselves() {
    let inf = f32::INFINITY;
    let a = diagram(&[(0.0, inf), (2.0, inf), (0.0, 1.0)]);
    let b = diagram(&[(0.5, inf), (5.0, inf)]);
    assert_eq!(bottleneck(&a, &b), 3.0);
    assert_eq!(wasserstein(&a, &b, Order::One), 4.0);
    assert_eq!(wasserstein(&a, &b, Order::Two), (0.25f64 + 9.0 + 0.25).sqrt());
    assert_eq!(bottleneck(&a, &diagram(&[(0.0, inf)])), f64::INFINITY);
    assert_eq!(wasserstein(&a, &diagram(&[]), Order::One), f64::INFINITY);
}
