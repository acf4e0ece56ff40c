use super::{DeadLetters, Vitals};
use std::collections::VecDeque;
use std::time::Duration;

/// Moments that are remembered of a window of time.
const MOMENTS: u32 = 20;

/// The share of dead letters among the records of the last while.
#[derive(Clone, Debug)]
pub(super) struct Storm {
    limit: DeadLetters,
    /// Moments of the window, and the last one before it.
    moments: VecDeque<(Duration, Vitals)>,
}

impl Storm {
    pub(super) fn new(limit: DeadLetters) -> Storm {
        Storm { limit, moments: VecDeque::from([(Duration::ZERO, Vitals::default())]) }
    }

    /// Counts anew from now on.
    pub(super) fn forget(&mut self, now: Duration, vitals: &Vitals) {
        self.moments.clear();
        self.moments.push_back((now, *vitals));
    }

    /// Takes note of what is known at `now`; whether there is a storm.
    pub(super) fn observe(&mut self, now: Duration, vitals: &Vitals) -> bool {
        let window = Duration::from_millis(self.limit.window_ms);
        let old = |moment: Option<&(Duration, Vitals)>| {
            moment.is_some_and(|&(then, _)| now.saturating_sub(then) >= window)
        };
        while old(self.moments.get(1)) {
            self.moments.pop_front();
        }
        let storm = self
            .moments
            .front()
            .is_some_and(|(_, then)| self.limit.is_storm(then, vitals, self.limit.least));
        let due = |&(last, _): &(Duration, Vitals)| now.saturating_sub(last) >= window / MOMENTS;
        if self.moments.back().is_none_or(due) {
            self.moments.push_back((now, *vitals));
        }
        storm
    }
}
