//! Random points to try the engines on: ordinary ones, and those that break engines.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::oracle;

type Points = BoxedStrategy<Vec<Vec<f32>>>;
type Size = RangeInclusive<usize>;

/// Points in the order of a stream, and the radius of their filtration.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    pub(crate) dimension: usize,
    pub(crate) points: Vec<Vec<f32>>,
    pub(crate) radius: f32,
}

impl Cloud {
    pub(crate) fn rows(&self) -> Vec<f32> {
        self.points.concat()
    }
}

/// So many points of up to eight dimensions.
pub(crate) fn clouds(size: Size) -> impl Strategy<Value = Cloud> {
    from(move |dimension| points(dimension, size.clone()))
}

/// As [`clouds`], without coordinates near the end of what `f32` can hold.
pub(crate) fn tame_clouds(size: Size) -> impl Strategy<Value = Cloud> {
    from(move |dimension| tame_points(dimension, size.clone()))
}

/// Points of small whole coordinates: differences, squares and sums are exact.
pub(crate) fn exact_clouds(size: Size) -> impl Strategy<Value = Cloud> {
    from(move |dimension| lattice(dimension, 2..=40, size.clone()))
}

fn from(points: impl Fn(usize) -> Points) -> impl Strategy<Value = Cloud> {
    let placed = (1usize..=8).prop_flat_map(move |dimension| (points(dimension), Just(dimension)));
    (placed, limit()).prop_map(|((points, dimension), limit)| {
        let radius = limit.radius(&points);
        Cloud { dimension, points, radius }
    })
}

fn points(dimension: usize, size: Size) -> Points {
    prop_oneof![
        8 => tame_points(dimension, size.clone()),
        1 => outliers(dimension, size.clone()),
        1 => extremes(dimension, size),
    ]
    .boxed()
}

fn tame_points(dimension: usize, size: Size) -> Points {
    prop_oneof![
        3 => lattice(dimension, 2..=7, size.clone()),
        1 => lattice(dimension, 2..=7, size.clone()).prop_map(tenths),
        3 => uniform(dimension, size.clone()),
        2 => circle(dimension, size.clone()),
        2 => clusters(dimension, size.clone()),
        2 => signal(dimension, size.clone()),
        1 => collinear(dimension, size.clone()),
        2 => flat_stretches(dimension, size),
    ]
    .boxed()
}

/// Ties everywhere, and equal points.
fn lattice(dimension: usize, side: RangeInclusive<i16>, size: Size) -> Points {
    let coordinate = move |side| (0..side).prop_map(f32::from);
    side.prop_flat_map(move |side| vec(vec(coordinate(side), dimension), size.clone())).boxed()
}

/// Lattice steps that `f32` cannot hold: lengths that ought to be equal are nearly so.
fn tenths(points: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    points.into_iter().map(|p| p.into_iter().map(|x| x * 0.1).collect()).collect()
}

fn uniform(dimension: usize, size: Size) -> Points {
    vec(vec(-1.0f32..1.0, dimension), size).boxed()
}

/// Loops that live long: a noisy circle in the first two coordinates.
fn circle(dimension: usize, size: Size) -> Points {
    let point = (0.0f32..6.3, vec(-0.1f32..0.1, dimension)).prop_map(|(angle, mut noise)| {
        noise.iter_mut().zip([angle.cos(), angle.sin()]).for_each(|(x, c)| *x += c);
        noise
    });
    vec(point, size).boxed()
}

fn clusters(dimension: usize, size: Size) -> Points {
    let centres = vec(vec(0.0f32..3.0, dimension), 3);
    let members = vec((0usize..3, vec(-0.3f32..0.3, dimension)), size);
    let join =
        |centre: &[f32], offset: Vec<f32>| centre.iter().zip(offset).map(|(c, o)| c + o).collect();
    (centres, members)
        .prop_map(move |(centres, members)| {
            members.into_iter().map(|(centre, offset)| join(&centres[centre], offset)).collect()
        })
        .boxed()
}

