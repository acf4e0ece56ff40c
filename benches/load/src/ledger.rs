//! All that is known about a run: points that were sent, records that the brokers have, outputs
//! that came.

use crate::audit::{Audit, Cause, Expectation, Matching, Settled, Times, Verdict};
use crate::feeder::Sent;
use crate::latency::Distribution;
use crate::reader::Arrival;
use crate::timeline::{Moment, Timeline};
use hashbrown::HashMap;
use mesh::Kind;
use mesh::feed::Place;
use std::collections::BTreeMap;
use std::time::Duration;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The brokers have a point.
    Stored(Sent, Place),
    /// An output could be read.
    Came(Arrival),
}

/// All that is known about a run.
#[derive(Debug)]
pub struct Ledger {
    audit: Audit,
    prefix: String,
    warm_up: Duration,
    timeline: Timeline,
    latencies: Latencies,
    /// The offset after the last point of each partition.
    ends: HashMap<i32, i64>,
    foreign: u64,
    sent_until: Duration,
    last: Duration,
}

/// Distributions of what was measured after the warm-up.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// From the intended time of a point to its output that could be read.
    pub intended: Distribution,
    /// The same from its sending.
    pub sent: Distribution,
    /// From the intended time, by what the output is about.
    pub kinds: BTreeMap<Kind, Distribution>,
    /// From the intended time to the sending.
    pub lag: Distribution,
    /// From the sending to the acknowledgement of the brokers.
    pub stored: Distribution,
}

impl Ledger {
    /// Nothing yet, of a run of so many seconds. What is measured counts for points that were
    /// intended after the warm-up. The series are called by a prefix and their number.
    pub fn new(expectation: Expectation, prefix: &str, seconds: f64, warm_up: Duration) -> Ledger {
        Ledger {
            audit: Audit::new(expectation),
            prefix: prefix.into(),
            warm_up,
            timeline: Timeline::new(seconds),
            latencies: Latencies::default(),
            ends: HashMap::new(),
            foreign: 0,
            sent_until: Duration::ZERO,
            last: Duration::ZERO,
        }
    }

    /// Takes what happened, at the time `now`.
    pub fn take(&mut self, event: Event, now: Duration) {
        match event {
            Event::Stored(sent, place) => self.stored(sent, place, now),
            Event::Came(arrival) => self.came(&arrival),
        }
    }

    /// Outputs that have to come and have not yet.
    pub fn owed(&self) -> u64 {
        self.audit.owed()
    }

    /// When the last output came, since the start.
    pub fn last_arrival(&self) -> Duration {
        self.last
    }

    /// The latest intended time of a point that was sent, since the start.
    pub fn sent_until(&self) -> Duration {
        self.sent_until
    }

    /// Records of others in the partitions, between the points of this run.
    pub fn foreign(&self) -> u64 {
        self.foreign
    }

    /// What was measured so far.
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// The counts so far.
    pub fn so_far(&self) -> &Verdict {
        self.audit.so_far()
    }

    /// What the audit says when nothing more comes.
    pub fn verdict(&self) -> Verdict {
        self.audit.verdict()
    }

    /// What happened, second by second.
    pub fn moments(&self) -> Vec<Moment> {
        self.timeline.moments()
    }

    fn stored(&mut self, sent: Sent, place: Place, now: Duration) {
        self.timeline.sent(sent.intended, sent.at);
        self.sent_until = self.sent_until.max(sent.intended);
        if sent.intended >= self.warm_up {
            self.latencies.lag.add(sent.at.saturating_sub(sent.intended));
            self.latencies.stored.add(now.saturating_sub(sent.at));
        }
        let end = self.ends.entry(place.partition).or_insert(place.offset);
        self.foreign += place.offset.saturating_sub(*end).max(0) as u64;
        *end = place.offset + 1;
        let cause = match self.audit.expectation().matching {
            Matching::Id => Cause { partition: place.partition, offset: place.offset, row: 0 },
            Matching::Number => Cause { partition: 0, offset: sent.number as i64, row: 0 },
        };
        let times = Times { intended: sent.intended, sent: sent.at };
        let series = format!("{}{}", self.prefix, sent.series);
        for settled in self.audit.input(cause, &series, times) {
            self.settle(settled);
        }
    }

