use std::collections::VecDeque;
use std::time::Duration;

/// How far back what is recent goes.
pub(crate) const RECENT: Duration = Duration::from_secs(15);

/// What was counted of late, by the second. Times are since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Each second in which there was something, and how much.
    seconds: VecDeque<(u64, f64)>,
}

impl Recent {
    /// There was so much more, evenly from `begun` until `now`.
    pub(super) fn add(&mut self, begun: Duration, now: Duration, amount: f64) {
        let begun = begun.min(now);
        let whole = (now - begun).as_secs_f64();
        let first = begun.as_secs().max(now.as_secs().saturating_sub(RECENT.as_secs()));
        for second in first..=now.as_secs() {
            let share = if whole > 0.0 { overlap(second, begun, now) / whole } else { 1.0 };
            self.count(second, amount * share);
        }
        let oldest = now.saturating_sub(RECENT).as_secs();
        while self.seconds.front().is_some_and(|(second, _)| *second < oldest) {
            self.seconds.pop_front();
        }
    }

    /// How much there was in the time that is recent; less in a process that is younger.
    pub(super) fn sum(&self, now: Duration) -> f64 {
        let since = now.saturating_sub(RECENT);
        let weighed = |(second, amount): &(u64, f64)| amount * overlap(*second, since, END);
        self.seconds.iter().map(weighed).sum()
    }

    fn count(&mut self, second: u64, amount: f64) {
        match self.seconds.iter_mut().rev().find(|(known, _)| *known == second) {
            Some((_, sum)) => *sum += amount,
            None => self.seconds.push_back((second, amount)),
        }
    }
}

const END: Duration = Duration::MAX;

/// How much of a second lies between two times, in seconds.
fn overlap(second: u64, begun: Duration, end: Duration) -> f64 {
    let (from, to) = (Duration::from_secs(second), Duration::from_secs(second + 1));
    to.min(end).saturating_sub(from.max(begun)).as_secs_f64()
}

/// How long what is recent has lasted: less in a process that is younger.
pub(super) fn span(now: Duration) -> f64 {
    now.min(RECENT).as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn what_is_older_is_forgotten_bit_by_bit() {
        let mut recent = Recent::default();
        recent.add(at(1.0), at(2.0), 10.0);
        recent.add(at(4.25), at(4.5), 1.0);
        let close = |now: f64, sum: f64| {
            assert!((recent.sum(at(now)) - sum).abs() < 1e-9, "{now}: {}", recent.sum(at(now)));
        };
        close(5.0, 11.0);
        close(16.0, 11.0);
        close(16.5, 6.0);
        close(17.0, 1.0);
        close(20.0, 0.0);
    }

    #[test]
    fn what_took_long_is_spread_over_its_time() {
        let mut recent = Recent::default();
        recent.add(at(0.0), at(40.0), 40.0);
        assert!((recent.sum(at(40.0)) - 15.0).abs() < 1e-9);
        assert!((recent.sum(at(45.0)) - 10.0).abs() < 1e-9);
        assert!(recent.seconds.len() <= 17);
        // Of one moment, as of a clock that has not moved.
        recent.add(at(45.0), at(45.0), 3.0);
        assert!((recent.sum(at(45.0)) - 13.0).abs() < 1e-9);
    }
}
