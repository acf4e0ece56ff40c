//! One worker: the real ownership rules, threads and delivery, a step at a time.

use super::broker::{Beat, Isolation, Member, Place, Topic};
use super::client::Client;
use super::scenario::{GROUP, INPUT, consumed};
use super::state::Commit;
use super::transactional::Transactional;
use super::world::World;
use crate::batching::Batching;
use crate::compute::{Held, Task, Thread, remember};
use crate::gate::Gate;
use crate::ownership::Ownership;
use crate::queue::bounded;
use crossbeam_channel::{Receiver, TryRecvError, unbounded};
use mesh::breaker::Limits;
use mesh::delivery::{Course, Lane, Open, Pace};
use mesh::{Delivery, Guarantee, Owner};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A thread of a worker.
pub(super) enum Actor {
    Polls(Box<Poller>),
    Computes(Box<Computer>),
    Delivers(Box<Course>),
    Transacts(Box<Lane>),
}

/// The thread that polls, with its membership.
pub(super) struct Poller {
    process: usize,
    ownership: Arc<Ownership>,
    member: Option<Member>,
    generation: u32,
    /// The partitions that are owned, and the next offset to be read of each.
    owned: BTreeMap<i32, i64>,
    leaving: Option<Leaving>,
    /// Where the lanes of new leases come from, when there are any.
    lanes: Option<Receiver<Lane>>,
    /// Partitions that are owned, and for which another has turned out to deliver.
    estranged: BTreeSet<i32>,
    polls: usize,
}

/// Partitions that are given up while what is in hand is finished.
struct Leaving {
    partitions: Vec<i32>,
    finished: Receiver<i32>,
    count: usize,
}

/// A thread that computes.
pub(super) struct Computer {
    thread: Thread,
    held: BTreeMap<i32, Held>,
}

/// Makes the threads of a worker.
pub(super) fn start(world: &Arc<World>, process: usize) -> Vec<Actor> {
    let client = Client { world: world.clone(), process };
    let (metrics, scenario) = (world.surroundings.metrics.clone(), &world.scenario);
    let (mut actors, mut threads) = (Vec::new(), Vec::new());
    let (delivery, lanes) = match scenario.guarantee {
        Guarantee::AtLeastOnce => {
            let log = Arc::new(client.clone());
            let (delivery, course) = Delivery::over(log, GROUP, INPUT, metrics.clone());
            actors.push(Actor::Delivers(Box::new(course)));
            (delivery, None)
        }
        Guarantee::ExactlyOnce => {
            let client = client.clone();
            let open: Box<Open> =
                Box::new(move |p| Box::new(Transactional::new(client.clone(), p)));
            let (delivery, lanes) = Delivery::by_transactions(open, GROUP, INPUT, metrics.clone());
            (delivery, Some(lanes))
        }
    };
    let batching = Arc::new(Batching::new(Duration::from_millis(10), metrics.clone()));
    for index in 0..scenario.threads {
        let (inlet, outlet) = bounded(1 << 20);
        threads.push(inlet);
        let thread = Thread {
            index,
            outlet,
            pool: world.surroundings.pool.clone(),
            metrics: metrics.clone(),
            busy: metrics.thread(index),
            unread: unbounded().0,
            checkpoint: Duration::ZERO,
            scales: Vec::new(),
            batching: batching.clone(),
        };
        actors.push(Actor::Computes(Box::new(Computer { thread, held: BTreeMap::new() })));
    }
    let ownership = Ownership {
        blueprint: scenario.blueprint.clone(),
        partitions: scenario.partitions,
        policy: scenario.policy,
        past: Mutex::new(Box::new(client)),
        drain: Duration::ZERO,
        delivery: Arc::new(delivery),
        threads,
        gate: Gate::new(Limits::default(), metrics.clone()),
        batching,
        metrics,
        holds: Mutex::default(),
        commits: Mutex::default(),
    };
    let poller = Poller {
        process,
        ownership: Arc::new(ownership),
        member: None,
        generation: 0,
        owned: BTreeMap::new(),
        leaving: None,
        lanes,
        estranged: BTreeSet::new(),
        polls: 0,
    };
    actors.push(Actor::Polls(Box::new(poller)));
    actors
}

