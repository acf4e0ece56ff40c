//! The coordinator of transactions.

use super::log::{Producer, Record};
use super::{Broker, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The transactions of one `transactional.id`, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Transactional {
    producer: Producer,
    phase: Phase,
    places: BTreeSet<Place>,
    offsets: BTreeMap<i32, i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Empty,
    Open,
    /// It is decided; the partitions hear of it one by one.
    Ending {
        commit: bool,
    },
}

/// What is in a transaction.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Decided {
    pub(in crate::simulation) records: Vec<(Place, Arc<Record>)>,
    pub(in crate::simulation) offsets: BTreeMap<i32, i64>,
}

/// A newer incarnation of the producer was started, or the brokers gave this one up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulation) struct Fenced;

impl Broker {
    /// Starts an incarnation of a transactional producer: the ones before are refused, and what
    /// they left open is aborted.
    pub(in crate::simulation) fn init_transactions(&mut self, id: &str) -> Producer {
        if !self.transactions.contains_key(id) {
            let producer = self.producer();
            let fresh = Transactional {
                producer,
                phase: Phase::Empty,
                places: BTreeSet::new(),
                offsets: BTreeMap::new(),
            };
            self.transactions.insert(id.into(), fresh);
            return producer;
        }
        self.give_up(id);
        self.transactions[id].producer
    }

    /// Gives an incarnation up: finishes what is decided, aborts what is open.
    pub(in crate::simulation) fn give_up(&mut self, id: &str) {
        self.finish(id);
        let Some(of) = self.transactions.get_mut(id) else { return };
        of.producer.epoch += 1;
        if of.phase == Phase::Open {
            of.phase = Phase::Ending { commit: false };
            self.finish(id);
        }
    }

    /// Ends all transactions: those that are open were given up by their producers.
    pub(in crate::simulation) fn end_all(&mut self) {
        for id in self.open_transactions() {
            self.give_up(&id);
        }
        for id in self.ending_transactions() {
            self.finish(&id);
        }
    }

    /// The transactions that are open.
    pub(in crate::simulation) fn open_transactions(&self) -> Vec<String> {
        let open = self.transactions.iter().filter(|(_, t)| t.phase == Phase::Open);
        open.map(|(id, _)| id.clone()).collect()
    }

    /// The transactions that are decided, and have partitions that have not heard of it.
    pub(in crate::simulation) fn ending_transactions(&self) -> Vec<String> {
        let ending = |t: &Transactional| matches!(t.phase, Phase::Ending { .. });
        let ids = self.transactions.iter().filter(|(_, t)| ending(t));
        ids.map(|(id, _)| id.clone()).collect()
    }

    /// A partition becomes part of the transaction, which begins with the first.
    pub(in crate::simulation) fn add_to_transaction(
        &mut self,
        id: &str,
        by: Producer,
        place: Place,
    ) -> Result<(), Fenced> {
        self.open(id, by)?.places.insert(place);
        Ok(())
    }

    /// An offset of the group becomes part of the transaction.
    pub(in crate::simulation) fn add_offset(
        &mut self,
        id: &str,
        by: Producer,
        partition: i32,
        offset: i64,
    ) -> Result<(), Fenced> {
        self.open(id, by)?.offsets.insert(partition, offset);
        Ok(())
    }

    /// Decides the transaction; gives what is in it.
    pub(in crate::simulation) fn end_transaction(
        &mut self,
        id: &str,
        by: Producer,
        commit: bool,
    ) -> Result<Decided, Fenced> {
        let of = self.transactions.get_mut(id).filter(|t| t.producer == by).ok_or(Fenced)?;
        // Otherwise nothing is open: there was nothing in it.
        if of.phase != Phase::Open {
            return Ok(Decided::default());
        }
        of.phase = Phase::Ending { commit };
        let (places, offsets) = (of.places.clone(), of.offsets.clone());
        let open = |&place: &Place| self.log(place).open(by).map(move |record| (place, record));
        Ok(Decided { records: places.iter().flat_map(open).collect(), offsets })
    }

    /// One more partition hears of the end of a transaction.
    pub(in crate::simulation) fn mark(&mut self, id: &str) {
        let Some(of) = self.transactions.get_mut(id) else { return };
        let Phase::Ending { commit } = of.phase else { return };
        let producer = of.producer;
        if let Some(place) = of.places.pop_first() {
            self.log_mut(place).end_transaction(producer, commit);
        } else if let Some((partition, offset)) = of.offsets.pop_first()
            && commit
        {
            self.group.commit_memberless(partition, offset);
        }
        let of = self.transactions.get_mut(id).expect("it was there a moment ago");
        if of.places.is_empty() && of.offsets.is_empty() {
            of.phase = Phase::Empty;
        }
    }

    /// Waits until all partitions have heard of the end.
    pub(in crate::simulation) fn finish(&mut self, id: &str) {
        let ending = |b: &Broker| {
            let of = b.transactions.get(id);
            of.is_some_and(|t| matches!(t.phase, Phase::Ending { .. }))
        };
        while ending(self) {
            self.mark(id);
        }
    }

    fn open(&mut self, id: &str, by: Producer) -> Result<&mut Transactional, Fenced> {
        self.finish(id);
        let of = self.transactions.get_mut(id).filter(|t| t.producer == by).ok_or(Fenced)?;
        of.phase = Phase::Open;
        Ok(of)
    }
}
