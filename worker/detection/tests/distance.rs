//! Distances against brute force over all matchings, and against a solver that leaves nothing out.

mod dense;

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

/// Diagrams as of consecutive windows: some bars are in both, some more than once, and some are
/// nearly the same.
fn consecutive() -> impl Strategy<Value = (Vec<Bar>, Vec<Bar>)> {
    let place = (0u16..2000, 1u16..400, 0u8..4, 0u8..6);
    prop::collection::vec(place, 0..160).prop_map(|places| {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (birth, life, shift, where_to) in places {
            let coarse = if where_to == 5 { 100 } else { 1 };
            let (birth, life) = (f32::from(birth / coarse) / 64.0, f32::from(life) / 64.0);
            let bar = Bar { birth, death: birth + life };
            let moved = Bar { birth, death: bar.death + f32::from(shift) / 64.0 };
            match where_to {
                0 => a.push(bar),
                1 => b.push(bar),
                2 => a.extend([bar, bar]),
                _ => a.push(bar),
            }
            if where_to > 1 {
                b.push(moved);
            }
        }
        (a, b)
    })
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

/// All that a bottleneck distance can be.
fn lengths(a: &[Bar], b: &[Bar]) -> Vec<f64> {
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| apart(x, y)));
    pairs.chain(a.iter().chain(b).map(alone)).chain([0.0]).collect()
}

fn apart(a: &Bar, b: &Bar) -> f64 {
    let births = f64::from(a.birth) - f64::from(b.birth);
    births.abs().max((f64::from(a.death) - f64::from(b.death)).abs())
}

/// Whether there is a perfect matching of the bars of each diagram and as many places on the
/// diagonal as the other one has bars, by augmenting paths.
fn matched_within(a: &[Bar], b: &[Bar], length: f64) -> bool {
    let size = a.len() + b.len();
    let near = |i: usize, j: usize| match (a.get(i), b.get(j)) {
        (Some(x), Some(y)) => apart(x, y) <= length,
        (Some(bar), None) | (None, Some(bar)) => alone(bar) <= length,
        (None, None) => length >= 0.0,
    };
    let mut holder = vec![None; size];
    (0..size).all(|i| augment(i, &near, &mut holder, &mut vec![false; size]))
}

fn augment(
    i: usize,
    near: &dyn Fn(usize, usize) -> bool,
    holder: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    for j in 0..holder.len() {
        if near(i, j) && !std::mem::replace(&mut seen[j], true) {
            let free = holder[j].is_none_or(|other| augment(other, near, holder, seen));
            if free {
                holder[j] = Some(i);
                return true;
            }
        }
    }
    false
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
    fn nothing_that_is_left_out_matters((a, b) in consecutive()) {
        for order in [Order::One, Order::Two] {
            let (found, expected) = (wasserstein_of_bars(&a, &b, order), dense::distance(&a, &b, order));
            prop_assert!((found - expected).abs() <= 1e-12 * expected, "{} {}", found, expected);
        }
    }

    #[test]
    fn random_bars_cost_what_a_dense_solver_finds(a in many(), b in many()) {
        for order in [Order::One, Order::Two] {
            let (found, expected) = (wasserstein_of_bars(&a, &b, order), dense::distance(&a, &b, order));
            prop_assert!((found - expected).abs() <= 1e-12 * expected, "{} {}", found, expected);
        }
    }

    #[test]
    fn the_bottleneck_is_the_shortest_length_that_suffices((a, b) in consecutive()) {
        let found = bottleneck_of_bars(&a, &b);
        prop_assert!(matched_within(&a, &b, found));
        let shorter = lengths(&a, &b).into_iter().filter(|length| *length < found);
        let next = shorter.fold(-1.0, f64::max);
        prop_assert!(found == 0.0 || !matched_within(&a, &b, next));
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
