//! Which seeds a test runs.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seeds that run every time.
const FIXED: u64 = 1000;
/// Seeds that are others every time.
const FRESH: u64 = 200;

/// The seeds of one run of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seeds {
    fixed: u64,
    from: u64,
    fresh: u64,
}

impl Seeds {
    /// `SIMULATION_SEED` is the only one to run; `SIMULATION_SEEDS` says how many others than the
    /// fixed ones.
    pub(super) fn from_environment() -> Seeds {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            let number = text.parse().ok();
            Some(number.unwrap_or_else(|| panic!("{name} is {text:?}, not a whole number")))
        };
        match number("SIMULATION_SEED") {
            Some(seed) => Seeds { fixed: 0, from: seed, fresh: 1 },
            None => {
                let fresh = number("SIMULATION_SEEDS").unwrap_or(FRESH);
                Seeds { fixed: FIXED, from: milliseconds(), fresh }
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + use<> {
        (0..self.fixed).chain(self.from..self.from + self.fresh)
    }
}

fn milliseconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_millis() as u64
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seeds { fixed, from, fresh } = self;
        if *fixed > 0 {
            write!(f, "seeds 0 to {} and ", fixed - 1)?;
        }
        write!(f, "{from} to {}", from + fresh.saturating_sub(1))
    }
}
