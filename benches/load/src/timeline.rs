//! What happened in each stretch of time of a run.

use crate::latency::{Distribution, Percentiles};
use serde::Serialize;
use std::time::Duration;

/// Stretches of a run at most; they are a second long, or as much longer as is needed.
const MOST: u64 = 600;

/// What happened, by the intended time of the points.
#[derive(Clone, Debug)]
pub struct Timeline {
    width: Duration,
    stretches: Vec<Stretch>,
}

#[derive(Clone, Debug, Default)]
struct Stretch {
    intended: u64,
    sent: u64,
    outputs: u64,
    latency: Distribution,
    lag: Distribution,
}

/// What happened in one stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// When it begins, in seconds since the start.
    pub at: f64,
    /// Points a second that were to be sent.
    pub intended_per_second: f64,
    /// Points a second that were sent.
    pub sent_per_second: f64,
    /// Outputs a second that could be read.
    pub outputs_per_second: f64,
    /// From the intended time of a point to the output that could be read.
    pub latency_ms: Option<Percentiles>,
    /// From the intended time of a point to its sending.
    pub lag_ms: Option<Percentiles>,
}

impl Timeline {
    /// Of a run of so many seconds.
    pub fn new(seconds: f64) -> Timeline {
        let width = (seconds / MOST as f64).ceil().max(1.0);
        Timeline { width: Duration::from_secs_f64(width), stretches: Vec::new() }
    }

    /// Notes a point that was to be sent at a time and was at another.
    pub fn sent(&mut self, intended: Duration, sent: Duration) {
        let stretch = self.at(intended);
        stretch.intended += 1;
        stretch.lag.add(sent.saturating_sub(intended));
        self.at(sent).sent += 1;
    }

    /// Notes an output of a point.
    pub fn output(&mut self, intended: Duration, at: Duration) {
        self.at(intended).latency.add(at.saturating_sub(intended));
        self.at(at).outputs += 1;
    }

    /// The stretches in order.
    pub fn moments(&self) -> Vec<Moment> {
        let width = self.width.as_secs_f64();
        let moment = |(number, stretch): (usize, &Stretch)| Moment {
            at: number as f64 * width,
            intended_per_second: stretch.intended as f64 / width,
            sent_per_second: stretch.sent as f64 / width,
            outputs_per_second: stretch.outputs as f64 / width,
            latency_ms: stretch.latency.percentiles(),
            lag_ms: stretch.lag.percentiles(),
        };
        self.stretches.iter().enumerate().map(moment).collect()
    }

    fn at(&mut self, time: Duration) -> &mut Stretch {
        let number = (time.as_nanos() / self.width.as_nanos()) as usize;
        if number >= self.stretches.len() {
            self.stretches.resize_with(number + 1, Stretch::default);
        }
        &mut self.stretches[number]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_count_where_they_were_intended_and_outputs_where_they_came() {
        let mut timeline = Timeline::new(60.0);
        for n in 0..300 {
            let intended = Duration::from_millis(10 * n);
            timeline.sent(intended, intended + Duration::from_millis(500));
            timeline.output(intended, intended + Duration::from_millis(1500));
        }
        let moments = timeline.moments();
        let rates = |rate: fn(&Moment) -> f64| moments.iter().map(rate).collect::<Vec<_>>();
        assert_eq!(rates(|m| m.intended_per_second), [100.0, 100.0, 100.0, 0.0, 0.0]);
        assert_eq!(rates(|m| m.sent_per_second), [50.0, 100.0, 100.0, 50.0, 0.0]);
        assert_eq!(rates(|m| m.outputs_per_second), [0.0, 50.0, 100.0, 100.0, 50.0]);
        assert!((moments[0].latency_ms.unwrap().p50 - 1500.0).abs() < 1.5);
        assert!((moments[2].lag_ms.unwrap().p99 - 500.0).abs() < 0.5);
        assert_eq!(moments[3].latency_ms, None);
    }

    #[test]
    fn a_long_run_has_longer_stretches() {
        let mut timeline = Timeline::new(6000.0);
        timeline.sent(Duration::from_secs(5999), Duration::from_secs(5999));
        assert_eq!(timeline.moments().len(), 600);
    }
}