impl Actor {
    /// Does the next thing that its thread would do; `false` when it ends.
    pub(super) fn step(&mut self, world: &Arc<World>) -> bool {
        match self {
            Actor::Polls(poller) => poller.step(world),
            Actor::Computes(computer) => computer.step(world),
            Actor::Delivers(course) => course.step(),
            Actor::Transacts(lane) => {
                let now = Duration::from_millis(world.state().steps as u64);
                return lane.step(now) != Pace::Over;
            }
        }
        true
    }
}

impl Computer {
    fn step(&mut self, world: &Arc<World>) {
        let Computer { thread, held } = self;
        if world.state().tape.chance(100) {
            world.note(|| format!("checkpoints of {:?} are due", held.keys()));
            return held.values_mut().for_each(remember);
        }
        let perform = |task: Task| thread.perform(task, held);
        // Nothing to do, or nobody who could say so: both are for the others to change.
        let _ = thread.outlet.work(Duration::ZERO, perform);
    }
}

impl Poller {
    fn step(&mut self, world: &Arc<World>) {
        if self.has_failed(world) {
            return self.fail(world, "delivery failed");
        }
        if self.leaving.is_some() {
            return self.go_on_leaving(world);
        }
        if world.state().broker.down {
            return;
        }
        if world.is_stopping(self.process) {
            return self.leave(world, self.owned.keys().copied().collect());
        }
        let Some(member) = self.member else {
            self.member = Some(world.enter(self.process));
            return;
        };
        let beat = world.state().broker.group.beat(member);
        match beat {
            Beat::Unknown => self.lose(world),
            Beat::Join => self.join(world),
            Beat::Sync => self.sync(world, member),
            Beat::Fine => {
                self.reclaim(world);
                self.polls += 1;
                let commits = self.turn(world, 4) == 0;
                match commits {
                    true => self.commit(world),
                    false => self.fetch(world),
                }
            }
        }
    }

    fn has_failed(&self, world: &Arc<World>) -> bool {
        let failure = self.ownership.delivery.failure();
        if let Some(error) = &failure {
            world.note(|| format!("worker {}: {error}", self.process));
        }
        failure.is_some() || world.state().has_failed(self.process)
    }

    /// The source stops: the partitions are given up without a commit, and the worker ends.
    fn fail(&mut self, world: &Arc<World>, why: &str) {
        world.note(|| format!("worker {} ends: {why}", self.process));
        self.ownership.lose(&self.partitions());
        world.exit(self.process);
    }

    fn partitions(&self) -> Vec<i32> {
        self.owned.keys().copied().collect()
    }

    /// It was thrown out of the group.
    fn lose(&mut self, world: &Arc<World>) {
        world.note(|| format!("worker {} lost {:?}", self.process, self.partitions()));
        self.ownership.lose(&self.partitions());
        self.owned.clear();
        self.member = None;
        world.left(self.process);
    }

    fn join(&mut self, world: &Arc<World>) {
        let owned: BTreeSet<i32> = self.owned.keys().copied().collect();
        if let Some(member) = self.member {
            // Refused, it hears so at the next beat.
            let _ = world.state().broker.group.join(member, &owned);
        }
    }

    fn sync(&mut self, world: &Arc<World>, member: Member) {
        let (generation, assigned) = world.state().broker.group.sync(member);
        self.generation = generation;
        let gone = self.owned.keys().copied().filter(|p| !assigned.contains(p)).collect::<Vec<_>>();
        if !gone.is_empty() {
            return self.leave(world, gone);
        }
        let new: Vec<i32> = assigned.into_iter().filter(|p| !self.owned.contains_key(p)).collect();
        if !new.is_empty() {
            self.assign(world, &new);
        }
    }

    fn assign(&mut self, world: &Arc<World>, partitions: &[i32]) {
        match self.ownership.assign(partitions) {
            Ok(starts) => {
                world.note(|| format!("worker {} owns {starts:?}", self.process));
                for (&partition, &from) in &starts {
                    world.resumed(self.process, partition, from);
                }
                self.owned.extend(starts);
                for lane in self.lanes.iter().flat_map(|lanes| lanes.try_iter()) {
                    world.add(self.process, Actor::Transacts(Box::new(lane)));
                }
            }
            Err(error) => {
                self.owned.extend(partitions.iter().map(|&p| (p, 0)));
                self.fail(world, &error.to_string());
            }
        }
    }

