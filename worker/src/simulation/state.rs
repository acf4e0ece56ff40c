//! What the scheduler and the workers share.

use super::broker::{Broker, Fenced, Member, Place, Producer, Record, Topic};
use super::checker::Checker;
use super::scenario::Scenario;
use super::tape::Tape;
use super::wire::Wire;
use mesh::Target;
use std::collections::BTreeMap;

/// Offsets on their way to the coordinator of the group.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) process: usize,
    pub(super) member: Member,
    pub(super) generation: u32,
    pub(super) offsets: BTreeMap<i32, i64>,
}

/// A worker, as the machine sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Process {
    /// The wire of the producer that is for all partitions.
    pub(super) wire: usize,
    /// It does nothing at the moment, and does not know.
    pub(super) frozen: bool,
    /// It was asked to end.
    pub(super) stopping: bool,
    /// Its place in the group.
    pub(super) member: Option<Member>,
}

/// Everything that is not in a worker.
pub(super) struct State {
    pub(super) tape: Tape,
    pub(super) broker: Broker,
    pub(super) checker: Checker,
    /// The workers that live.
    pub(super) processes: BTreeMap<usize, Process>,
    /// Between producers and brokers, by number.
    pub(super) wires: BTreeMap<usize, Wire>,
    plugged: usize,
    /// What workers sent to the coordinator of the group, in order for each.
    pub(super) commits: Vec<Commit>,
    /// The next offset of the checkpoint that a worker found of a partition.
    pub(super) found: BTreeMap<(usize, i32), i64>,
    /// The offsets that were committed of a partition whenever a worker took it up.
    pub(super) known: BTreeMap<(usize, i32), Vec<i64>>,
    /// Commits that were lost after the other faults had stopped.
    pub(super) losses: usize,
    /// How many records of each partition are produced.
    pub(super) produced: Vec<usize>,
    /// Whether faults have stopped.
    pub(super) calm: bool,
    pub(super) steps: usize,
    trouble: usize,
    room: usize,
    /// What happened, when somebody wants to know.
    pub(super) history: Option<Vec<String>>,
}

impl State {
    pub(super) fn new(tape: Tape, scenario: &Scenario, checker: Checker, told: bool) -> State {
        State {
            tape,
            broker: Broker::default(),
            checker,
            processes: BTreeMap::new(),
            wires: BTreeMap::new(),
            plugged: 0,
            commits: Vec::new(),
            found: BTreeMap::new(),
            known: BTreeMap::new(),
            losses: 0,
            produced: vec![0; scenario.records.len()],
            calm: false,
            steps: 0,
            trouble: scenario.trouble,
            room: scenario.room,
            history: told.then(Vec::new),
        }
    }

    /// Whether a fault happens now: so many times in a thousand where there is middling trouble,
    /// and never once the faults have stopped.
    pub(super) fn disturbed(&mut self, per_mille: usize) -> bool {
        !self.calm && self.tape.chance((per_mille * self.trouble).div_ceil(30))
    }

    /// Makes a wire for a producer; gives its number.
    pub(super) fn plug_in(
        &mut self,
        process: usize,
        producer: Producer,
        transactional: Option<String>,
    ) -> usize {
        self.plugged += 1;
        self.wires.insert(self.plugged, Wire::new(process, producer, transactional));
        self.plugged
    }

    /// The wire of a living worker's producer that is for all partitions.
    pub(super) fn wire(&mut self, process: usize) -> Option<&mut Wire> {
        self.wires.get_mut(&self.processes.get(&process)?.wire)
    }

    /// Whether the producer of a worker has no room.
    pub(super) fn is_full(&mut self, process: usize) -> bool {
        let room = self.room;
        self.wire(process).is_some_and(|wire| !wire.failed && wire.in_flight() >= room)
    }

    pub(super) fn has_failed(&mut self, process: usize) -> bool {
        self.wire(process).is_none_or(|wire| wire.failed)
    }

    /// The next offsets that a worker sent reach the coordinator, or do not.
    pub(super) fn commit(&mut self, process: usize, arrives: bool) {
        let Some(next) = self.commits.iter().position(|c| c.process == process) else { return };
        let Commit { member, generation, offsets, .. } = self.commits.remove(next);
        if arrives && self.broker.group.commit(member, generation, &offsets).is_ok() {
            self.commit_checked(&offsets);
            return;
        }
        if let Some(history) = &mut self.history {
            history.push("      it is not taken".into());
        }
    }

    fn commit_checked(&mut self, offsets: &BTreeMap<i32, i64>) {
        for (&partition, &offset) in offsets {
            let end = self.broker.log(Place { topic: Topic::Input, partition }).end();
            self.checker.committed(partition, offset, end);
        }
    }

    /// Decides a transaction.
    pub(super) fn end_transaction(
        &mut self,
        id: &str,
        by: Producer,
        commit: bool,
    ) -> Result<(), Fenced> {
        let decided = self.broker.end_transaction(id, by, commit)?;
        if commit {
            for (place, record) in &decided.records {
                self.checker.decided(*place, record);
            }
            self.commit_checked(&decided.offsets);
        }
        Ok(())
    }

    /// A worker hands an output to its producer. What a lease before hands over late may come
    /// again, and cannot be told from what the last one does.
    pub(super) fn put_out(&mut self, process: usize, place: Place, record: &Record) {
        let known = self.known.get(&(process, place.partition)).map(Vec::as_slice);
        if let (false, Some(&[committed])) = (is_checkpoint(place), known) {
            self.checker.put_out(record, committed);
        }
    }

    /// Whether offsets arrive: some are lost even after the other faults have stopped.
    pub(super) fn arrives(&mut self) -> bool {
        let lost = self.calm && self.losses < 10 && self.tape.chance(200);
        self.losses += usize::from(lost);
        !lost
    }

    /// Kills a worker; of what it was sending, some may arrive.
    pub(super) fn kill(&mut self, process: usize) {
        if self.processes.remove(&process).is_none() {
            return;
        }
        let State { tape, wires, commits, .. } = self;
        for wire in wires.values_mut().filter(|wire| wire.process == process && !wire.dead) {
            wire.die(tape.below(4));
        }
        let mut arriving = tape.below(2);
        commits.retain(|commit| {
            let of_it = commit.process == process;
            let arrives = !of_it || arriving > 0;
            arriving -= usize::from(of_it && arrives);
            arrives
        });
    }

    /// Members of the group that no living worker is.
    pub(super) fn ghosts(&self) -> Vec<Member> {
        let living = |m: &Member| self.processes.values().any(|p| p.member == Some(*m));
        self.broker.group.members().into_iter().filter(|m| !living(m)).collect()
    }

    /// The partitions of the checkpoint topic.
    pub(super) fn checkpoints(&self) -> Vec<Place> {
        let places = self.broker.places();
        places.filter(|&place| is_checkpoint(place)).collect()
    }
}

fn is_checkpoint(place: Place) -> bool {
    place.topic == Topic::To(Target::Checkpoints)
}
