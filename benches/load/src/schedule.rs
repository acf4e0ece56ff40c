//! When each point is to be sent.

use crate::random::Random;
use crate::shape::Shape;
use serde::Serialize;
use std::time::Duration;

/// How points follow each other at a given rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// As evenly as the rate allows: point n when the integral of the rate passes n.
    #[default]
    Paced,
    /// As independent events do: a Poisson process of that rate.
    Poisson,
}

/// When points are to be sent.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Points a second.
    pub shape: Shape,
    /// How they follow each other.
    pub arrivals: Arrivals,
    /// How long there are points, in seconds.
    pub seconds: f64,
    /// Of the random arrivals.
    pub seed: u64,
}

/// Gives the times one after the other, never decreasing; see [`Schedule::times`].
#[derive(Clone, Debug)]
pub struct Times<'a> {
    schedule: &'a Schedule,
    random: Random,
    number: u64,
    /// Value of the rate's integral at which the next point comes.
    points: f64,
    last: f64,
}

impl Schedule {
    /// The intended times of the points since the start, in order.
    ///
    /// For Poisson arrivals, the integral of the rate between two points is exponential with mean
    /// 1 (the time change of a Poisson process).
    pub fn times(&self) -> Times<'_> {
        let random = Random::new(self.seed).part(SALT);
        let mut times = Times { schedule: self, random, number: 0, points: 0.0, last: 0.0 };
        times.points = times.gap(0);
        times
    }

    /// Points that are expected in all.
    pub fn points(&self) -> f64 {
        self.shape.points(self.seconds)
    }
}

const SALT: u64 = 0x7363_6865;

impl Times<'_> {
    /// From a point to the next, measured by the integral of the rate; number 0 is that from the
    /// start to the first point.
    fn gap(&self, number: u64) -> f64 {
        match self.schedule.arrivals {
            Arrivals::Paced => f64::from(u8::from(number > 0)),
            Arrivals::Poisson => self.random.exponential(number),
        }
    }
}

impl Iterator for Times<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let Schedule { shape, seconds, .. } = self.schedule;
        self.last = shape.time_of(self.points, self.last, *seconds)?;
        self.number += 1;
        self.points += self.gap(self.number);
        Some(Duration::from_secs_f64(self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(shape: &str, arrivals: Arrivals, seconds: f64, seed: u64) -> Vec<f64> {
        let schedule = Schedule { shape: shape.parse().unwrap(), arrivals, seconds, seed };
        schedule.times().map(|time| time.as_secs_f64()).collect()
    }

    #[test]
    fn paced_points_are_evenly_spaced_and_as_many_as_the_rate_says() {
        let found = times("constant(10000)", Arrivals::Paced, 20.0, 0);
        assert_eq!(found.len(), 200_000);
        for (number, at) in found.iter().enumerate() {
            assert!((at - number as f64 / 1e4).abs() < 2e-9, "{number}: {at}");
        }
    }

    #[test]
    fn a_ramp_is_solved_as_on_paper() {
        // 50 t² = n
        let found = times("ramp(0, 1000, 10s)", Arrivals::Paced, 10.0, 0);
        assert_eq!(found.len(), 5000);
        for (number, at) in found.iter().enumerate() {
            assert!((at - (number as f64 / 50.0).sqrt()).abs() < 1e-7, "{number}: {at}");
        }
    }

    #[test]
    fn nothing_is_due_while_the_rate_is_zero() {
        let found = times(
            "constant(10) for 1s then constant(0) for 1s then constant(10)",
            Arrivals::Paced,
            3.0,
            0,
        );
        assert_eq!(found.len(), 20);
        assert!((found[9] - 0.9).abs() < 1e-8 && (found[10] - 2.0).abs() < 1e-8, "{found:?}");
    }

    #[test]
    fn random_arrivals_count_as_a_poisson_process_in_every_second() {
        let shape = "wave(400, 300, 10s)";
        let all = times(shape, Arrivals::Poisson, 200.0, 5);
        assert!(all.is_sorted());
        let rate: Shape = shape.parse().unwrap();
        let deviation = |second: usize| {
            let (from, to) = (second as f64, second as f64 + 1.0);
            let count = all.iter().filter(|t| (from..to).contains(*t)).count() as f64;
            let mean = rate.points(to) - rate.points(from);
            (count - mean) / mean.sqrt()
        };
        // Of 200 standardised counts: mean 0, variance 1.
        let found: Vec<f64> = (0..200).map(deviation).collect();
        let mean = found.iter().sum::<f64>() / 200.0;
        let variance = found.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 200.0;
        assert!(mean.abs() < 0.2 && (variance - 1.0).abs() < 0.3, "{mean} {variance}");
        // Paced points would be far more even.
        assert_eq!(times(shape, Arrivals::Poisson, 200.0, 5), all);
        assert_ne!(times(shape, Arrivals::Poisson, 200.0, 6), all);
    }
}
