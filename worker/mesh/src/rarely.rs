//! Says the same thing now and then only: during an outage, clients have the same to say many times
//! a second.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same trouble with brokers is told of.
pub(crate) static TROUBLE: Rarely = Rarely::new(Duration::from_secs(30));

/// Different things that are remembered; with more, those are forgotten that were said long ago.
const MOST: usize = 1000;

/// Decides what is said again.
#[derive(Debug)]
pub struct Rarely {
    every: Duration,
    said: Mutex<BTreeMap<String, Said>>,
}

#[derive(Debug)]
struct Said {
    when: Instant,
    left_out: u64,
}

impl Rarely {
    /// The same thing is said no more than once in `every`.
    pub const fn new(every: Duration) -> Rarely {
        Rarely { every, said: Mutex::new(BTreeMap::new()) }
    }

    /// Whether something is to be said now, and if so, how often it was left out since it was said
    /// last. Numbers in it do not make it something else.
    pub fn says(&self, what: &str) -> Option<u64> {
        let what: String = what.chars().filter(|c| !c.is_ascii_digit()).collect();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= MOST {
            said.retain(|_, said| said.when.elapsed() < self.every);
            if said.len() >= MOST {
                said.clear();
            }
        }
        let now = Instant::now();
        match said.get_mut(&what) {
            Some(said) if now - said.when < self.every => {
                said.left_out += 1;
                None
            }
            _ => {
                let before = said.insert(what, Said { when: now, left_out: 0 });
                Some(before.map_or(0, |before| before.left_out))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_in_a_while_with_how_often_it_was_left_out() {
        let rarely = Rarely::new(Duration::from_millis(50));
        assert_eq!(rarely.says("broker 1 is gone after 7 ms"), Some(0));
        assert_eq!(rarely.says("broker 2 is gone after 13 ms"), None);
        assert_eq!(rarely.says("broker 2 is gone after 9 ms"), None);
        assert_eq!(rarely.says("something else"), Some(0));
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(rarely.says("broker 3 is gone after 1 ms"), Some(2));
        assert_eq!(rarely.says("broker 3 is gone after 1 ms"), None);
    }
}
