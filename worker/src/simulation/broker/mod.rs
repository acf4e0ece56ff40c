//! Brokers in memory: what of Kafka's protocol a worker can tell, and no time.

mod group;
mod log;
mod transactions;

pub(super) use group::{Beat, Group, Member};
pub(super) use log::{Isolation, Log, Producer, Record};
pub(super) use transactions::Fenced;

use log::Refusal;
use mesh::Target;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Input,
    To(Target),
}

/// A partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) topic: Topic,
    pub(super) partition: i32,
}

/// All brokers, as one.
#[derive(Debug, Default)]
pub(super) struct Broker {
    logs: BTreeMap<Place, Log>,
    pub(super) group: Group,
    transactions: BTreeMap<String, transactions::Transactional>,
    producers: u64,
    /// Nobody is answered.
    pub(super) down: bool,
}

impl Broker {
    /// Another producer.
    pub(super) fn producer(&mut self) -> Producer {
        self.producers += 1;
        Producer { id: self.producers, epoch: 0 }
    }

    pub(super) fn log(&self, place: Place) -> &Log {
        static EMPTY: Log = Log::empty();
        self.logs.get(&place).unwrap_or(&EMPTY)
    }

    pub(super) fn log_mut(&mut self, place: Place) -> &mut Log {
        self.logs.entry(place).or_default()
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.logs.keys().copied()
    }

    /// Appends a record of a producer, in its transaction if it has an id for that. `Ok(false)`
    /// if it is there already.
    pub(super) fn append(
        &mut self,
        transactional: Option<&str>,
        by: Producer,
        place: Place,
        sequence: u64,
        record: &Arc<Record>,
    ) -> Result<bool, Refusal> {
        if let Some(id) = transactional {
            self.add_to_transaction(id, by, place).map_err(|Fenced| Refusal::Fenced)?;
        }
        let in_transaction = transactional.is_some();
        self.log_mut(place).append(by, sequence, record.clone(), in_transaction)
    }
}
