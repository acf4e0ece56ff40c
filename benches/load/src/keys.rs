//! Which series each point belongs to.

use crate::random::Random;
use crate::text::{Mistake, Reader, number};
use std::fmt;
use std::str::FromStr;

/// How the points are spread over the series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Spread {
    /// Each series in turn.
    #[default]
    Turns,
    /// Each series as likely, at every point anew.
    Uniform,
    /// Series n, counted from 1, in proportion to n to the power of −s (Zipf's law).
    Zipf(f64),
}

/// Says which series each point belongs to.
#[derive(Clone, Debug)]
pub struct Keys {
    random: Random,
    series: u64,
    /// For Zipf's law: the probability that the series is this one or one before it.
    cumulative: Option<Box<[f64]>>,
    turns: bool,
}

impl Spread {
    /// The share of the points that each of so many series gets.
    pub fn shares(self, series: usize) -> Vec<f64> {
        let power = if let Spread::Zipf(power) = self { power } else { 0.0 };
        let weights: Vec<f64> = (1..=series).map(|n| (n as f64).powf(-power)).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }
}

impl Keys {
    /// Spreads points over `series` series, at least one.
    pub fn new(spread: Spread, series: usize, seed: u64) -> Keys {
        let cumulative = |shares: Vec<f64>| {
            let add = |sum: &mut f64, share: f64| {
                *sum += share;
                Some(*sum)
            };
            shares.into_iter().scan(0.0, add).collect()
        };
        Keys {
            random: Random::new(seed).part(SALT),
            series: series.max(1) as u64,
            cumulative: matches!(spread, Spread::Zipf(_))
                .then(|| cumulative(spread.shares(series))),
            turns: spread == Spread::Turns,
        }
    }

    /// The series of point `number`, counted from 0.
    pub fn series(&self, number: u64) -> usize {
        match &self.cumulative {
            _ if self.turns => (number % self.series) as usize,
            None => self.random.below(number, self.series) as usize,
            Some(cumulative) => {
                let unit = self.random.unit(number);
                cumulative.partition_point(|sum| *sum <= unit).min(cumulative.len() - 1)
            }
        }
    }
}

const SALT: u64 = 0x6b65_7973;

impl FromStr for Spread {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Spread, Mistake> {
        let mut reader = Reader::new(text);
        let name = reader.word("turns, uniform or zipf(S)")?;
        let spread = match name.as_str() {
            "turns" => Spread::Turns,
            "uniform" => Spread::Uniform,
            "zipf" => {
                reader.expect("(", "after `zipf`, as in zipf(1.1)")?;
                let power = reader.parsed("the exponent, such as 1.1", number)?;
                reader.expect(")", "after the exponent")?;
                Spread::Zipf(power)
            }
            _ => {
                let message = format!("there is no spread `{name}`: say turns, uniform or zipf(S)");
                return Err(reader.last(message));
            }
        };
        reader.end("nothing more")?;
        Ok(spread)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spread::Turns => write!(f, "turns"),
            Spread::Uniform => write!(f, "uniform"),
            Spread::Zipf(power) => write!(f, "zipf({power})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pearson's statistic of the counts of `points` points, over the degrees of freedom.
    fn chi_squared(spread: Spread, series: usize, points: u64) -> f64 {
        let keys = Keys::new(spread, series, 3);
        let mut counts = vec![0u64; series];
        (0..points).for_each(|number| counts[keys.series(number)] += 1);
        // The definition, once more: n to the power of −s.
        let power = if let Spread::Zipf(power) = spread { power } else { 0.0 };
        let harmonic: f64 = (1..=series).map(|n| 1.0 / (n as f64).powf(power)).sum();
        let terms = counts.iter().zip(1..).map(|(count, n)| {
            let expected = points as f64 / f64::from(n).powf(power) / harmonic;
            (*count as f64 - expected).powi(2) / expected
        });
        terms.sum::<f64>() / (series - 1) as f64
    }

    #[test]
    fn counts_follow_the_law() {
        for spread in [Spread::Uniform, Spread::Zipf(0.8), Spread::Zipf(1.1), Spread::Zipf(2.0)] {
            let found = chi_squared(spread, 100, 1_000_000);
            assert!((0.6..1.6).contains(&found), "{spread}: {found}");
        }
        assert!(chi_squared(Spread::Turns, 100, 1_000_000) < 1e-9);
    }

    #[test]
    fn what_is_written_reads_back() {
        for spread in [Spread::Turns, Spread::Uniform, Spread::Zipf(1.1)] {
            assert_eq!(spread.to_string().parse(), Ok(spread));
        }
        for wrong in ["zipf", "zipf(x)", "hot", "zipf(1) 2", ""] {
            assert!(wrong.parse::<Spread>().is_err(), "{wrong}");
        }
    }
}
