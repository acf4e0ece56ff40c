//! Signs of life of delivery, from those who see them to those who decide.

use crate::breaker::Vitals;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How exactly the age of an output is known, milliseconds.
const TICK_MS: u64 = 10;

/// What is seen of delivery. Clones see the same.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Signs>);

#[derive(Debug)]
struct Signs {
    start: Instant,
    failures: AtomicU64,
    acknowledged: AtomicU64,
    judged: AtomicU64,
    dead: AtomicU64,
    /// Outputs that are not acknowledged, by the tick in which they were sent.
    waiting: Mutex<BTreeMap<u64, usize>>,
    /// Since when no broker could be reached.
    down: Mutex<Option<Instant>>,
}

/// Something that waits for its acknowledgement; it waits until this is dropped.
#[derive(Debug)]
pub struct Unacknowledged {
    signs: Arc<Signs>,
    tick: u64,
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse(Arc::new(Signs {
            start: Instant::now(),
            failures: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            judged: AtomicU64::new(0),
            dead: AtomicU64::new(0),
            waiting: Mutex::default(),
            down: Mutex::default(),
        }))
    }
}

impl Pulse {
    /// Time since the pulse began: the clock of its vitals.
    pub fn now(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// What is known now.
    pub fn vitals(&self) -> Vitals {
        let now = self.now();
        let oldest = lock(&self.0.waiting).keys().next().copied();
        Vitals {
            failures: self.0.failures.load(Ordering::Relaxed),
            acknowledged: self.0.acknowledged.load(Ordering::Relaxed),
            oldest: oldest.map(|tick| now.saturating_sub(Duration::from_millis(tick * TICK_MS))),
            down: lock(&self.0.down).map(|since| since.elapsed()),
            judged: self.0.judged.load(Ordering::Relaxed),
            dead: self.0.dead.load(Ordering::Relaxed),
            waiting: 0,
        }
    }

    /// Something was sent.
    pub fn sent(&self) -> Unacknowledged {
        let tick = self.now().as_millis() as u64 / TICK_MS;
        *lock(&self.0.waiting).entry(tick).or_default() += 1;
        Unacknowledged { signs: self.0.clone(), tick }
    }

    /// A delivery was acknowledged.
    pub fn acknowledged(&self) {
        self.0.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    /// A delivery failed, and will be tried again.
    pub fn failed(&self) {
        self.0.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Records were judged; so many of them became dead letters.
    pub fn judged(&self, records: u64, dead: u64) {
        self.0.judged.fetch_add(records, Ordering::Relaxed);
        self.0.dead.fetch_add(dead, Ordering::Relaxed);
    }

    /// Whether a broker can be reached.
    pub fn reachable(&self, reachable: bool) {
        let mut down = lock(&self.0.down);
        match reachable {
            true => *down = None,
            false => _ = down.get_or_insert_with(Instant::now),
        }
    }
}

impl Drop for Unacknowledged {
    fn drop(&mut self) {
        let mut waiting = lock(&self.signs.waiting);
        if let Some(count) = waiting.get_mut(&self.tick) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.tick);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_what_waits_tells_its_age() {
        let pulse = Pulse::default();
        assert_eq!(pulse.vitals().oldest, None);
        let first = pulse.sent();
        std::thread::sleep(Duration::from_millis(60));
        let second = pulse.sent();
        let oldest = pulse.vitals().oldest.unwrap();
        assert!(oldest >= Duration::from_millis(50), "{oldest:?}");
        drop(first);
        assert!(pulse.vitals().oldest.unwrap() < oldest);
        drop(second);
        assert_eq!(pulse.vitals().oldest, None);
    }

    #[test]
    fn brokers_are_down_since_it_was_first_said() {
        let pulse = Pulse::default();
        pulse.reachable(false);
        std::thread::sleep(Duration::from_millis(20));
        pulse.clone().reachable(false);
        assert!(pulse.vitals().down.unwrap() >= Duration::from_millis(20));
        pulse.reachable(true);
        assert_eq!(pulse.vitals().down, None);
    }
}
