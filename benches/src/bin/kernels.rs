//! Runs one scenario of fixed input, to have its instructions counted (`make bench-instructions`).

use std::f32::consts::TAU;
use std::hint::black_box;

use anyhow::{Context, Result};
use persistence::{Config, Embedding, Scale};

/// The same numbers on every machine.
struct Random(u64);

impl Random {
    /// Uniform in [0, 1).
    fn uniform(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }

    /// Nearly normal, by the central limit.
    fn noise(&mut self, deviation: f32) -> f32 {
        let sum: f32 = (0..12).map(|_| self.uniform()).sum();
        deviation * (sum - 6.0)
    }
}

struct Scenario {
    name: &'static str,
    scale: fn() -> Result<Scale>,
    samples: fn() -> Vec<Vec<f32>>,
}

const SCENARIOS: [Scenario; 7] = [
    Scenario { name: "circle-1000", scale: || points(2, 0.215), samples: || many(circle) },
    Scenario { name: "torus-1000", scale: || points(4, 0.78), samples: || many(torus) },
    Scenario { name: "clusters-1000", scale: || points(8, 1.06), samples: || many(clusters) },
    Scenario { name: "ecg-62", scale: || series(62), samples: || ecg(62) },
    Scenario { name: "ecg-160", scale: || series(160), samples: || ecg(160) },
    Scenario { name: "ecg-400", scale: || series(400), samples: || ecg(400) },
    Scenario { name: "flat-160", scale: || series(160), samples: || vec![vec![0.5]; 2000] },
];

/// A window of 1,000 points, hop 10; the radius makes the mean degree about 50.
fn points(dimension: usize, radius: f32) -> Result<Scale> {
    let config = Config::new(dimension, 1000, radius);
    Ok(Scale::new(Embedding::identity(dimension)?, 1, 10, &config)?)
}

/// A dense window over a scalar series, as detection uses it: 1.5 standard deviations of the ECG.
fn series(window: usize) -> Result<Scale> {
    let embedding = Embedding::new(3, 8, 1, None)?;
    Ok(Scale::new(embedding, 1, window / 8, &Config::new(3, window, 0.77))?)
}

fn many(point: fn(&mut Random) -> Vec<f32>) -> Vec<Vec<f32>> {
    let mut random = Random(1);
    (0..1400).map(|_| point(&mut random)).collect()
}

fn circle(random: &mut Random) -> Vec<f32> {
    let (sin, cos) = (TAU * random.uniform()).sin_cos();
    let radius = 1.0 + random.noise(0.1);
    vec![radius * cos, radius * sin]
}

fn torus(random: &mut Random) -> Vec<f32> {
    let angles = [TAU * random.uniform(), TAU * random.uniform()];
    let exact = angles.map(|a| [a.cos(), a.sin()]).concat();
    exact.iter().map(|x| x + random.noise(0.05)).collect()
}

/// Around the eight corners of a cube in the first three coordinates.
fn clusters(random: &mut Random) -> Vec<f32> {
    let corner = (8.0 * random.uniform()) as u32;
    let centre = |i: u32| if i < 3 { 3.0 * ((corner >> i) & 1) as f32 } else { 0.0 };
    (0..8).map(|i| centre(i) + random.noise(0.3)).collect()
}

/// A full window and ten more of them.
fn ecg(window: usize) -> Vec<Vec<f32>> {
    let steps = include_bytes!("../../../worker/src/demo/data/mitbih-208.i16").chunks_exact(2);
    let millivolts = steps.map(|s| f32::from(i16::from_le_bytes([s[0], s[1]]) - 1024) / 200.0);
    millivolts.take(11 * window + 16).map(|x| vec![x]).collect()
}

/// What is counted. Its name is what the counter looks for.
#[inline(never)]
fn counted_emissions(scale: &mut Scale, samples: &[Vec<f32>]) -> Result<u32> {
    let mut emissions = 0;
    for sample in samples {
        emissions += u32::from(black_box(scale.push(sample)?).is_some());
    }
    Ok(emissions)
}

fn main() -> Result<()> {
    let Some(name) = std::env::args().nth(1) else {
        SCENARIOS.iter().for_each(|s| println!("{}", s.name));
        return Ok(());
    };
    let scenario = SCENARIOS.iter().find(|s| s.name == name).context("no such scenario")?;
    let (mut scale, samples) = ((scenario.scale)()?, (scenario.samples)());
    let (first, rest) = samples.split_at(scale.span() as usize);
    for sample in first {
        scale.push(sample)?;
    }
    println!("{} emissions", counted_emissions(&mut scale, rest)?);
    Ok(())
}
