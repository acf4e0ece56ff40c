//! Windows of ordinary size on data of the kinds that users have, against the batch engine.

mod check;
mod oracle;

use std::f32::consts::TAU;

use check::{bits, recomputed};
use persistence::Config;

/// A xorshift generator: the same points on every machine.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}

fn circle(random: &mut Random, t: usize) -> Vec<f32> {
    let (angle, radius) = (random.uniform() * TAU, 1.0 + 0.1 * random.normal());
    vec![radius * angle.cos() + 0.0001 * t as f32, radius * angle.sin()]
}

fn torus(random: &mut Random, _: usize) -> Vec<f32> {
    let (a, b) = (random.uniform() * TAU, random.uniform() * TAU);
    [a.cos(), a.sin(), b.cos(), b.sin()].map(|x| x + 0.05 * random.normal()).to_vec()
}

fn clusters(random: &mut Random, _: usize) -> Vec<f32> {
    let centre = (random.uniform() * 8.0) as u32;
    let coordinate = |i: u32| (centre.wrapping_mul(2_654_435_761) >> (4 * i) & 15) as f32 * 0.2;
    (0..8).map(|i| coordinate(i) + 0.3 * random.normal()).collect()
}

fn grid(random: &mut Random, _: usize) -> Vec<f32> {
    vec![(random.uniform() * 24.0).floor(), (random.uniform() * 24.0).floor()]
}

/// Delay coordinates of a beat with a sharp peak, rounded as a converter does.
fn beats(random: &mut Random, t: usize) -> Vec<f32> {
    let mut sample = |t: usize| {
        let phase = (t % 62) as f32 / 62.0 - 0.5;
        let beat = (-phase * phase * 300.0).exp() - 0.3 * (-(phase - 0.2).powi(2) * 60.0).exp();
        ((beat + 0.01 * random.normal()) * 200.0).round() / 200.0
    };
    (0..3).map(|copy| sample(t + 16 - 8 * copy)).collect()
}

/// A sensor that stands still half of the time.
fn halting(random: &mut Random, t: usize) -> Vec<f32> {
    if (t / 150).is_multiple_of(2) {
        vec![0.25, 0.5, 0.75]
    } else {
        (0..3).map(|_| random.uniform()).collect()
    }
}

type Source = fn(&mut Random, usize) -> Vec<f32>;

/// Slides a window over `points` points; compares every `hop` points, from the first.
fn slide(source: Source, size: usize, hop: usize, radius: f32, points: usize) {
    let mut random = Random(88_172_645_463_325_252);
    let stream: Vec<Vec<f32>> = (0..points).map(|t| source(&mut random, t)).collect();
    let config = Config::new(stream[0].len(), size, radius);
    let mut windows = check::windows(&config).expect("a good configuration");
    let mut loops = 0;
    for seen in 1..=points {
        for window in &mut windows {
            window.push(&stream[seen - 1]).expect("a good point");
        }
        if seen % hop == 0 {
            let expected = recomputed(&stream[seen.saturating_sub(size)..seen], &config);
            loops += expected[1].len();
            for window in &mut windows {
                let found = bits(&window.diagrams());
                assert!(found == expected, "{:?} after {seen} points", window.path());
            }
        }
    }
    assert!(loops > 0, "there are loops to compare");
}

#[test]
fn sparse_circle() {
    slide(circle, 1000, 10, 0.14, 1500);
    slide(circle, 2000, 100, 0.1, 4000);
}

#[test]
fn sparse_torus() {
    slide(torus, 1000, 25, 0.45, 1700);
}

#[test]
fn sparse_clusters_of_high_dimension() {
    slide(clusters, 300, 7, 1.2, 900);
    slide(clusters, 1500, 100, 0.9, 2200);
}

#[test]
fn sparse_grid() {
    slide(grid, 300, 7, 2.0, 900);
    slide(grid, 2000, 150, 3.0, 3500);
}

#[test]
fn dense_beats() {
    slide(beats, 62, 7, 0.6, 700);
    slide(beats, 160, 20, 0.6, 700);
    slide(beats, 400, 50, 0.6, 900);
}

#[test]
fn dense_circle() {
    slide(circle, 300, 60, f32::INFINITY, 700);
}

#[test]
fn dense_clusters() {
    slide(clusters, 300, 60, f32::INFINITY, 700);
}

#[test]
fn flat_and_moving() {
    slide(halting, 300, 12, 0.4, 1200);
    slide(halting, 400, 40, f32::INFINITY, 1000);
}
