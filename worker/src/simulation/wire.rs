//! What is between a producer and the brokers.

use super::broker::{Broker, Place, Producer, Record};
use super::checker::Checker;
use mesh::delivery::Ticket;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The connection of one producer. It outlives its worker: what was sent arrives.
#[derive(Debug)]
pub(super) struct Wire {
    /// The worker.
    pub(super) process: usize,
    producer: Producer,
    /// By what it is fenced, if its records are in transactions.
    transactional: Option<String>,
    lanes: BTreeMap<Place, Lane>,
    /// A record was lost for good.
    pub(super) failed: bool,
    /// The brokers know a newer producer.
    pub(super) fenced: bool,
    /// Nobody sends through it any more.
    pub(super) dead: bool,
}

/// The records for one partition, in order, from the first that is not acknowledged on.
#[derive(Debug, Default)]
struct Lane {
    /// The number of the first.
    sequence: u64,
    queue: VecDeque<Sent>,
    /// How many of them the brokers have, as far as answers are on their way.
    arrived: usize,
    /// The number of the first that the brokers never had.
    fresh: u64,
}

#[derive(Debug)]
struct Sent {
    record: Arc<Record>,
    /// Given back with the acknowledgement.
    ticket: Option<Arc<Ticket>>,
}

impl Wire {
    pub(super) fn new(process: usize, producer: Producer, transactional: Option<String>) -> Wire {
        let lanes = BTreeMap::new();
        let (failed, fenced, dead) = (false, false, false);
        Wire { process, producer, transactional, lanes, failed, fenced, dead }
    }

    pub(super) fn producer(&self) -> Producer {
        self.producer
    }

    pub(super) fn push(&mut self, place: Place, record: Record, ticket: Option<Arc<Ticket>>) {
        let sent = Sent { record: Arc::new(record), ticket };
        self.lanes.entry(place).or_default().queue.push_back(sent);
    }

    pub(super) fn in_flight(&self) -> usize {
        self.lanes.values().map(|lane| lane.queue.len()).sum()
    }

    /// The partitions for which records are queued.
    pub(super) fn to_send(&self) -> Vec<Place> {
        let waiting = self.lanes.iter().filter(|(_, l)| l.arrived < l.queue.len());
        waiting.map(|(&place, _)| place).collect()
    }

    /// The partitions from which answers are on their way.
    pub(super) fn to_answer(&self) -> Vec<Place> {
        let arrived = self.lanes.iter().filter(|(_, l)| l.arrived > 0 && !self.dead);
        arrived.map(|(&place, _)| place).collect()
    }

    /// At most `most` records arrive.
    pub(super) fn send(
        &mut self,
        place: Place,
        most: usize,
        broker: &mut Broker,
        checker: &mut Checker,
    ) {
        for _ in 0..most {
            let Some(lane) = self.lanes.get_mut(&place) else { return };
            let Some(Sent { record, .. }) = lane.queue.get(lane.arrived) else { return };
            let sequence = lane.sequence + lane.arrived as u64;
            let transactional = self.transactional.as_deref();
            match broker.append(transactional, self.producer, place, sequence, record) {
                Ok(true) => checker.appended(place, record),
                Ok(false) => {}
                Err(_) => return self.refuse(),
            }
            lane.arrived += 1;
            lane.fresh = lane.fresh.max(sequence + 1);
        }
    }

    /// At most `most` answers arrive.
    pub(super) fn answer(&mut self, place: Place, most: usize, checker: &mut Checker) {
        let Some(lane) = self.lanes.get_mut(&place) else { return };
        for _ in 0..most.min(lane.arrived) {
            if let Some(Sent { record, ticket }) = lane.queue.pop_front() {
                if ticket.is_some() {
                    checker.acknowledged(place, &record);
                }
                lane.sequence += 1;
                lane.arrived -= 1;
            }
        }
    }

    /// Answers are lost, or requests are sent twice: the producer sends again.
    pub(super) fn resend(&mut self, place: Place) {
        if let Some(lane) = self.lanes.get_mut(&place) {
            lane.arrived = 0;
        }
    }

    /// The producer gives up what it could not deliver in time; some of it may have arrived. Every
    /// ticket comes back.
    pub(super) fn fail(&mut self) {
        self.purge();
        self.failed = true;
    }

    /// The brokers refuse what this producer sends.
    fn refuse(&mut self) {
        self.fenced = true;
        self.lanes.clear();
    }

    /// What is queued is dropped, other than what the brokers have.
    pub(super) fn purge(&mut self) {
        for lane in self.lanes.values_mut() {
            lane.queue.clear();
            (lane.sequence, lane.arrived) = (lane.fresh, 0);
        }
        self.failed = false;
    }

    /// Nobody sends any more. Of what is queued, so many records of each partition are already on
    /// their way.
    pub(super) fn die(&mut self, records: usize) {
        self.dead = true;
        for lane in self.lanes.values_mut() {
            lane.queue.truncate(lane.arrived + records);
        }
    }

    /// Nothing of it will arrive any more.
    pub(super) fn is_over(&self) -> bool {
        self.dead && self.to_send().is_empty()
    }
}
