use super::Vitals;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When the input has to wait, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Deliveries that fail one after another until the input waits. Default: 3.
    pub failures: u32,
    /// How long an output may wait for its acknowledgement until the input waits too,
    /// milliseconds. Default: 10000.
    pub unacknowledged_ms: u64,
    /// How long no broker may be reached until the input waits, milliseconds. Default: 2000.
    pub brokers_down_ms: u64,
    /// How many records may be dead letters until the input waits.
    pub dead_letters: DeadLetters,
    /// How long the input waits at least, milliseconds; twice as long after each try that fails,
    /// and up to a quarter less, so that workers do not come back all at once. Default: 1000.
    pub backoff_ms: u64,
    /// The longest back-off, milliseconds. Default: 30000.
    pub backoff_max_ms: u64,
}

/// How many records may be dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeadLetters {
    /// The share of the records that is too much, above 0; above 1 never is. Default: 0.5.
    pub share: f64,
    /// The time over which records are counted, milliseconds. Default: 10000.
    pub window_ms: u64,
    /// Fewer records than this in that time say nothing. Default: 100.
    pub least: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            failures: 3,
            unacknowledged_ms: 10_000,
            brokers_down_ms: 2000,
            dead_letters: DeadLetters::default(),
            backoff_ms: 1000,
            backoff_max_ms: 30_000,
        }
    }
}

impl Default for DeadLetters {
    fn default() -> DeadLetters {
        DeadLetters { share: 0.5, window_ms: 10_000, least: 100 }
    }
}

impl Limits {
    /// What does not make sense: where, and what is wrong.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut at_least_one = |path, value: u64| {
            if value == 0 {
                found.push((path, "it must be at least 1".to_owned()));
            }
        };
        at_least_one("failures", self.failures.into());
        at_least_one("unacknowledged_ms", self.unacknowledged_ms);
        at_least_one("brokers_down_ms", self.brokers_down_ms);
        at_least_one("dead_letters.window_ms", self.dead_letters.window_ms);
        at_least_one("dead_letters.least", self.dead_letters.least);
        at_least_one("backoff_ms", self.backoff_ms);
        if self.backoff_max_ms < self.backoff_ms {
            let message = format!("it must be at least backoff_ms, {}", self.backoff_ms);
            found.push(("backoff_max_ms", message));
        }
        if self.dead_letters.share.is_nan() || self.dead_letters.share <= 0.0 {
            found.push(("dead_letters.share", "it must be above 0".to_owned()));
        }
        found
    }

    /// The first back-off.
    pub(super) fn shortest(&self) -> Duration {
        Duration::from_millis(self.backoff_ms)
    }

    /// The longest back-off.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_millis(self.backoff_max_ms)
    }

    /// How long to wait after so many openings in a row before this one: from three quarters of
    /// the doubled time to all of it.
    pub(super) fn backoff(&self, before: u32, seed: u64) -> Duration {
        let doubled = self.backoff_ms.saturating_mul(1 << before.min(32)).min(self.backoff_max_ms);
        let random = mix(seed.wrapping_add(u64::from(before)));
        let less = ((u128::from(doubled) * u128::from(random)) >> 66) as u64;
        Duration::from_millis(doubled - less)
    }
}

impl DeadLetters {
    /// Whether the records judged between two moments, at least so many, were a storm.
    pub(super) fn is_storm(&self, then: &Vitals, now: &Vitals, least: u64) -> bool {
        let judged = now.judged.saturating_sub(then.judged);
        let dead = now.dead.saturating_sub(then.dead);
        judged >= least.max(1) && dead as f64 >= self.share * judged as f64
    }
}

/// The output function of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, OOPSLA 2014).
fn mix(seed: u64) -> u64 {
    let x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