/// Delay coordinates of a rounded oscillation: a trajectory that comes back to where it was.
fn signal(dimension: usize, size: Size) -> Points {
    let noise = vec(-1.0f32..1.0, *size.start() + 3 * dimension..=*size.end() + 3 * dimension);
    let series = (0.1f32..0.9, 1.0f32..9.0, noise).prop_map(|(speed, height, noise)| {
        let sample = |(t, x): (usize, &f32)| (height * (t as f32 * speed).sin() + x).round();
        noise.iter().enumerate().map(sample).collect::<Vec<f32>>()
    });
    let embed = move |series: Vec<f32>| {
        let spans = series.windows(3 * dimension + 1);
        spans.map(|span| span.iter().rev().step_by(3).take(dimension).copied().collect()).collect()
    };
    series.prop_map(embed).boxed()
}

fn collinear(dimension: usize, size: Size) -> Points {
    let direction = vec(-2i8..3, dimension);
    let steps = vec(-40i8..40, size);
    let place = |(direction, steps): (Vec<i8>, Vec<i8>)| {
        let at = |t: &i8| direction.iter().map(|x| f32::from(*x) * f32::from(*t) * 0.25).collect();
        steps.iter().map(at).collect()
    };
    (direction, steps).prop_map(place).boxed()
}

/// A sensor that stands still, moves on, and comes back.
fn flat_stretches(dimension: usize, size: Size) -> Points {
    let places = vec(vec((-3i8..4).prop_map(f32::from), dimension), 8);
    let most = *size.end();
    let stays = vec((any::<Index>(), 1usize..6), size);
    let stay = move |(places, stays): (Vec<Vec<f32>>, Vec<(Index, usize)>)| {
        let stretches = stays.iter().flat_map(|(p, n)| std::iter::repeat_n(p.get(&places), *n));
        stretches.take(most).cloned().collect()
    };
    (places, stays).prop_map(stay).boxed()
}

fn outliers(dimension: usize, size: Size) -> Points {
    let coordinate = prop_oneof![
        12 => -1.0f32..1.0,
        1 => prop::sample::select(vec![1e3f32, -1e6, 1e12, -3e18]),
    ];
    vec(vec(coordinate, dimension), size).boxed()
}

/// Coordinates whose differences or squares overflow, underflow, are denormal, or are zero with
/// a sign.
fn extremes(dimension: usize, size: Size) -> Points {
    let coordinate = prop_oneof![
        prop::sample::select(vec![0.0f32, -0.0, 1.0, f32::MAX, -f32::MAX, f32::MIN_POSITIVE]),
        (0u32..9).prop_map(f32::from_bits),
        (1u32..9).prop_map(|n| n as f32 * 1e-22),
        (1u32..9).prop_map(|n| n as f32 * 5e18),
    ];
    vec(vec(coordinate, dimension), size).boxed()
}

/// How the radius is chosen once the points are there.
#[derive(Clone, Debug)]
enum Limit {
    Zero,
    Infinite,
    /// The length of an edge, or the `f32` before or after it: ties at the radius itself.
    Edge(Index, Index, i8),
}

fn limit() -> impl Strategy<Value = Limit> {
    let edge = (any::<Index>(), any::<Index>(), -1i8..=1);
    prop_oneof![
        1 => Just(Limit::Zero),
        3 => Just(Limit::Infinite),
        8 => edge.prop_map(|(a, b, nudge)| Limit::Edge(a, b, nudge)),
    ]
}

impl Limit {
    fn radius(&self, points: &[Vec<f32>]) -> f32 {
        let from = |index: &Index| &points[index.index(points.len())];
        match self {
            Limit::Zero => 0.0,
            Limit::Infinite => f32::INFINITY,
            Limit::Edge(..) if points.is_empty() => 1.0,
            Limit::Edge(a, b, nudge) => {
                let length = oracle::squared_distance(from(a), from(b)).sqrt();
                match nudge {
                    0 => length,
                    1 => length.next_up(),
                    _ => length.next_down().max(0.0),
                }
            }
        }
    }
}
