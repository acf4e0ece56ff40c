//! The worker's logic on brokers in memory, with faults, as one thread that a seed schedules.
//!
//! What runs is the real thing: the ownership rules, the threads that compute, the partitions and
//! their checkpoints, delivery. What is simulated is what is around it: the brokers with their
//! logs, compaction, transactions and group; the clients; the scheduler. There is no clock: what
//! depends on time may happen at any step.
//!
//! * [`tape`]: where every choice comes from; the same tape is the same history.
//! * [`scenario`]: what a run begins with, and the outputs of an undisturbed run.
//! * [`broker`]: the brokers. [`wire`]: what is between them and a worker. [`client`]: the clients.
//! * [`worker`]: the threads of a worker, a step at a time.
//! * [`world`]: the scheduler, with the faults.
//! * [`checker`]: the promises that are watched at every step and at the end.
//! * [`shrink`]: a shorter history that breaks the same promise.

mod broker;
mod checker;
mod client;
mod scenario;
mod seeds;
mod shrink;
mod state;
mod tape;
mod transactional;
mod wire;
mod worker;
mod world;

use mesh::Guarantee;
use seeds::Seeds;
use std::time::Instant;
use tape::Tape;
use world::{Outcome, Surroundings};

/// Runs the seeds of a test, and tells of the first that breaks a promise.
fn explore(test: &str, guarantee: Guarantee) {
    let surroundings = Surroundings::new();
    let seeds = Seeds::from_environment();
    let (began, mut count, mut steps) = (Instant::now(), 0, 0);
    for seed in seeds.iter() {
        let outcome = world::run(guarantee, Tape::seeded(seed), false, &surroundings);
        if outcome.violation.is_some() {
            panic!("{}", report(test, guarantee, seed, &outcome, &surroundings));
        }
        (count, steps) = (count + 1, steps + outcome.steps);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{test}: {seeds}: {count} histories of {steps} steps in {seconds:.1} s");
}

/// What to know about a seed that breaks a promise.
fn report(
    test: &str,
    guarantee: Guarantee,
    seed: u64,
    outcome: &Outcome,
    surroundings: &Surroundings,
) -> String {
    let promise = |outcome: &Outcome| outcome.violation.as_ref().map(|v| v.promise);
    let broken = promise(outcome);
    let again = |choices: &[u32], told| {
        world::run(guarantee, Tape::replayed(choices.to_vec()), told, surroundings)
    };
    let choices = outcome.tape.taken();
    let shortest = shrink::shrink(choices, |c| promise(&again(c, false)) == broken);
    let told = again(&shortest, true);
    let describe = |o: &Outcome| o.violation.as_ref().map(ToString::to_string).unwrap_or_default();
    format!(
        "seed {seed} breaks a promise. {first}\n\
         The calmest history found that breaks it, {short} of {all} choices:\n{history}\n{last}\n\
         Again: SIMULATION_SEED={seed} cargo test -p streaming-tda-worker --lib simulation::{test}",
        first = describe(outcome),
        short = shortest.len(),
        all = choices.len(),
        history = told.history.join("\n"),
        last = describe(&told),
    )
}

#[test]
fn at_least_once() {
    explore("at_least_once", Guarantee::AtLeastOnce);
}

#[test]
fn exactly_once() {
    explore("exactly_once", Guarantee::ExactlyOnce);
}

#[test]
fn the_same_seed_is_the_same_history() {
    let surroundings = Surroundings::new();
    let both = [Guarantee::AtLeastOnce, Guarantee::ExactlyOnce];
    for (seed, guarantee) in (1..4).flat_map(|seed| both.map(|guarantee| (seed, guarantee))) {
        let first = world::run(guarantee, Tape::seeded(seed), true, &surroundings);
        let second =
            world::run(guarantee, Tape::replayed(first.tape.taken().to_vec()), true, &surroundings);
        assert!(first.history.len() > 50);
        assert_eq!(first.history, second.history, "seed {seed}");
    }
}
