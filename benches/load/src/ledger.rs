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
