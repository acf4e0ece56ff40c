//! When the input waits: a circuit breaker between the partitions and what becomes of them.
//!
//! | State | The input | Goes on when |
//! | --- | --- | --- |
//! | closed | flows | a limit is exceeded: opens |
//! | open | waits; nothing is dropped | the back-off is over and nothing is wrong: half-opens |
//! | half-open | lets one batch through | the batch arrived: closes; a limit is exceeded: opens |
//!
//! An idle input has no batch to try with: half-open, it flows again after a back-off if what was
//! wrong can be seen to be over. Each try that fails doubles the back-off, up to a cap, and so does
//! a relapse that only a try can show. The breaker has no clock and no threads: it is told the
//! time, and what is known of the delivery ([`Vitals`]).
//!
//! What is not promised: that nothing more is sent while it is open. What was read before is
//! computed and sent as far as the queues allow.

mod limits;
mod storm;

#[cfg(test)]
mod tests;

pub use limits::{DeadLetters, Limits};

use std::fmt;
use std::time::Duration;
use storm::Storm;

/// Why a breaker opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Deliveries failed one after another.
    Failures,
    /// An output has waited for its acknowledgement for too long.
    Unacknowledged,
    /// No broker can be reached.
    BrokersDown,
    /// Too many of the records are dead letters.
    DeadLetters,
}

/// What is known at a moment. Counts are those since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vitals {
    /// Deliveries that failed.
    pub failures: u64,
    /// Deliveries that were acknowledged.
    pub acknowledged: u64,
    /// How long the oldest output that is not acknowledged has been waiting; `None` when all are.
    pub oldest: Option<Duration>,
    /// How long no broker could be reached; `None` when one can.
    pub down: Option<Duration>,
    /// Records that were judged: admitted, or made dead letters.
    pub judged: u64,
    /// Those of them that became dead letters.
    pub dead: u64,
    /// Bytes of records that were handed over and are not computed.
    pub waiting: usize,
}

/// What the input may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Flow.
    Flow,
    /// Hand over one batch; then [`Breaker::probed`] is to be called.
    Probe,
    /// Wait.
    Wait,
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The input flows.
    Closed,
    /// The input waits at least until a moment.
    Open {
        /// Why.
        cause: Cause,
        /// The end of the back-off.
        until: Duration,
    },
    /// One batch is let through.
    HalfOpen {
        /// Why it had opened.
        cause: Cause,
    },
}

/// A circuit breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    limits: Limits,
    seed: u64,
    state: State,
    /// When the state was entered.
    since: Duration,
    /// Openings one after another, without a calm time between them.
    openings: u32,
    streak: Streak,
    storm: Storm,
    /// What was known last.
    last: Vitals,
    /// What was known when the batch of a probe was handed over.
    probe: Option<Vitals>,
}

/// Failures without an acknowledgement between them.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    failures: u64,
    acknowledged: u64,
    length: u64,
}