    fn came(&mut self, arrival: &Arrival) {
        self.last = self.last.max(arrival.at);
        match &arrival.name {
            Ok(name) => {
                let Arrival { series, at, bytes, .. } = arrival;
                let settled = self.audit.output(*name, series, *at, *bytes);
                settled.into_iter().for_each(|settled| self.settle(settled));
            }
            Err(what) => self.audit.stray(what),
        }
    }

    fn settle(&mut self, Settled { kind, times, at }: Settled) {
        self.timeline.output(times.intended, at);
        if times.intended >= self.warm_up {
            let latency = at.saturating_sub(times.intended);
            self.latencies.intended.add(latency);
            self.latencies.kinds.entry(kind).or_default().add(latency);
            self.latencies.sent.add(at.saturating_sub(times.sent));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Cadence, Name};

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn ledger() -> Ledger {
        Ledger::new(Expectation::numbered("in", Cadence::EACH), "s-", 10.0, ms(1000))
    }

    /// A point for every 10 ms; those of the second second are held up until its end.
    fn stalled(number: u64) -> Sent {
        let intended = ms(10 * number);
        let at = if (100..200).contains(&number) { ms(2000) } else { intended };
        Sent { number, series: 0, intended, at }
    }

    fn output(number: u64, at: Duration) -> Event {
        let cause = Cause { partition: 0, offset: number as i64, row: 0 };
        let name = Ok(Name { cause, kind: Kind::Diagrams, scale: 0 });
        Event::Came(Arrival { name, series: "s-0".into(), at, bytes: 1 })
    }

    #[test]
    fn points_that_a_stall_held_up_count_from_when_they_were_to_be_sent() {
        let mut ledger = ledger();
        for number in 0..400 {
            let sent = stalled(number);
            let place = Place { partition: 1, offset: number as i64 };
            ledger.take(Event::Stored(sent, place), sent.at + ms(2));
            ledger.take(output(number, sent.at + ms(5)), sent.at + ms(5));
        }
        let Latencies { intended, sent, lag, stored, kinds } = ledger.latencies();
        let [intended, sent, lag, stored] =
            [intended, sent, lag, stored].map(|d| d.percentiles().unwrap());
        // The first second is the warm-up; a third of the rest waited half a second on average.
        assert_eq!([intended.count, sent.count, lag.count, stored.count], [300; 4]);
        let near = |found: f64, exact: f64| (found / exact - 1.0).abs() < 2e-3;
        assert!(
            near(intended.mean, 5.0 + 505.0 / 3.0) && near(intended.max, 1005.0),
            "{intended:?}"
        );
        assert!(near(sent.mean, 5.0) && near(sent.max, 5.0), "{sent:?}");
        assert!(near(lag.max, 1000.0) && lag.p50 == 0.0 && near(stored.max, 2.0), "{lag:?}");
        assert_eq!(kinds[&Kind::Diagrams].percentiles(), Some(intended));
        assert_eq!((ledger.owed(), ledger.foreign()), (0, 0));
        assert_eq!((ledger.sent_until(), ledger.last_arrival()), (ms(3990), ms(3995)));
    }

    #[test]
    fn records_of_others_between_the_points_are_counted() {
        let mut ledger = ledger();
        for (number, offset) in [(0, 70), (1, 71), (2, 74), (3, 75), (4, 80)] {
            let place = Place { partition: 1, offset };
            ledger.take(Event::Stored(stalled(number), place), ms(100));
        }
        assert_eq!((ledger.foreign(), ledger.owed()), (6, 5));
    }
}
