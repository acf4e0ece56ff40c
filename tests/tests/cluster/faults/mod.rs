//! The operator among faults, on a real API server: whatever goes wrong, in the end there is what
//! there would be if nothing had, and then nothing is written.

mod fields;
mod many;
mod pods;
mod scenario;
mod stage;
mod state;
mod theatre;
mod walk;

use anyhow::{Context, Result};
use harness::cluster::detour::{Fault, Moment, Sort};
use scenario::SCENARIOS;
use stage::Stage;
use std::fmt::Display;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use theatre::{Theatre, Undisturbed, begin, play, stage_of};

/// Plays a scenario with something that goes wrong; gives for how long it did before all was well.
fn disturb(
    stage: &Stage,
    undisturbed: &Undisturbed,
    fault: impl FnOnce(&Stage) + Send,
    heal: Option<Duration>,
) -> Result<Duration> {
    stage.play(|stage| {
        begin(stage, undisturbed.scenario)?;
        fault(stage);
        let begun = Instant::now();
        thread::scope(|scope| {
            if let Some(after) = heal {
                scope.spawn(move || {
                    // On a busy machine, it may take a while until anything is asked.
                    while stage.detour.disturbed() == 0 && begun.elapsed() < 10 * after {
                        thread::sleep(Duration::from_millis(20));
                    }
                    thread::sleep(after);
                    stage.detour.set(Fault::None);
                });
            }
            (undisturbed.scenario.happens)(stage)
        })?;
        stage.become_equal(&undisturbed.objects)?;
        let took = begun.elapsed();
        stage.is_quiet().context("all had become as it should be")?;
        Ok(took)
    })
}

#[test]
fn it_may_crash_at_any_write() {
    let theatre = Theatre::open();
    let all = theatre.undisturbed();
    let mut cases = Vec::new();
    for undisturbed in &all {
        for write in 1..=undisturbed.writes {
            for moment in [Moment::Before, Moment::After] {
                let name = format!("{}/crash-{moment:?}-{write}", undisturbed.scenario.name);
                cases.push((name.to_lowercase(), (undisturbed, write, moment)));
            }
        }
    }
    let (count, begun) = (cases.len(), Instant::now());
    let missed: Mutex<Vec<String>> = Mutex::default();
    play(cases, |(name, (undisturbed, write, moment))| {
        let stage = theatre.stage(name)?;
        disturb(&stage, undisturbed, |stage| stage.detour.crash_at(write, moment), None)?;
        if stage.starts() < 2 {
            missed.lock().unwrap().push(name.to_owned());
        }
        Ok(())
    });
    let missed = missed.into_inner().unwrap();
    // How often the status is written on the way depends on what is seen of the pods.
    assert!(missed.len() <= SCENARIOS.len(), "the crash never came: {missed:?}");
    tell(&all, &format!("{count} cases in {:?}; no crash in {missed:?}", begun.elapsed()));
}

/// What goes wrong, and for how long: for as long as the case takes where nothing is said.
fn faults() -> Vec<(String, Fault, Option<Duration>)> {
    let always = |name: &str, fault| (name.to_owned(), fault, None);
    let refused = |code, of, every| Fault::Refuse { code, of, every };
    let mut faults = vec![
        // First, since it takes longest to notice.
        always("watches-swallowed", Fault::SwallowWatches),
        always("watches-cut", Fault::CutWatches(Duration::from_millis(300))),
        always("watches-late", Fault::HoldWatches(Duration::from_secs(2))),
        always("answers-lost", Fault::LoseAnswers { every: 3 }),
        ("unreachable".into(), Fault::Unreachable, Some(OUTAGE)),
        ("old-reads".into(), Fault::OldReads, Some(OUTAGE)),
    ];
    for code in [409, 429, 500, 503] {
        faults.push((format!("some-writes-{code}"), refused(code, Sort::Write, 3), None));
        faults.push((format!("everything-{code}"), refused(code, Sort::Any, 1), Some(OUTAGE)));
    }
    faults
}

/// How long an outage lasts.
const OUTAGE: Duration = Duration::from_secs(2);

#[test]
fn it_may_be_refused_cut_off_and_lied_to() {
    let theatre = Theatre::open();
    let all = theatre.undisturbed();
    let faults = faults();
    let cases = faults.iter().flat_map(|(name, fault, time)| {
        all.iter().map(move |of| (format!("{}/{name}", of.scenario.name), (of, *fault, *time)))
    });
    let begun = Instant::now();
    let took: Mutex<Vec<(Duration, String, usize)>> = Mutex::default();
    play(cases, |(name, (undisturbed, fault, time))| {
        let stage = theatre.stage(name)?;
        let time = disturb(&stage, undisturbed, |stage| stage.detour.set(fault), time)?;
        took.lock().unwrap().push((time, name.to_owned(), stage.detour.disturbed()));
        Ok(())
    });
    let mut took = took.into_inner().unwrap();
    took.sort();
    let idle: Vec<_> = took.iter().filter(|(.., met)| *met == 0).map(|(_, name, _)| name).collect();
    // Who writes as little as this may do so between two faults of writes.
    let few = all.iter().filter(|of| of.writes <= 3).map(|of| format!("{}/", of.scenario.name));
    let few: Vec<String> = few.collect();
    let quiet = |name: &&String| few.iter().any(|few| name.starts_with(few));
    assert!(idle.iter().all(quiet), "no fault in {idle:?}");
    tell(&all, &format!("{} cases in {:?}; {took:?}", took.len(), begun.elapsed()));
}

/// Milliseconds after everything has begun at which the API server is killed.
const MOMENTS: [u64; 4] = [0, 150, 300, 900];

#[test]
fn the_api_server_may_be_killed() {
    let mut theatre = Theatre::open();
    let all = theatre.undisturbed();
    let begun = Instant::now();
    for moment in MOMENTS.map(Duration::from_millis) {
        let Theatre { plane, admin, rights, .. } = &mut theatre;
        let together = Barrier::new(all.len() + 1);
        // All are set before any waits: one that cannot be set would leave the others waiting for it.
        let stages = all.iter().map(|of| {
            let name = format!("{}/killed-after-{}", of.scenario.name, moment.as_millis());
            stage_of(admin, rights, &name).map(|stage| (of, stage))
        });
        let stages = stages.collect::<Result<Vec<_>>>().unwrap();
        let case = |(of, stage): &(&Undisturbed, Stage)| {
            stage.play(|stage| {
                let ready = begin(stage, of.scenario);
                together.wait();
                ready?;
                (of.scenario.happens)(stage)?;
                stage.become_equal(&of.objects)?;
                stage.is_quiet()
            })
        };
        thread::scope(|scope| {
            let case = &case;
            let cases: Vec<_> = stages.iter().map(|one| scope.spawn(move || case(one))).collect();
            together.wait();
            thread::sleep(moment);
            plane.restart_apiserver(Duration::from_millis(500)).unwrap();
            for (case, of) in cases.into_iter().zip(&all) {
                let played = case.join().unwrap();
                played.unwrap_or_else(|e| panic!("{}, {moment:?}: {e:#}", of.scenario.name));
            }
        });
    }
    tell(&all, &format!("{} moments in {:?}", MOMENTS.len(), begun.elapsed()));
}

fn tell(all: &[Undisturbed], what: &dyn Display) {
    let writes: Vec<_> = all.iter().map(|u| (u.scenario.name, u.writes)).collect();
    println!("writes without faults: {writes:?}; {what}");
}
