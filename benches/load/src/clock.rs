//! One clock for all that is measured in a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The longest sleep, so that a stop is noticed soon.
const NAP: Duration = Duration::from_millis(100);

/// Counts from the start of a run, which may lie a little ahead.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    /// The start in milliseconds since the Unix epoch.
    epoch_ms: f64,
}

impl Clock {
    /// A clock that starts in a while.
    pub fn starting_in(wait: Duration) -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { start: Instant::now() + wait, epoch_ms: (since + wait).as_secs_f64() * 1000.0 }
    }

    /// Since the start; zero before it.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Sleeps until a time since the start, not at all when that is over; or until `stop`.
    pub fn sleep_until(&self, time: Duration, stop: &AtomicBool) {
        loop {
            let left = (self.start + time).saturating_duration_since(Instant::now());
            if left.is_zero() || stop.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(left.min(NAP));
        }
    }

    /// A time since the start in milliseconds since the Unix epoch.
    pub fn epoch_ms(&self, time: Duration) -> f64 {
        self.epoch_ms + time.as_secs_f64() * 1000.0
    }
}
