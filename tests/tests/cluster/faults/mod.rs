//! The operator among faults, on a real API server: whatever goes wrong, in the end there is what
//! there would be if nothing had, and then nothing is written.

mod fields;
mod many;
mod pods;
mod scenario;
mod stage;
mod state;
mod walk;

use crate::operator::rights;
use crate::resources::plane;
use anyhow::{Context, Result};
use harness::cluster::ControlPlane;
use harness::cluster::detour::{Fault, Moment, Sort};
use harness::operator::Operator;
use pods::Pods;
use scenario::{SCENARIOS, Scenario};
use stage::Stage;
use state::Object;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};
use std::{env, thread};

/// The variable with a part of the names of the cases that are to be played; all without it.
const CASES: &str = "STDA_FAULTS";
/// Cases that are played at the same time: most of the time they wait.
const AT_A_TIME: usize = 12;
/// For how long nothing is written by an operator that has nothing to do.
const QUIET: Duration = Duration::from_millis(1500);

/// A scenario without faults.
struct Undisturbed {
    scenario: &'static Scenario,
    /// Writes of the operator from the moment it begins.
    writes: usize,
    /// What there is in the end.
    objects: BTreeMap<String, Object>,
}

/// Where the cases are played.
struct Theatre {
    plane: ControlPlane,
    admin: PathBuf,
    rights: PathBuf,
    _pods: Pods,
}

impl Theatre {
    fn open() -> Theatre {
        Operator::prepare().unwrap();
        let plane = plane();
        let admin = plane.kubeconfig().to_owned();
        Theatre { rights: rights(&plane), _pods: Pods::run(&admin), admin, plane }
    }

    fn stage(&self, name: &str) -> Result<Stage> {
        stage_of(&self.admin, &self.rights, name)
    }

    fn undisturbed(&self) -> Vec<Undisturbed> {
        let played: Mutex<Vec<Undisturbed>> = Mutex::default();
        play(
            SCENARIOS.iter().map(|scenario| (scenario.name.to_owned(), scenario)),
            |(_, scenario)| {
                let stage = self.stage(&format!("{}-undisturbed", scenario.name))?;
                let (writes, objects) = stage.play(|stage| {
                    let before = begin(stage, scenario)?;
                    (scenario.happens)(stage)?;
                    let objects = stage.settle(QUIET)?;
                    stage.is_quiet()?;
                    Ok((stage.detour.writes() - before, objects))
                })?;
                played.lock().unwrap().push(Undisturbed { scenario, writes, objects });
                Ok(())
            },
        );
        played.into_inner().unwrap()
    }
}

fn stage_of(admin: &Path, rights: &Path, name: &str) -> Result<Stage> {
    Stage::set(admin, rights, &name.replace('/', "-"))
}

/// Makes what there is before; gives how many writes that took.
fn begin(stage: &Stage, scenario: &Scenario) -> Result<usize> {
    (scenario.before)(stage)?;
    stage.settle(Duration::from_millis(600))?;
    Ok(stage.detour.writes())
}

/// Plays cases, many at a time, and tells of all that fail.
fn play<T: Send>(
    cases: impl IntoIterator<Item = (String, T)>,
    case: impl Fn((&str, T)) -> Result<()> + Sync,
) {
    let only = env::var(CASES).unwrap_or_default();
    let chosen = |name: &str| name.contains(&only);
    let queue: VecDeque<_> = cases.into_iter().collect();
    let (queue, failures) = (Mutex::new(queue), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some((name, one)) = queue.lock().unwrap().pop_front() else { return };
                    // Without a fault there is nothing to choose.
                    if name.contains('/') && !chosen(&name) {
                        continue;
                    }
                    if let Err(error) = case((&name, one)) {
                        failures.lock().unwrap().push(format!("{name}: {error:#}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n\n"));
}

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
    // Only who writes nothing meets no fault of writes.
    assert!(idle.iter().all(|name| name.starts_with("deleted/")), "no fault in {idle:?}");
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
        let Theatre { plane, admin, rights, _pods } = &mut theatre;
        let together = Barrier::new(all.len() + 1);
        let case = |of: &Undisturbed| {
            let name = format!("{}/killed-after-{}", of.scenario.name, moment.as_millis());
            let stage = stage_of(admin, rights, &name)?;
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
            let cases: Vec<_> = all.iter().map(|of| scope.spawn(move || case(of))).collect();
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
