//! Whether the input flows: asks the breaker, and tells what it decides.

use crate::metrics::Metrics;
use mesh::breaker::{Breaker, Limits, Pace, State};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The breaker of a worker.
pub(crate) struct Gate {
    breaker: Mutex<Breaker>,
    metrics: Arc<Metrics>,
    /// When the input began to wait, and until when that was told.
    waits: Mutex<Option<(Duration, Duration)>>,
}

impl Gate {
    pub(crate) fn new(limits: Limits, metrics: Arc<Metrics>) -> Gate {
        // Workers of a group have different processes, on different machines.
        let seed = u64::from(std::process::id()) ^ host().rotate_left(32);
        let breaker = Mutex::new(Breaker::new(limits, seed));
        Gate { breaker, metrics, waits: Mutex::default() }
    }

    /// What the input may do, with so many bytes of records that are not yet computed.
    pub(crate) fn pace(&self, waiting: usize) -> Pace {
        let pulse = self.metrics.pulse();
        let (now, mut vitals) = (pulse.now(), pulse.vitals());
        vitals.waiting = waiting;
        self.count(now);
        let mut breaker = lock(&self.breaker);
        if let Some(state) = breaker.observe(now, &vitals) {
            self.tell(state, now);
        }
        breaker.pace()
    }

    /// Records were handed over.
    pub(crate) fn handed_over(&self) {
        lock(&self.breaker).probed();
    }

    /// Counts the time that the input waits.
    fn count(&self, now: Duration) {
        if let Some((_, told)) = &mut *lock(&self.waits) {
            self.metrics.waited(now.saturating_sub(*told));
            *told = now;
        }
    }

    fn tell(&self, state: State, now: Duration) {
        self.metrics.breaker(&state);
        let mut waits = lock(&self.waits);
        match state {
            State::Open { cause, until } => {
                waits.get_or_insert((now, now));
                let (cause, advice) = (cause.name(), cause.advice());
                let at_least = until.saturating_sub(now);
                tracing::warn!(cause, ?at_least, "the input waits: {advice}");
            }
            State::HalfOpen { .. } => tracing::info!("the input tries one batch"),
            State::Closed => {
                let waited =
                    waits.take().map(|(since, _)| now.saturating_sub(since)).unwrap_or_default();
                tracing::info!(?waited, "the input flows again");
            }
        }
    }
}

/// A number that differs between machines, as far as their names do.
fn host() -> u64 {
    let name = std::fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
    // FNV-1a, 64 bits.
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
