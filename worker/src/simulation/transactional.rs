//! The transactions of one partition, as the delivery of a worker asks for them.

use super::broker::{Fenced, Producer, Record};
use super::client::Client;
use super::scenario::{GROUP, INPUT};
use mesh::Outgoing;
use mesh::delivery::{Settled, Transactions, Trouble};

/// A transactional client of a worker.
pub(super) struct Transactional {
    client: Client,
    partition: i32,
    id: String,
    /// The number of its wire; none when nothing is known of what the last one left behind.
    wire: Option<usize>,
}

impl Transactional {
    pub(super) fn new(client: Client, partition: i32) -> Transactional {
        let id = format!("{GROUP}/{INPUT}/{partition}");
        Transactional { client, partition, id, wire: None }
    }

    fn wire(&self) -> Result<(usize, Producer), Trouble> {
        let state = self.client.world.state();
        let wire = self.wire.and_then(|number| Some((number, state.wires.get(&number)?)));
        match wire {
            None => Err(Trouble::Indefinite("there is no producer".into())),
            Some((_, wire)) if wire.fenced => Err(fenced(Fenced)),
            Some((number, wire)) => Ok((number, wire.producer())),
        }
    }

    /// A call of the coordinator: it may be refused, and its answer or the call itself may be
    /// lost. A producer of which that is not known is of no more use.
    fn call<T>(
        &mut self,
        what: &str,
        call: impl FnOnce(&mut Self, Producer) -> Result<T, Fenced>,
    ) -> Result<T, Trouble> {
        self.client.answered().map_err(|gone| Trouble::Fatal(gone.into()))?;
        let (_, producer) = self.wire()?;
        let (lost, late) = {
            let mut state = self.client.world.state();
            (state.disturbed(30), state.tape.chance(500))
        };
        self.client
            .world
            .note(|| format!("{}: {what}{}", self.id, if lost { ", lost" } else { "" }));
        let result = match lost && late {
            true => None,
            false => Some(call(self, producer)),
        };
        self.client.meanwhile().map_err(|gone| Trouble::Fatal(gone.into()))?;
        match result {
            Some(result) if !lost => result.map_err(fenced),
            _ => {
                self.drop_wire();
                Err(Trouble::Indefinite(format!("{what} was not answered")))
            }
        }
    }

    /// What is in flight may arrive.
    fn drop_wire(&mut self) {
        if let Some(number) = self.wire.take() {
            let mut state = self.client.world.state();
            let records = state.tape.below(4);
            if let Some(wire) = state.wires.get_mut(&number) {
                wire.die(records);
            }
        }
    }
}

fn fenced(_: Fenced) -> Trouble {
    Trouble::Fenced("the brokers know a newer producer".into())
}

impl Transactions for Transactional {
    fn init(&mut self) -> Result<bool, Trouble> {
        self.drop_wire();
        self.client.answered().map_err(|gone| Trouble::Fatal(gone.into()))?;
        let mut state = self.client.world.state();
        let producer = state.broker.init_transactions(&self.id);
        self.wire = Some(state.plug_in(self.client.process, producer, Some(self.id.clone())));
        drop(state);
        self.client
            .world
            .note(|| format!("{} is taken by worker {}", self.id, self.client.process));
        self.client.meanwhile().map_err(|gone| Trouble::Fatal(gone.into()))?;
        Ok(true)
    }

    fn committed(&mut self) -> Result<Option<i64>, Trouble> {
        self.client.answered().map_err(|gone| Trouble::Fatal(gone.into()))?;
        Ok(self.client.world.state().broker.group.committed(self.partition))
    }

    fn begin(&mut self) -> Result<(), Trouble> {
        self.wire().map(|_| ())
    }

    fn append(&mut self, record: &Outgoing) -> Result<(), Trouble> {
        let (number, _) = self.wire()?;
        let place = self.client.place(record.to, self.partition);
        let record = Record::from(record);
        let mut state = self.client.world.state();
        state.put_out(self.client.process, place, &record);
        if let Some(wire) = state.wires.get_mut(&number) {
            wire.push(place, record, None);
        }
        drop(state);
        self.client.meanwhile().map_err(|gone| Trouble::Fatal(gone.into()))
    }

    fn commit_offset(&mut self, next: i64) -> Result<(), Trouble> {
        self.call("adds its offset", |this, producer| {
            let Transactional { id, partition, client, .. } = this;
            client.world.state().broker.add_offset(id, producer, *partition, next)
        })
    }

    fn settle(&mut self) -> Result<Settled, Trouble> {
        let (number, _) = self.wire()?;
        let mut state = self.client.world.state();
        let wire = state.wires.get_mut(&number).filter(|wire| !wire.dead);
        let Some(wire) = wire else {
            return Err(Trouble::Indefinite("the producer is gone".into()));
        };
        match std::mem::take(&mut wire.failed) {
            true => Err(Trouble::Abortable("a record was not delivered in time".into())),
            false if wire.in_flight() > 0 => Ok(Settled::Not),
            false => Ok(Settled::All),
        }
    }

    fn commit(&mut self) -> Result<(), Trouble> {
        self.call("commits", |this, producer| {
            this.client.world.state().end_transaction(&this.id, producer, true)
        })
    }

    fn abort(&mut self) -> Result<Vec<(String, String)>, Trouble> {
        if let Ok((number, _)) = self.wire()
            && let Some(wire) = self.client.world.state().wires.get_mut(&number)
        {
            wire.purge();
        }
        self.call("aborts", |this, producer| {
            this.client.world.state().end_transaction(&this.id, producer, false)
        })
        .map(|()| Vec::new())
    }
}
