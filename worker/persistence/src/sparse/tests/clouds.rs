//! Points to try an engine on.

use crate::metric::squared_distance;

/// A small generator of random numbers (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(crate) fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    fn gaussian(&mut self) -> f32 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Cloud {
    /// A noisy circle that drifts, in R².
    Circle,
    /// The Lorenz attractor, in R³.
    Lorenz,
    /// A noisy flat torus, in R⁴.
    Torus,
    /// Eight Gaussian clusters, in R⁸.
    Clusters,
    /// A 24 × 24 lattice of integers.
    Lattice,
    /// One Gaussian.
    Gaussian(usize),
}

impl Cloud {
    pub(crate) const ALL: [Cloud; 5] =
        [Cloud::Circle, Cloud::Lorenz, Cloud::Torus, Cloud::Clusters, Cloud::Lattice];

    pub(crate) fn points(&self, n: usize) -> Vec<Vec<f32>> {
        let mut random = Random::new(n as u64);
        let r = &mut random;
        let centres: Vec<[f32; 8]> =
            (0..8).map(|_| std::array::from_fn(|_| 3.0 * r.uniform())).collect();
        let mut lorenz = [1.0_f32, 1.0, 1.0];
        let mut point = |i: usize| match *self {
            Cloud::Circle => {
                let angle = std::f32::consts::TAU * r.uniform();
                let radius = 1.0 + 0.1 * r.gaussian();
                vec![radius * angle.cos() + i as f32 * 3e-4, radius * angle.sin()]
            }
            Cloud::Lorenz => {
                // The first points lead from the start to the attractor.
                (0..if i == 0 { 2000 } else { 4 }).for_each(|_| lorenz = flow(lorenz));
                lorenz.to_vec()
            }
            Cloud::Torus => {
                let [a, b] = [0, 1].map(|_| std::f32::consts::TAU * r.uniform());
                [a.cos(), a.sin(), b.cos(), b.sin()].map(|x| x + 0.05 * r.gaussian()).to_vec()
            }
            Cloud::Clusters => {
                let centre = centres[r.below(8)];
                centre.iter().map(|x| x + 0.3 * r.gaussian()).collect()
            }
            Cloud::Lattice => vec![r.below(24) as f32, r.below(24) as f32],
            Cloud::Gaussian(dimension) => (0..dimension).map(|_| r.gaussian()).collect(),
        };
        (0..n).map(&mut point).collect()
    }
}

/// A step of the Lorenz system.
fn flow([x, y, z]: [f32; 3]) -> [f32; 3] {
    let velocity = [10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z];
    std::array::from_fn(|i| [x, y, z][i] + 0.005 * velocity[i])
}

/// The radius at which points have about `degree` neighbours on average.
pub(crate) fn radius_at(points: &[Vec<f32>], degree: f32) -> f32 {
    let mut lengths: Vec<f32> = (1..points.len())
        .flat_map(|j| (0..j).map(move |i| squared_distance(&points[i], &points[j])))
        .collect();
    lengths.sort_unstable_by(f32::total_cmp);
    let rank = (degree * points.len() as f32 / 2.0) as usize;
    lengths.get(rank).map_or(f32::INFINITY, |l| l.sqrt())
}
