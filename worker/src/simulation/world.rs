//! The scheduler: one thing after the other, chosen by the tape.

use super::broker::{Member, Place, Topic};
use super::checker::{Checker, Promise, Violation};
use super::scenario::Scenario;
use super::state::{Commit, Process, State};
use super::tape::Tape;
use super::worker::{self, Actor};
use crate::metrics::Metrics;
use mesh::Guarantee;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Steps with faults at most.
const TROUBLED: usize = 1200;
/// Steps without faults in which everything must be processed.
const PATIENCE: usize = 8_000;
/// Steps after everything is processed, for what comes late.
const AFTER: usize = 60;
/// Threads that wait for one another at most.
const DEEPEST: usize = 8;

/// Brokers, workers, and what is between them.
pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) surroundings: Surroundings,
    state: Mutex<State>,
    threads: Mutex<Threads>,
}

/// The threads of all workers.
#[derive(Default)]
struct Threads {
    slots: BTreeMap<usize, Slot>,
    /// Slots that there have been.
    count: usize,
    /// Workers that there have been.
    workers: usize,
    /// Threads that are in a step.
    depth: usize,
}

struct Slot {
    process: usize,
    /// `None` while it is in a step.
    actor: Option<Actor>,
}

/// What may happen next.
#[derive(Clone, Debug)]
enum Move {
    Act(usize),
    Send(usize, Place),
    Answer(usize, Place),
    Commit(usize),
    Mark(String),
    Produce(usize),
    Share,
    Start,
    Thaw(usize),
    Up,
    ThrowOut(Member),
    // Those from here on are disturbances.
    Kill(usize),
    Freeze(usize),
    Stop(usize),
    Resend(usize, Place),
    Fail(usize),
    LoseCommit(usize),
    TimeOut(String),
    Down,
    Compact(Place),
}

/// What all runs share.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) metrics: Arc<Metrics>,
    pub(super) pool: Arc<ThreadPool>,
}

impl Surroundings {
    pub(super) fn new() -> Surroundings {
        let pool = ThreadPoolBuilder::new().num_threads(1).build();
        let pool = Arc::new(pool.expect("the system can start another thread"));
        Surroundings { metrics: Arc::default(), pool }
    }
}

/// How a run ended.
pub(super) struct Outcome {
    pub(super) violation: Option<Violation>,
    pub(super) tape: Tape,
    pub(super) history: Vec<String>,
    pub(super) steps: usize,
}

/// One history, from what the tape says; `told` if it is to be written down. A panic is a broken
/// promise as well.
pub(super) fn run(
    guarantee: Guarantee,
    tape: Tape,
    told: bool,
    surroundings: &Surroundings,
) -> Outcome {
    // On the thread of the pool, so that what the worker gives to the pool is done at once.
    surroundings.pool.install(|| World::make(guarantee, tape, told, surroundings).outcome())
}

impl World {
    fn make(
        guarantee: Guarantee,
        mut tape: Tape,
        told: bool,
        surroundings: &Surroundings,
    ) -> Arc<World> {
        let scenario = Scenario::drawn(guarantee, &mut tape);
        let outputs = scenario.outputs(&surroundings.pool, &surroundings.metrics);
        let state = State::new(tape, &scenario, Checker::new(outputs, scenario.isolation()), told);
        let (surroundings, state) = (surroundings.clone(), Mutex::new(state));
        Arc::new(World { scenario, surroundings, state, threads: Mutex::default() })
    }

