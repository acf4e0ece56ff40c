//! Distributions of durations (HdrHistogram, three digits).

use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// The longest duration that is told from longer ones: a week, in microseconds.
const LONGEST: u64 = 7 * 24 * 3600 * 1_000_000;

/// A distribution of durations, to a microsecond or a thousandth.
#[derive(Clone, Debug)]
pub struct Distribution(Histogram<u64>);

/// Milliseconds below or at which the named share of the values lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many values there are.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// One half.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 95 %.
    pub p95: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p99_9: f64,
    /// All.
    pub max: f64,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Distribution {
    /// Adds a value.
    pub fn add(&mut self, value: Duration) {
        let microseconds = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
        self.0.record(microseconds.min(LONGEST)).expect("it grows as it needs to");
    }

    /// Adds the values of another distribution.
    pub fn merge(&mut self, other: &Distribution) {
        self.0.add(&other.0).expect("it grows as it needs to");
    }

    /// `None` when there are no values.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let at = |share: f64| self.0.value_at_quantile(share) as f64 / 1000.0;
        (!self.0.is_empty()).then(|| Percentiles {
            count: self.0.len(),
            mean: self.0.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p99_9: at(0.999),
            max: self.0.max() as f64 / 1000.0,
        })
    }

    /// How many values lie in each of `bins` bins of equal ratio, and the bins' upper bounds in
    /// milliseconds; from the lowest value to the highest.
    pub fn bins(&self, bins: usize) -> Vec<(f64, u64)> {
        let (low, high) = (self.0.min().max(1) as f64, self.0.max().max(2) as f64);
        let ratio = (high / low).powf(1.0 / bins as f64).max(1.0 + 1e-9);
        let mut found: Vec<(f64, u64)> =
            (1..=bins).map(|n| (low * ratio.powi(n as i32) / 1000.0, 0)).collect();
        for step in self.0.iter_recorded() {
            let value = step.value_iterated_to().max(1) as f64;
            let bin = ((value / low).ln() / ratio.ln()).floor().max(0.0) as usize;
            found[bin.min(bins - 1)].1 += step.count_at_value();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let mut found = Distribution::default();
        assert_eq!(found.percentiles(), None);
        (1..=10_000).rev().for_each(|n| found.add(Duration::from_micros(100 * n)));
        let p = found.percentiles().unwrap();
        let pairs =
            [(p.p50, 500.0), (p.p90, 900.0), (p.p95, 950.0), (p.p99, 990.0), (p.p99_9, 999.0)];
        for (found, exact) in pairs.into_iter().chain([(p.max, 1000.0), (p.mean, 500.05)]) {
            assert!((found / exact - 1.0).abs() < 1e-3, "{found} {exact}");
        }
        assert_eq!(p.count, 10_000);
    }

    #[test]
    fn merged_distributions_hold_the_values_of_both() {
        let [mut a, mut b] = [Distribution::default(), Distribution::default()];
        (0..100).for_each(|n| a.add(Duration::from_millis(n)));
        (100..200).for_each(|n| b.add(Duration::from_millis(n)));
        a.merge(&b);
        let p = a.percentiles().unwrap();
        assert!(p.count == 200 && (p.p50 - 99.0).abs() < 0.2 && (p.max - 199.0).abs() < 0.2);
    }

    #[test]
    fn every_value_is_in_a_bin() {
        let mut found = Distribution::default();
        (1..=1000).for_each(|n| found.add(Duration::from_micros(n * n)));
        let bins = found.bins(20);
        assert_eq!(bins.iter().map(|(_, count)| count).sum::<u64>(), 1000);
        // By the square root: those at or below a bound.
        let below = |bound: f64| (1000.0 * bound).sqrt().floor() as u64;
        let mut sum = 0;
        for (bound, count) in bins {
            sum += count;
            assert!(sum.abs_diff(below(bound).min(1000)) <= 2, "{bound}: {sum}");
        }
    }
}
