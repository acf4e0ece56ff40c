//! How long things took.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Percentiles {
    /// Half of all took at most this long.
    pub p50: f64,
    /// 95 of 100 took at most this long.
    pub p95: f64,
    /// 99 of 100 took at most this long.
    pub p99: f64,
}

/// Durations, to three digits: nanoseconds up to ten minutes.
#[derive(Clone, Debug)]
pub(super) struct Durations(Histogram<u64>);

impl Default for Durations {
    fn default() -> Durations {
        let histogram = Histogram::new_with_bounds(1, 600_000_000_000, 3);
        Durations(histogram.expect("the bounds are in order and the digits few"))
    }
}

impl Durations {
    /// Adds one.
    pub(super) fn record(&mut self, duration: Duration) {
        self.0.saturating_record(duration.as_nanos().min(u64::MAX.into()) as u64);
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Their percentiles, `None` when there are none.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1e6;
        (!self.0.is_empty()).then(|| Percentiles { p50: at(0.5), p95: at(0.95), p99: at(0.99) })
    }
}

#[cfg(test)]
mod tests {
    use super::Durations;
    use std::time::Duration;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut durations = Durations::default();
        assert_eq!(durations.percentiles(), None);
        (1..=1000).for_each(|n| durations.record(Duration::from_micros(10 * n)));
        let found = durations.percentiles().unwrap();
        for (value, expected) in [(found.p50, 5.0), (found.p95, 9.5), (found.p99, 9.9)] {
            assert!((value - expected).abs() < 0.01 * expected, "{value} {expected}");
        }
        durations.clear();
        assert_eq!(durations.percentiles(), None);
    }
}
