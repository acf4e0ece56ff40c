use std::collections::VecDeque;
use std::time::Duration;

/// When the end of a partition was seen where: what a place in the log is behind in time. It needs
/// neither timestamps of records, which producers choose, nor the clock of a broker. Times are since
/// the start of the process.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// In order; never empty.
    ends: VecDeque<Seen>,
}

/// An end of the partition, and when it was first and last seen to be there.
#[derive(Clone, Copy, Debug)]
struct Seen {
    end: i64,
    first: Duration,
    last: Duration,
}

/// Ends that are remembered at most; when there are more, every second one is forgotten.
const MOST: usize = 128;

impl Arrivals {
    /// The end of the partition when it was taken up.
    pub(super) fn new(end: i64, now: Duration) -> Arrivals {
        Arrivals { ends: [Seen { end, first: now, last: now }].into() }
    }

    /// The offset after the last record.
    pub(super) fn end(&self) -> i64 {
        self.newest().end
    }

    /// The partition ends there now. An end that is lower is an older answer that came later.
    pub(super) fn see(&mut self, end: i64, now: Duration) {
        match self.ends.back_mut() {
            Some(newest) if newest.end >= end => newest.last = now,
            _ => self.ends.push_back(Seen { end, first: now, last: now }),
        }
        if self.ends.len() > MOST {
            let mut index = 0;
            self.ends.retain(|_| {
                index += 1;
                index % 2 == 1 || index > MOST
            });
        }
    }

    /// Everything before this offset is computed: when that arrived is not asked any more.
    pub(super) fn passed(&mut self, next: i64) {
        while self.ends.get(1).is_some_and(|second| second.end <= next) {
            self.ends.pop_front();
        }
    }

    /// How long the record at `next` has been there; nothing when there is none yet. Of one that
    /// was there before the partition was taken up, the time since then.
    pub(super) fn age(&self, next: i64, now: Duration) -> Duration {
        if next >= self.end() {
            return Duration::ZERO;
        }
        let later = self.ends.iter().position(|seen| seen.end > next).unwrap_or(0);
        let after = self.ends[later];
        let arrived = match later.checked_sub(1).map(|earlier| self.ends[earlier]) {
            None => after.first,
            Some(before) => {
                let share = (next - before.end) as f64 / (after.end - before.end) as f64;
                before.last + after.first.saturating_sub(before.last).mul_f64(share)
            }
        };
        now.saturating_sub(arrived)
    }

    fn newest(&self) -> Seen {
        self.ends[self.ends.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_record_is_as_old_as_the_end_that_was_first_behind_it() {
        let mut arrivals = Arrivals::new(100, at(0.0));
        assert_eq!(arrivals.age(100, at(9.0)), at(0.0));
        assert_eq!(arrivals.age(40, at(9.0)), at(9.0), "it was there before");
        arrivals.see(100, at(10.0));
        arrivals.see(110, at(11.0));
        assert_eq!(arrivals.age(100, at(12.0)), at(2.0), "the end stood still until 10 s");
        assert_eq!(arrivals.age(105, at(12.0)), at(1.5));
        assert_eq!(arrivals.age(110, at(12.0)), at(0.0));
        arrivals.see(105, at(13.0));
        assert_eq!(arrivals.end(), 110, "an older answer");
        arrivals.passed(105);
        assert_eq!(arrivals.age(105, at(13.0)), at(2.5));
        arrivals.passed(110);
        assert_eq!(arrivals.ends.len(), 1);
    }

    /// A producer at a constant rate and a worker at another: the age is what a log of all times says.
    #[test]
    fn the_age_is_that_of_a_log_of_all_arrivals() {
        let (rate, speed) = (50.0, 20.0);
        let mut arrivals = Arrivals::new(0, at(0.0));
        for second in 1..4000 {
            let now = f64::from(second);
            arrivals.see((now * rate) as i64, at(now));
            let next = (now * speed) as i64;
            arrivals.passed(next);
            let age = arrivals.age(next, at(now)).as_secs_f64();
            let true_age = now - next as f64 / rate;
            assert!((age - true_age).abs() <= 1.1, "{second}: {age} and not {true_age}");
            assert!(arrivals.ends.len() <= MOST);
        }
    }
}
