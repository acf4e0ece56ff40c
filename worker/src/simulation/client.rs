//! The clients of one worker: what the real ones ask of Kafka, asked of the world.

use super::broker::{Isolation, Place, Record, Topic};
use super::scenario::{GROUP, consumed};
use super::world::World;
use mesh::checkpoint::{Past, Saved, Witness};
use mesh::delivery::{Log, Rejected, Ticket};
use mesh::{Error, Outgoing, Target};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a worker sees of the world. While one waits, the others go on.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) world: Arc<World>,
    pub(super) process: usize,
}

impl Client {
    /// Others go on meanwhile; `Err` when this worker has died of it.
    pub(super) fn meanwhile(&self) -> Result<(), Gone> {
        match self.world.meanwhile(self.process) {
            true => Ok(()),
            false => Err(Gone),
        }
    }

    /// As `meanwhile`, until the brokers answer.
    pub(super) fn answered(&self) -> Result<(), Gone> {
        self.meanwhile()?;
        while self.world.state().broker.down {
            if !self.world.let_others(self.process) {
                return Err(Gone);
            }
        }
        Ok(())
    }

    pub(super) fn place(&self, to: Target, partition: i32) -> Place {
        let partition = match to {
            Target::Checkpoints => partition % self.world.scenario.checkpoint_partitions,
            _ => partition,
        };
        Place { topic: Topic::To(to), partition }
    }
}

/// The worker is dead; nobody will hear of what it still does.
pub(super) struct Gone;

impl From<Gone> for Error {
    fn from(_: Gone) -> Error {
        Error::Checkpoint { partition: -1, reason: "the worker is dead".into() }
    }
}

impl Log for Client {
    fn append(
        &self,
        record: &Outgoing,
        partition: i32,
        ticket: &Arc<Ticket>,
        revoked: &AtomicBool,
    ) -> Result<(), Rejected> {
        while self.world.state().is_full(self.process) {
            if revoked.load(Ordering::SeqCst) {
                return Err(Rejected::Revoked);
            }
            if !self.world.let_others(self.process) {
                return Err(Rejected::Failed(Gone.into()));
            }
        }
        // A producer that gave up takes nothing any more.
        if self.has_failed() {
            return Err(Rejected::Failed(Gone.into()));
        }
        let place = self.place(record.to, partition);
        let record = Record::from(record);
        let mut state = self.world.state();
        state.put_out(self.process, place, &record);
        if let Some(wire) = state.wire(self.process) {
            wire.push(place, record, Some(ticket.clone()));
        }
        drop(state);
        self.meanwhile().map_err(|gone| Rejected::Failed(gone.into()))
    }

    fn has_failed(&self) -> bool {
        self.world.state().has_failed(self.process)
    }

    fn in_flight(&self) -> usize {
        self.world.state().wire(self.process).map_or(0, |wire| wire.in_flight())
    }
}

impl Past for Client {
    fn read(&self, input: &str, partitions: &[i32]) -> Result<HashMap<i32, Saved>, Error> {
        let mut saved = HashMap::new();
        for &partition in partitions {
            let records = self.last_values(self.place(Target::Checkpoints, partition))?;
            let found = Saved::find(GROUP, input, partition, &records)?;
            if let Some(found) = found {
                self.world.state().found.insert((self.process, partition), found.next);
                saved.insert(partition, found);
            }
        }
        Ok(saved)
    }

    fn committed(&self, _: &str, partitions: &[i32]) -> Result<HashMap<i32, i64>, Error> {
        self.answered()?;
        let mut state = self.world.state();
        let mut committed = HashMap::new();
        for &partition in partitions {
            let offset = state.broker.group.committed(partition);
            state.known.entry((self.process, partition)).or_default().push(offset.unwrap_or(0));
            committed.extend(offset.map(|offset| (partition, offset)));
        }
        Ok(committed)
    }

    fn ends(&self, _: &str, partition: i32) -> Result<(i64, i64), Error> {
        self.answered()?;
        let state = self.world.state();
        let log = state.broker.log(Place { topic: Topic::Input, partition });
        Ok((log.first(), log.end()))
    }

    fn witnesses(
        &self,
        _: &str,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<HashMap<i32, Witness>, Error> {
        self.answered()?;
        let state = self.world.state();
        let witness = |(&partition, &offset): (&i32, &i64)| {
            let log = state.broker.log(Place { topic: Topic::Input, partition });
            let (records, _) = log.read(offset, 1, Isolation::Committed);
            let (offset, record) = records.first()?;
            Some((partition, Witness::of(&consumed(*offset, record))))
        };
        Ok(offsets.iter().filter_map(witness).collect())
    }
}

impl Client {
    /// Reads a partition of the checkpoint topic to its end, while others may write to it.
    fn last_values(&self, place: Place) -> Result<HashMap<String, Vec<u8>>, Error> {
        self.answered()?;
        let end = self.world.state().broker.log(place).stable();
        let (mut from, mut values) = (0, HashMap::new());
        while from < end {
            let state = self.world.state();
            let (records, next) = state.broker.log(place).read(from, 8, Isolation::Committed);
            for (_, record) in records {
                keep(&mut values, record);
            }
            from = next;
            drop(state);
            self.answered()?;
        }
        Ok(values)
    }
}

fn keep(values: &mut HashMap<String, Vec<u8>>, record: &Record) {
    let key = record.key.clone().and_then(|key| String::from_utf8(key).ok());
    let key = key.expect("the keys of checkpoints are text");
    match &record.value {
        Some(value) => _ = values.insert(key, value.clone()),
        None => _ = values.remove(&key),
    }
}