impl Breaker {
    /// A closed breaker. Breakers with different seeds wait for different times, so that workers
    /// that broke together do not come back together.
    pub fn new(limits: Limits, seed: u64) -> Breaker {
        let storm = Storm::new(limits.dead_letters);
        Breaker {
            limits,
            seed,
            state: State::Closed,
            since: Duration::ZERO,
            openings: 0,
            streak: Streak::default(),
            storm,
            last: Vitals::default(),
            probe: None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// What the input may do.
    pub fn pace(&self) -> Pace {
        match (self.state, self.probe) {
            (State::Closed, _) => Pace::Flow,
            (State::HalfOpen { .. }, None) => Pace::Probe,
            _ => Pace::Wait,
        }
    }

    /// Takes note of what is known at `now`; the new state when it changed.
    pub fn observe(&mut self, now: Duration, vitals: &Vitals) -> Option<State> {
        self.streak.observe(vitals);
        self.last = *vitals;
        let next = match self.state {
            State::Closed => self.symptom(now, vitals).map(|cause| self.open(now, cause)),
            State::Open { cause, until } => {
                let calm = self.standing(vitals).is_none() && vitals.waiting == 0;
                (now >= until && calm).then_some(State::HalfOpen { cause })
            }
            State::HalfOpen { cause } => self.judge(now, cause, vitals),
        };
        if let Some(state) = next {
            self.enter(now, state, vitals);
        }
        next
    }

    /// The one batch of [`Pace::Probe`] was handed over, after what was observed last.
    pub fn probed(&mut self) {
        if self.pace() == Pace::Probe {
            self.probe = Some(self.last);
        }
    }

    fn enter(&mut self, now: Duration, state: State, vitals: &Vitals) {
        (self.state, self.since, self.probe) = (state, now, None);
        self.streak.length = 0;
        self.storm.forget(now, vitals);
    }

    /// What is wrong with a flowing input.
    fn symptom(&mut self, now: Duration, vitals: &Vitals) -> Option<Cause> {
        let failures = u64::from(self.limits.failures);
        let storm = self.storm.observe(now, vitals);
        let failed = (self.streak.length >= failures).then_some(Cause::Failures);
        let storm = storm.then_some(Cause::DeadLetters);
        self.standing(vitals).or(failed).or(storm)
    }

    /// What can be seen to be wrong without sending anything.
    fn standing(&self, vitals: &Vitals) -> Option<Cause> {
        let longer =
            |time: Option<Duration>, ms| time.is_some_and(|t| t >= Duration::from_millis(ms));
        if longer(vitals.down, self.limits.brokers_down_ms) {
            return Some(Cause::BrokersDown);
        }
        longer(vitals.oldest, self.limits.unacknowledged_ms).then_some(Cause::Unacknowledged)
    }

    /// What becomes of a half-open breaker.
    fn judge(&mut self, now: Duration, cause: Cause, vitals: &Vitals) -> Option<State> {
        let failed = self.standing(vitals).or_else(|| {
            let before = self.probe?;
            if vitals.failures > before.failures {
                return Some(Cause::Failures);
            }
            let least =
                if cause == Cause::DeadLetters { 1 } else { self.limits.dead_letters.least };
            let storm = self.limits.dead_letters.is_storm(&before, vitals, least);
            storm.then_some(Cause::DeadLetters)
        });
        if let Some(cause) = failed {
            return Some(self.open(now, cause));
        }
        let calm = vitals.waiting == 0 && vitals.oldest.is_none();
        let is_over = cause.is_standing() && vitals.down.is_none();
        let idle = is_over && now.saturating_sub(self.since) >= self.limits.shortest();
        (calm && (self.probe.is_some() || idle)).then_some(State::Closed)
    }

    fn open(&mut self, now: Duration, cause: Cause) -> State {
        // What can be seen to be over without a try needs no longer and longer pauses.
        let rested = now.saturating_sub(self.since) >= self.limits.longest();
        let calm = self.state == State::Closed && (rested || cause.is_standing());
        self.openings = if calm { 1 } else { self.openings.saturating_add(1) };
        State::Open { cause, until: now + self.limits.backoff(self.openings - 1, self.seed) }
    }
}

impl Streak {
    fn observe(&mut self, vitals: &Vitals) {
        let failed = vitals.failures.saturating_sub(self.failures);
        let arrived = vitals.acknowledged > self.acknowledged;
        self.length = if arrived { 0 } else { self.length + failed };
        (self.failures, self.acknowledged) = (vitals.failures, vitals.acknowledged);
    }
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 4] =
        [Cause::Failures, Cause::Unacknowledged, Cause::BrokersDown, Cause::DeadLetters];

    /// Whether it can be seen without sending anything.
    fn is_standing(self) -> bool {
        matches!(self, Cause::Unacknowledged | Cause::BrokersDown)
    }

    /// In a word, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Failures => "failures",
            Cause::Unacknowledged => "unacknowledged",
            Cause::BrokersDown => "brokers_down",
            Cause::DeadLetters => "dead_letters",
        }
    }

    /// What to look at.
    pub fn advice(self) -> &'static str {
        match self {
            Cause::Failures => {
                "deliveries fail one after another: see the reasons logged before this line"
            }
            Cause::Unacknowledged => {
                "the brokers do not acknowledge outputs: look at their disks, at partitions of the \
                 output topics without a leader or with fewer replicas in sync than \
                 min.insync.replicas, and at quotas"
            }
            Cause::BrokersDown => {
                "no broker can be reached: look at the brokers, the network between, and the \
                 credentials"
            }
            Cause::DeadLetters => {
                "most records are dead letters, which a bad release of the producer or of this \
                 configuration explains better than bad records: look at the codes of the dead \
                 letters, and roll back the one of the two that changed; to let all of them pass, \
                 set kafka.breaker.dead_letters.share to 2"
            }
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
