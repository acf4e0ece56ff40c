//! How long to leave something alone that does not work.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// Failures one after another, of each object by itself.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: Mutex<HashMap<String, u32>>,
}

impl Backoff {
    /// After a failure: how long to wait, twice as long as the time before.
    pub(crate) fn failed(&self, object: &str) -> Duration {
        let mut failures = self.failures();
        let count = failures.entry(object.to_owned()).or_default();
        *count = count.saturating_add(1);
        delay(*count, object)
    }

    /// After a success, or when the object has gone.
    pub(crate) fn forget(&self, object: &str) {
        self.failures().remove(object);
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Up to a quarter longer by the object, so that those that failed together do not try together.
fn delay(failures: u32, object: &str) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    let mut hasher = DefaultHasher::new();
    (failures, object).hash(&mut hasher);
    let share = (hasher.finish() % 250) as f64 / 1000.0;
    doubled.mul_f64(1.0 + share)
}

#[cfg(test)]
mod tests {
    use super::{Backoff, FIRST, LONGEST};

    #[test]
    fn each_object_waits_longer_by_itself() {
        let backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.failed("a")).collect();
        assert!(waits[0] >= FIRST && waits[0] < FIRST.mul_f64(1.25));
        assert!(waits[..8].windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
        assert!(waits[11] >= LONGEST && waits[11] < LONGEST.mul_f64(1.25));
        assert!(backoff.failed("b") < FIRST.mul_f64(1.25));
        backoff.forget("a");
        assert!(backoff.failed("a") < FIRST.mul_f64(1.25));
    }
}
