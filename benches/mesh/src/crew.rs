//! The processes that do a job together.

use crate::job::{Job, Peers, Route};
use crate::stage::Stage;
use anyhow::{Context, Result};
use harness::process::Process;
use std::time::Duration;

/// Processes that share the partitions of an input; they are killed when dropped.
pub(crate) struct Crew(Vec<Process>);

impl Crew {
    pub(crate) fn start(
        workers: usize,
        job: &Job,
        stage: &Stage,
        route: &Route,
        peers: &Peers,
    ) -> Result<Crew> {
        let start = |_| job.start(stage, route, peers);
        Ok(Crew((0..workers).map(start).collect::<Result<_>>()?))
    }

    /// Whether all still run.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.0.iter_mut().try_for_each(Process::check)
    }

    /// How long all of them have computed.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        self.0.iter().map(Process::cpu).sum()
    }

    pub(crate) fn resident_bytes(&self) -> Result<usize> {
        self.0.iter().map(Process::resident_bytes).sum()
    }

    /// What the first of them printed.
    pub(crate) fn said(&self) -> String {
        self.0.first().map(Process::log).unwrap_or_default()
    }

    /// What all of them printed.
    pub(crate) fn logs(&self) -> String {
        self.0.iter().map(Process::log).collect::<Vec<_>>().join("\n---\n")
    }

    /// Ends one as a crash would.
    pub(crate) fn kill_one(&mut self) -> Result<()> {
        self.0.pop().context("there is none to kill")?.kill()
    }
}
