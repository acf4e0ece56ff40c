use super::recent::{Recent, span};
use mesh::Pulse;
use prometheus_client::metrics::counter::Counter;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For how long a thread has computed.
#[derive(Debug)]
pub(crate) struct Busy {
    pulse: Pulse,
    seconds: Counter<f64, AtomicU64>,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    /// When it began what it computes now.
    begun: Option<Duration>,
    recent: Recent,
}

impl Busy {
    pub(super) fn new(pulse: Pulse, seconds: Counter<f64, AtomicU64>) -> Busy {
        Busy { pulse, seconds, now: Mutex::default() }
    }

    /// Computes, and counts how long that takes.
    pub(crate) fn during<R>(&self, work: impl FnOnce() -> R) -> (R, Duration) {
        let begun = self.pulse.now();
        self.now().begun = Some(begun);
        let result = work();
        let ended = self.pulse.now();
        let took = ended.saturating_sub(begun);
        let mut now = self.now();
        now.begun = None;
        now.recent.add(begun, ended, took.as_secs_f64());
        self.seconds.inc_by(took.as_secs_f64());
        (result, took)
    }

    /// The share of its recent time for which it has computed, from 0 to 1; what it has not finished
    /// counts too.
    pub(super) fn share(&self) -> f64 {
        let at = self.pulse.now();
        let now = self.now();
        let unfinished = now.begun.map_or(0.0, |begun| span(at.saturating_sub(begun)));
        ((now.recent.sum(at) + unfinished) / span(at)).min(1.0)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_computes_is_busy_before_it_has_finished() {
        let busy = Busy::new(Pulse::default(), Counter::default());
        let nap = || std::thread::sleep(Duration::from_millis(50));
        nap();
        assert_eq!(busy.share(), 0.0);
        let (share, took) = busy.during(|| {
            nap();
            busy.share()
        });
        assert!(share > 0.1 && took >= Duration::from_millis(50), "{share} {took:?}");
        assert_eq!(busy.seconds.get(), took.as_secs_f64());
        let before = busy.share();
        nap();
        assert!(busy.share() < before, "nothing is computed any more");
    }
}