    fn outcome(self: Arc<World>) -> Outcome {
        let passed = catch_unwind(AssertUnwindSafe(|| self.pass()));
        // The workers hold the world.
        let slots = std::mem::take(&mut self.threads().slots);
        drop(slots);
        let mut state = self.state();
        if passed.is_err() {
            state.checker.violated(Promise::NoPanic, "see above".into());
        }
        Outcome {
            violation: state.checker.violation().cloned(),
            tape: state.tape.clone(),
            history: state.history.take().unwrap_or_default(),
            steps: state.steps,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what happened, if somebody wants to know.
    pub(super) fn note(&self, what: impl FnOnce() -> String) {
        let mut state = self.state();
        let steps = state.steps;
        if let Some(history) = &mut state.history {
            history.push(format!("{steps:5} {}", what()));
        }
    }

    /// First with faults, then without, until everything is processed.
    fn pass(self: &Arc<World>) {
        let troubled = self.state().tape.below(TROUBLED);
        self.until(troubled, |_| false);
        self.calm_down();
        if !self.until(PATIENCE, World::is_processed) {
            let how = self.progress();
            self.state().checker.violated(Promise::Liveness, how);
        }
        self.until(AFTER, |_| false);
        if self.so_far().1 {
            return;
        }
        let mut state = self.state();
        let State { checker, broker, .. } = &mut *state;
        broker.end_all();
        checker.finish(broker);
    }

    /// At most so many steps; whether it was done.
    fn until(self: &Arc<World>, most: usize, done: impl Fn(&World) -> bool) -> bool {
        let last = self.state().steps + most;
        loop {
            let (steps, violated) = self.so_far();
            if steps >= last || violated {
                return false;
            }
            if done(self) {
                return true;
            }
            self.step();
        }
    }

    /// Steps so far, and whether a promise was broken.
    fn so_far(&self) -> (usize, bool) {
        let state = self.state();
        (state.steps, state.checker.violation().is_some())
    }

    fn calm_down(&self) {
        self.note(|| "the faults stop".into());
        let mut state = self.state();
        state.calm = true;
        state.broker.down = false;
        state.processes.values_mut().for_each(|p| p.frozen = false);
    }

    fn is_processed(&self) -> bool {
        let state = self.state();
        let of = |p: usize| state.checker.committed_offset(p as i32) == Some(self.scenario.end(p));
        (0..self.scenario.records.len()).all(of)
    }

    fn progress(&self) -> String {
        let state = self.state();
        let of = |p: usize| {
            let (committed, end) = (state.checker.committed_offset(p as i32), self.scenario.end(p));
            format!("partition {p} is committed up to {committed:?} of {end}")
        };
        (0..self.scenario.records.len()).map(of).collect::<Vec<_>>().join(", ")
    }

    /// Does one thing.
    fn step(self: &Arc<World>) {
        let chosen = self.choose();
        self.state().steps += 1;
        match chosen {
            Some(Move::Act(slot)) => self.act(slot),
            Some(Move::Start) => self.start(),
            Some(other) => self.happen(other),
            None => {}
        }
        self.bury();
    }

    fn choose(&self) -> Option<Move> {
        let (threads, mut state) = (self.threads(), self.state());
        let disturbed = state.disturbed(30);
        let moves = match disturbed {
            true => disturbances(&state),
            false => self.regular(&threads, &state),
        };
        // From where the last step was, so that the calmest tape takes turns.
        let turn = state.steps;
        let State { tape, .. } = &mut *state;
        (!moves.is_empty()).then(|| moves[(turn + tape.below(moves.len())) % moves.len()].clone())
    }

    fn regular(&self, threads: &Threads, state: &State) -> Vec<Move> {
        let mut moves = Vec::new();
        let at_work = |p: &usize| state.processes.get(p).is_some_and(|p| !p.frozen);
        if threads.depth < DEEPEST {
            let ready = threads.slots.iter().filter(|(_, slot)| slot.actor.is_some());
            moves.extend(ready.filter(|(_, s)| at_work(&s.process)).map(|(&n, _)| Move::Act(n)));
        }
        let frozen = state.processes.values().filter(|p| p.frozen).count();
        if state.processes.len() - frozen < self.scenario.workers && frozen < 2 {
            moves.push(Move::Start);
        }
        moves.extend(state.processes.iter().filter(|(_, p)| p.frozen).map(|(&p, _)| Move::Thaw(p)));
        if state.broker.down {
            moves.push(Move::Up);
            return moves;
        }
        for (&number, wire) in &state.wires {
            moves.extend(wire.to_send().into_iter().map(|place| Move::Send(number, place)));
            moves.extend(wire.to_answer().into_iter().map(|place| Move::Answer(number, place)));
        }
        let senders: BTreeSet<usize> = state.commits.iter().map(|c| c.process).collect();
        moves.extend(senders.into_iter().map(Move::Commit));
        moves.extend(state.broker.ending_transactions().into_iter().map(Move::Mark));
        let left = |p: &usize| state.produced[*p] < self.scenario.records[*p].len();
        moves.extend((0..self.scenario.records.len()).filter(left).map(Move::Produce));
        moves.extend(state.broker.group.is_complete().then_some(Move::Share));
        moves.extend(state.ghosts().into_iter().map(Move::ThrowOut));
        moves
    }

    fn act(self: &Arc<World>, number: usize) {
        let (process, mut actor) = {
            let mut threads = self.threads();
            let Some(slot) = threads.slots.get_mut(&number) else { return };
            let Some(actor) = slot.actor.take() else { return };
            let process = slot.process;
            threads.depth += 1;
            (process, actor)
        };
        let goes_on = actor.step(self);
        let goes_on = goes_on && self.state().processes.contains_key(&process);
        let mut threads = self.threads();
        threads.depth -= 1;
        match threads.slots.get_mut(&number).filter(|_| goes_on) {
            Some(slot) => slot.actor = Some(actor),
            None => {
                threads.slots.remove(&number);
                drop(threads);
                drop(actor);
            }
        }
    }

    fn start(self: &Arc<World>) {
        let process = {
            let mut threads = self.threads();
            threads.workers += 1;
            threads.workers
        };
        self.note(|| format!("worker {process} starts"));
        let mut state = self.state();
        let producer = state.broker.producer();
        let wire = state.plug_in(process, producer, None);
        state.processes.insert(process, Process { wire, ..Process::default() });
        drop(state);
        worker::start(self, process).into_iter().for_each(|actor| self.add(process, actor));
    }

    /// Another thread of a worker.
    pub(super) fn add(&self, process: usize, actor: Actor) {
        let mut threads = self.threads();
        threads.count += 1;
        let number = threads.count;
        threads.slots.insert(number, Slot { process, actor: Some(actor) });
    }

    /// What happens without a thread of a worker.
    fn happen(&self, what: Move) {
        self.note(|| format!("{what:?}"));
        let mut state = self.state();
        let state = &mut *state;
        match what {
            Move::Act(_) | Move::Start => {}
            Move::Send(process, place) => {
                let most = 1 + state.tape.below(4);
                let State { wires, broker, checker, .. } = state;
                if let Some(wire) = wires.get_mut(&process) {
                    wire.send(place, most, broker, checker);
                }
                wires.retain(|_, wire| !wire.is_over());
            }
            Move::Answer(process, place) => {
                let most = 1 + state.tape.below(4);
                let State { wires, checker, .. } = state;
                if let Some(wire) = wires.get_mut(&process) {
                    wire.answer(place, most, checker);
                }
            }
            Move::Commit(process) => {
                let arrives = state.arrives();
                state.commit(process, arrives);
            }
            Move::Mark(id) => state.broker.mark(&id),
            Move::TimeOut(id) => state.broker.give_up(&id),
            Move::Produce(partition) => self.produce(partition, state),
            Move::Share => state.broker.group.complete(self.scenario.partitions, &mut state.tape),
            Move::Thaw(process) => set(state, process, |p| p.frozen = false),
            Move::Up => state.broker.down = false,
            Move::ThrowOut(member) => state.broker.group.remove(member),
            Move::Kill(process) => state.kill(process),
            Move::Freeze(process) => set(state, process, |p| p.frozen = true),
            Move::Stop(process) => set(state, process, |p| p.stopping = true),
            Move::Resend(process, place) => {
                if let Some(wire) = state.wires.get_mut(&process) {
                    wire.resend(place);
                }
            }
            Move::Fail(process) => {
                if let Some(wire) = state.wires.get_mut(&process) {
                    wire.fail();
                }
            }
            Move::LoseCommit(process) => {
                state.commit(process, false);
            }
            Move::Down => state.broker.down = true,
            Move::Compact(place) => {
                let end = state.broker.log(place).end();
                let upto = state.tape.below(end as usize + 1) as i64;
                let deletions = state.tape.chance(500);
                state.broker.log_mut(place).compact(upto, deletions);
            }
        }
    }

    fn produce(&self, partition: usize, state: &mut State) {
        let rest = &self.scenario.records[partition][state.produced[partition]..];
        let count = (1 + state.tape.below(12)).min(rest.len());
        let place = Place { topic: Topic::Input, partition: partition as i32 };
        let log = state.broker.log_mut(place);
        for (gap, record) in &rest[..count] {
            log.skip(*gap);
            log.put(record.clone());
        }
        state.produced[partition] += count;
    }

    /// Drops the threads of dead workers that are not in a step.
    fn bury(&self) {
        let (mut threads, state) = (self.threads(), self.state());
        let dead =
            |slot: &Slot| slot.actor.is_some() && !state.processes.contains_key(&slot.process);
        let (gone, kept) =
            std::mem::take(&mut threads.slots).into_iter().partition(|(_, s)| dead(s));
        threads.slots = kept;
        drop((threads, state));
        drop::<BTreeMap<usize, Slot>>(gone);
    }
}

impl World {
    /// One thing happens, other than by the thread that asks; whether its worker lives.
    pub(super) fn let_others(self: &Arc<World>, process: usize) -> bool {
        let (steps, violated) = self.so_far();
        if steps > 2 * PATIENCE || violated {
            return false;
        }
        self.step();
        self.state().processes.contains_key(&process)
    }

    /// Others may go on for a while, and the worker may die; whether it lives.
    pub(super) fn meanwhile(self: &Arc<World>, process: usize) -> bool {
        loop {
            let mut state = self.state();
            let Some(frozen) = state.processes.get(&process).map(|p| p.frozen) else {
                return false;
            };
            if !frozen && !state.tape.chance(300) {
                break;
            }
            drop(state);
            if !self.let_others(process) {
                return false;
            }
        }
        if self.trouble(2) {
            self.note(|| format!("worker {process} is killed in the middle"));
            self.state().kill(process);
            return false;
        }
        true
    }

    /// As `State::disturbed`.
    pub(super) fn trouble(&self, per_mille: usize) -> bool {
        self.state().disturbed(per_mille)
    }

    pub(super) fn is_stopping(&self, process: usize) -> bool {
        self.state().processes.get(&process).is_some_and(|p| p.stopping)
    }

    /// A worker enters the group.
    pub(super) fn enter(&self, process: usize) -> Member {
        let mut state = self.state();
        let member = state.broker.group.enter();
        set(&mut state, process, |p| p.member = Some(member));
        member
    }

    /// A worker has noticed that it is no member any more.
    pub(super) fn left(&self, process: usize) {
        set(&mut self.state(), process, |p| p.member = None);
    }

    /// A worker ends.
    pub(super) fn exit(&self, process: usize) {
        let mut state = self.state();
        let member = state.processes.get(&process).and_then(|p| p.member);
        if let Some(member) = member {
            state.broker.group.remove(member);
        }
        state.kill(process);
    }

    /// Offsets are sent to the coordinator, behind those that were sent before.
    pub(super) fn commit(&self, process: usize, commit: Commit) {
        self.note(|| format!("worker {process} sends {:?}", commit.offsets));
        let mut state = self.state();
        if state.processes.contains_key(&process) {
            state.commits.push(commit);
        }
    }

    /// Offsets are committed before anything else goes on, unless the brokers are down.
    pub(super) fn commit_now(&self, process: usize, commit: Commit) {
        self.commit(process, commit);
        let mut state = self.state();
        if state.broker.down || state.disturbed(50) {
            return;
        }
        let waiting = state.commits.iter().filter(|c| c.process == process).count();
        (0..waiting).for_each(|_| state.commit(process, true));
    }

    /// A worker takes a partition up by reading from an offset on.
    pub(super) fn resumed(&self, process: usize, partition: i32, from: i64) {
        let mut state = self.state();
        let next = state.found.remove(&(process, partition)).unwrap_or(0);
        let needed = self.scenario.needed(partition as usize, next);
        state.checker.resumed(partition, from, needed);
    }
}

fn set(state: &mut State, process: usize, change: impl FnOnce(&mut Process)) {
    if let Some(process) = state.processes.get_mut(&process) {
        change(process);
    }
}

/// The faults that are possible now.
fn disturbances(state: &State) -> Vec<Move> {
    let mut moves = vec![Move::Down];
    for (&process, of) in &state.processes {
        moves.extend([Move::Kill(process), Move::Freeze(process)]);
        moves.extend((!of.stopping).then_some(Move::Stop(process)));
        moves.extend(of.member.map(Move::ThrowOut));
    }
    for (&number, wire) in &state.wires {
        moves.extend(wire.to_answer().into_iter().map(|place| Move::Resend(number, place)));
        moves.extend((wire.in_flight() > 0 && !wire.dead).then_some(Move::Fail(number)));
    }
    moves.extend(state.commits.iter().map(|commit| Move::LoseCommit(commit.process)));
    moves.extend(state.broker.open_transactions().into_iter().map(Move::TimeOut));
    moves.extend(state.checkpoints().into_iter().map(Move::Compact));
    moves
}
