//! Random numbers by counting (SplitMix64): the n-th of a stream is a function of the seed and n.

/// A stream of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Random {
        Random(mix(seed))
    }

    /// A stream of its own, for part `index` of what this one is for.
    pub fn part(self, index: u64) -> Random {
        Random(mix(self.bits(index)))
    }

    /// Number `n`: all 64 bits are random.
    pub fn bits(self, n: u64) -> u64 {
        mix(self.0.wrapping_add(n.wrapping_add(1).wrapping_mul(GOLDEN)))
    }

    /// Number `n`, evenly from 0 to 1, 1 excluded.
    pub fn unit(self, n: u64) -> f64 {
        (self.bits(n) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Number `n` of 0, 1, …, `below` − 1, each as likely.
    pub fn below(self, n: u64, below: u64) -> u64 {
        ((u128::from(self.bits(n)) * u128::from(below)) >> 64) as u64
    }

    /// Number `n`, exponential with mean 1.
    pub fn exponential(self, n: u64) -> f64 {
        -(1.0 - self.unit(n)).ln()
    }

    /// Number `n`, normal with mean 0 and variance 1 (Box and Muller).
    pub fn normal(self, n: u64) -> f64 {
        let angle = std::f64::consts::TAU * self.unit(2 * n + 1);
        (2.0 * self.exponential(2 * n)).sqrt() * angle.cos()
    }
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of the first numbers.
    fn moments(number: impl Fn(u64) -> f64) -> (f64, f64) {
        let all: Vec<f64> = (0..100_000).map(number).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        (mean, all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64)
    }

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // The published sequence of the seed 1234567; the state there is what is mixed here.
        let random = Random(1_234_567);
        assert_eq!(random.bits(0), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(1), 3_203_168_211_198_807_973);
    }

    #[test]
    fn the_distributions_have_their_moments() {
        let random = Random::new(7);
        let near = |(mean, variance): (f64, f64), m: f64, v: f64| {
            assert!((mean - m).abs() < 0.02 && (variance - v).abs() < 0.03, "{mean} {variance}");
        };
        near(moments(|n| random.unit(n)), 0.5, 1.0 / 12.0);
        near(moments(|n| random.exponential(n)), 1.0, 1.0);
        near(moments(|n| random.normal(n)), 0.0, 1.0);
        near(moments(|n| random.below(n, 4) as f64 / 3.0), 0.5, 5.0 / 36.0);
    }

    #[test]
    fn parts_are_streams_of_their_own() {
        let random = Random::new(7);
        let first = |part| (0..100).map(move |n| random.part(part).bits(n)).collect::<Vec<_>>();
        assert_ne!(first(0), first(1));
        assert_eq!(first(3), first(3));
    }
}
