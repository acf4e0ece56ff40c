//! Where cases are played, many at a time, and what comes of each scenario when nothing goes wrong.

use super::pods::Pods;
use super::scenario::{SCENARIOS, Scenario};
use super::stage::Stage;
use super::state::Object;
use crate::operator::rights;
use crate::resources::plane;
use anyhow::Result;
use harness::cluster::ControlPlane;
use harness::operator::Operator;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use std::{env, thread};

/// The variable with a part of the names of the cases that are to be played; all without it.
const CASES: &str = "STDA_FAULTS";
/// Cases that are played at the same time: most of the time they wait.
const AT_A_TIME: usize = 12;
/// For how long nothing is written by an operator that has nothing to do.
const QUIET: Duration = Duration::from_millis(1500);

/// A scenario without faults.
pub(super) struct Undisturbed {
    pub(super) scenario: &'static Scenario,
    /// Writes of the operator from the moment it begins.
    pub(super) writes: usize,
    /// What there is in the end.
    pub(super) objects: BTreeMap<String, Object>,
}

/// Where the cases are played.
pub(super) struct Theatre {
    pub(super) plane: ControlPlane,
    pub(super) admin: PathBuf,
    pub(super) rights: PathBuf,
    _pods: Pods,
}

impl Theatre {
    pub(super) fn open() -> Theatre {
        Operator::prepare().unwrap();
        let plane = plane();
        let admin = plane.kubeconfig().to_owned();
        Theatre { rights: rights(&plane), _pods: Pods::run(&admin), admin, plane }
    }

    pub(super) fn stage(&self, name: &str) -> Result<Stage> {
        stage_of(&self.admin, &self.rights, name)
    }

    pub(super) fn undisturbed(&self) -> Vec<Undisturbed> {
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

pub(super) fn stage_of(admin: &Path, rights: &Path, name: &str) -> Result<Stage> {
    Stage::set(admin, rights, &name.replace('/', "-"))
}

/// Makes what there is before; gives how many writes that took.
pub(super) fn begin(stage: &Stage, scenario: &Scenario) -> Result<usize> {
    (scenario.before)(stage)?;
    stage.settle(Duration::from_millis(600))?;
    Ok(stage.detour.writes())
}

/// Plays cases, many at a time, and tells of all that fail.
pub(super) fn play<T: Send>(
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