    /// Takes partitions up anew that another delivered for, if the group goes on to say that they
    /// are ours.
    fn reclaim(&mut self, world: &Arc<World>) {
        self.estranged.extend(self.ownership.estranged());
        self.estranged.retain(|partition| self.owned.contains_key(partition));
        if !self.estranged.is_empty() && world.state().tape.below(4) == 0 {
            let certain: Vec<i32> = std::mem::take(&mut self.estranged).into_iter().collect();
            world.note(|| format!("worker {} takes {certain:?} up anew", self.process));
            self.ownership.lose(&certain);
            self.assign(world, &certain);
        }
    }

    fn leave(&mut self, world: &Arc<World>, partitions: Vec<i32>) {
        world.note(|| format!("worker {} gives {partitions:?} up", self.process));
        let finished = self.ownership.wind_up(&partitions);
        self.leaving = Some(Leaving { partitions, finished, count: 0 });
    }

    /// Waits for what is in hand, or no longer; then commits, and tells the group.
    fn go_on_leaving(&mut self, world: &Arc<World>) {
        let Some(leaving) = &mut self.leaving else { return };
        leaving.count += leaving.finished.try_iter().count();
        // Nobody is left who could say that they are finished.
        let in_vain = leaving.finished.try_recv() == Err(TryRecvError::Disconnected);
        let ran_out = world.trouble(100);
        if leaving.count < leaving.partitions.len() && !ran_out && !in_vain {
            return;
        }
        if ran_out {
            world.note(|| format!("worker {} waits no longer", self.process));
        }
        let Some(Leaving { partitions, .. }) = self.leaving.take() else { return };
        let released = self.ownership.give_up(&partitions);
        self.owned.retain(|p, _| !partitions.contains(p));
        if !world.meanwhile(self.process) {
            return;
        }
        if let (Some(member), false) = (self.member, released.is_empty()) {
            let commit = self.offsets(member, released);
            world.commit_now(self.process, commit);
        }
        if world.is_stopping(self.process) {
            return world.exit(self.process);
        }
        self.join(world);
    }

    fn commit(&mut self, world: &Arc<World>) {
        // It looked for failures a while ago.
        if !world.meanwhile(self.process) {
            return;
        }
        let again = self.turn(world, 4) == 0;
        let offsets = self.ownership.commits(again);
        if let (Some(member), false) = (self.member, offsets.is_empty()) {
            world.commit(self.process, self.offsets(member, offsets));
        }
    }

    /// Which of `n` things to do; the calmest tape takes turns.
    fn turn(&self, world: &World, n: usize) -> usize {
        (self.polls + world.state().tape.below(n)) % n
    }

    fn offsets(&self, member: Member, offsets: BTreeMap<i32, i64>) -> Commit {
        Commit { process: self.process, member, generation: self.generation, offsets }
    }

    /// Hands some records of a partition over.
    fn fetch(&mut self, world: &Arc<World>) {
        if self.owned.is_empty() {
            return;
        }
        let chosen = self.turn(world, self.owned.len());
        let mut state = world.state();
        let most = 1 + state.tape.below(8);
        let Some((&partition, next)) = self.owned.iter_mut().nth(chosen) else { return };
        let log = state.broker.log(Place { topic: Topic::Input, partition });
        let (found, after) = log.read(*next, most, Isolation::Committed);
        let records: Vec<_> = found.into_iter().map(|(o, record)| consumed(o, record)).collect();
        // An interrupted client may give a record twice.
        let again = records.len() as i64;
        *next = after;
        if state.disturbed(20) {
            *next -= again.min(3);
        }
        drop(state);
        if !records.is_empty() {
            world.note(|| {
                let (first, count) = (records[0].offset, records.len());
                format!("worker {} takes {count} of {partition} from {first}", self.process)
            });
            let first = records[0].offset;
            if self.ownership.take(partition, records, Duration::ZERO).is_err() {
                self.owned.insert(partition, first);
            }
        }
    }
}
