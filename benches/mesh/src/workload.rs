//! The points that all are measured on: those of `benches/peers/workloads.py`, one function of
//! series and index each, so that any part of them can be made again.

use load::random::Random;
use std::f64::consts::TAU;

/// Points in a window.
pub(crate) const WINDOW: usize = 1000;
/// Points between two emissions.
pub(crate) const HOP: usize = 10;
/// Mean number of neighbours of a point at the largest radius.
const DEGREE: usize = 50;
/// Samples between two copies in the embedding.
const LAG: u64 = 25;

/// One kind of points, and the radius up to which they are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) dimension: usize,
    /// The radius at which points have 50 neighbours on average.
    pub(crate) radius: f32,
    point: fn(Random, u64) -> Vec<f64>,
}

impl Workload {
    /// A noisy circle whose centre drifts, in the plane.
    pub(crate) fn circle() -> Workload {
        Workload::new("circle", |random, index| {
            let angle = TAU * random.part(0).unit(index);
            let radius = 1.0 + 0.1 * random.part(1).normal(index);
            let drift = 0.1 * index as f64 / WINDOW as f64;
            vec![radius * angle.cos() + drift, radius * angle.sin()]
        })
    }

    /// A noisy sine whose frequency changes every two windows, embedded in space.
    pub(crate) fn regime() -> Workload {
        Workload::new("regime", |random, index| {
            let value = |t: u64| (TAU * cycles(t)).sin() + 0.1 * random.normal(t);
            (0..3).map(|copy| value(index + (2 - copy) * LAG)).collect()
        })
    }

    /// A noisy Clifford torus, in four dimensions.
    pub(crate) fn torus() -> Workload {
        Workload::new("torus", |random, index| {
            let angle = |circle: u64| TAU * random.part(circle).unit(index);
            let (a, b) = (angle(0), angle(1));
            let clean = [a.cos(), a.sin(), b.cos(), b.sin()];
            let noise = random.part(2);
            (0..).zip(clean).map(|(i, x)| x + 0.05 * noise.normal(4 * index + i)).collect()
        })
    }

    fn new(name: &'static str, point: fn(Random, u64) -> Vec<f64>) -> Workload {
        let mut workload = Workload { name, dimension: 0, radius: 0.0, point };
        workload.dimension = workload.point(0, 0).len();
        workload.radius = radius(&workload);
        workload
    }

    /// The point of a series.
    pub(crate) fn point(&self, series: usize, index: u64) -> Vec<f32> {
        let point = (self.point)(Random::new(1).part(series as u64), index);
        point.into_iter().map(|x| x as f32).collect()
    }
}

/// Cycles of the sine until sample `t`.
fn cycles(t: u64) -> f64 {
    let block = 2 * WINDOW as u64;
    let (pairs, rest) = (t / (2 * block), t % (2 * block));
    let frequencies = [0.01, 0.0173];
    let whole = pairs as f64 * block as f64 * (frequencies[0] + frequencies[1]);
    whole
        + rest.min(block) as f64 * frequencies[0]
        + rest.saturating_sub(block) as f64 * frequencies[1]
}

/// The length below which so many pairs of points in a window are that the mean degree is 50, over
/// the windows that begin at 0, 500, …, 3500: all that a cycle of regimes has.
fn radius(workload: &Workload) -> f32 {
    let begins = (0..8).map(|window| 500 * window);
    let mut squares: Vec<f32> = begins.flat_map(|begin| squares(workload, 0, begin)).collect();
    let edge = 8 * WINDOW * DEGREE / 2 - 1;
    squares.select_nth_unstable_by(edge, f32::total_cmp).1.sqrt()
}

/// The squared lengths between all points in a window of a series.
fn squares(workload: &Workload, series: usize, begin: u64) -> Vec<f32> {
    let points: Vec<_> = (begin..).take(WINDOW).map(|i| workload.point(series, i)).collect();
    let pairs = |i: usize| points[..i].iter().map(move |b| (i, b));
    (0..WINDOW).flat_map(pairs).map(|(i, b)| square(&points[i], b)).collect()
}

fn square(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_series_have_the_degree_too() {
        for workload in [Workload::circle(), Workload::regime(), Workload::torus()] {
            let windows = (0..8).map(|window| squares(&workload, 3, 20_250 + 500 * window));
            let limit = workload.radius * workload.radius;
            let edges = windows.flatten().filter(|square| *square <= limit).count();
            let degree = 2.0 * edges as f64 / (8 * WINDOW) as f64;
            assert!((45.0..55.0).contains(&degree), "{} has degree {degree}", workload.name);
        }
    }

    #[test]
    fn the_phase_of_the_sine_goes_on_where_the_frequency_changes() {
        let steps: Vec<f64> = (0..10_000).map(|t| cycles(t + 1) - cycles(t)).collect();
        assert!(steps.iter().all(|s| (0.0099..0.0174).contains(s)));
        assert!((steps[1999] - 0.01).abs() < 1e-9 && (steps[2000] - 0.0173).abs() < 1e-9);
        assert!((steps[3999] - 0.0173).abs() < 1e-9 && (steps[4000] - 0.01).abs() < 1e-9);
    }
}
