//! Random points to try the engines on: ordinary ones, and those that break engines.

#![allow(dead_code, reason = "each test binary uses its part")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::oracle;

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

/// Up to `most` points of up to eight dimensions.
pub(crate) fn clouds(most: usize) -> impl Strategy<Value = Cloud> {
    (1usize..=8)
        .prop_flat_map(move |dimension| (points(dimension, most), limit()))
        .prop_map(|(points, limit)| cloud(points, limit))
}

/// As [`clouds`], with coordinates so small that all their differences, squares, sums and products
/// with powers of two are exact.
pub(crate) fn exact_clouds(most: usize) -> impl Strategy<Value = Cloud> {
    (1usize..=8)
        .prop_flat_map(move |dimension| {
            let points = (2i16..60).prop_flat_map(move |side| lattice(dimension, side, most));
            (points, limit())
        })
        .prop_map(|(points, limit)| cloud(points, limit))
}

fn cloud(points: Vec<Vec<f32>>, limit: Limit) -> Cloud {
    let dimension = points.first().map_or(1, Vec::len);
    Cloud { dimension, radius: limit.radius(&points), points }
}

fn points(dimension: usize, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    prop_oneof![
        3 => (2i16..7).prop_flat_map(move |side| lattice(dimension, side, most)),
        1 => (2i16..7).prop_flat_map(move |side| lattice(dimension, side, most)).prop_map(tenths),
        3 => uniform(dimension, most),
        2 => circle(dimension, most),
        2 => clusters(dimension, most),
        1 => collinear(dimension, most),
        2 => flat_stretches(dimension, most),
        1 => outliers(dimension, most),
        1 => extremes(dimension, most),
    ]
    .boxed()
}

/// Ties everywhere, and equal points.
fn lattice(dimension: usize, side: i16, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    vec(vec((0..side).prop_map(f32::from), dimension), 0..=most).boxed()
}

/// Lattice steps that `f32` cannot hold: lengths that ought to be equal are nearly so.
fn tenths(points: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    points.into_iter().map(|p| p.into_iter().map(|x| x * 0.1).collect()).collect()
}

fn uniform(dimension: usize, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    vec(vec(-1.0f32..1.0, dimension), 0..=most).boxed()
}

/// Loops that live long: a noisy circle in the first two coordinates.
fn circle(dimension: usize, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    let point = (0.0f32..6.3, vec(-0.1f32..0.1, dimension)).prop_map(|(angle, mut noise)| {
        noise.iter_mut().zip([angle.cos(), angle.sin()]).for_each(|(x, c)| *x += c);
        noise
    });
    vec(point, 0..=most).boxed()
}

fn clusters(dimension: usize, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    let centres = vec(vec(0.0f32..3.0, dimension), 3);
    let members = vec((0usize..3, vec(-0.3f32..0.3, dimension)), 0..=most);
    let join =
        |centre: &[f32], offset: Vec<f32>| centre.iter().zip(offset).map(|(c, o)| c + o).collect();
    (centres, members)
        .prop_map(move |(centres, members)| {
            members.into_iter().map(|(centre, offset)| join(&centres[centre], offset)).collect()
        })
        .boxed()
}

fn collinear(dimension: usize, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    let direction = vec(-2i8..3, dimension);
    let steps = vec(-40i8..40, 0..=most);
    let place = |(direction, steps): (Vec<i8>, Vec<i8>)| {
        let at = |t: &i8| direction.iter().map(|x| f32::from(*x) * f32::from(*t) * 0.25).collect();
        steps.iter().map(at).collect()
    };
    (direction, steps).prop_map(place).boxed()
}

/// A sensor that stands still, moves on, and comes back.
fn flat_stretches(dimension: usize, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    let places = vec(vec((-3i8..4).prop_map(f32::from), dimension), 8);
    let stays = vec((any::<Index>(), 1usize..6), 0..=most);
    let stay = move |(places, stays): (Vec<Vec<f32>>, Vec<(Index, usize)>)| {
        let stretches = stays.iter().flat_map(|(p, n)| std::iter::repeat_n(p.get(&places), *n));
        stretches.take(most).cloned().collect()
    };
    (places, stays).prop_map(stay).boxed()
}

fn outliers(dimension: usize, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    let coordinate = prop_oneof![
        12 => -1.0f32..1.0,
        1 => prop::sample::select(vec![1e3f32, -1e6, 1e12, -3e18]),
    ];
    vec(vec(coordinate, dimension), 0..=most).boxed()
}

/// Coordinates whose differences or squares overflow, underflow, are denormal, or are zero with
/// a sign.
fn extremes(dimension: usize, most: usize) -> BoxedStrategy<Vec<Vec<f32>>> {
    let coordinate = prop_oneof![
        prop::sample::select(vec![0.0f32, -0.0, 1.0, f32::MAX, -f32::MAX, f32::MIN_POSITIVE]),
        (0u32..9).prop_map(f32::from_bits),
        (1u32..9).prop_map(|n| n as f32 * 1e-22),
        (1u32..9).prop_map(|n| n as f32 * 5e18),
    ];
    vec(vec(coordinate, dimension), 0..=most).boxed()
}

/// How the radius is chosen once the points are there.
#[derive(Clone, Debug)]
enum Limit {
    Zero,
    Infinite,
    /// The length of an edge, or the `f32` before or after it: ties at the radius itself.
    Edge(Index, i8),
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        1 => Just(Limit::Zero),
        3 => Just(Limit::Infinite),
        8 => (any::<Index>(), -1i8..=1).prop_map(|(edge, nudge)| Limit::Edge(edge, nudge)),
    ]
}

impl Limit {
    fn radius(&self, points: &[Vec<f32>]) -> f32 {
        let length = |edge: &Index| {
            let edges = oracle::edges(points, f32::INFINITY);
            if edges.is_empty() { 1.0 } else { edge.get(&edges).0.sqrt() }
        };
        match self {
            Limit::Zero => 0.0,
            Limit::Infinite => f32::INFINITY,
            Limit::Edge(edge, 0) => length(edge),
            Limit::Edge(edge, 1) => length(edge).next_up(),
            Limit::Edge(edge, _) => length(edge).next_down().max(0.0),
        }
    }
}
