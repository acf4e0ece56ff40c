//! The operator as a cluster runs it: a process that gets signals.

use crate::command::free_port;
use crate::process::Process;
use crate::{binary, worker};
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Duration;

/// A running operator; it is killed when dropped.
pub struct Operator {
    process: Process,
    port: u16,
}

impl Operator {
    /// Builds it, so that to start one takes no time.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn prepare() -> Result<()> {
        binary::operator().map(drop)
    }

    /// Starts one for the cluster of a kubeconfig, under a name that no other has.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start(kubeconfig: &Path, identity: &str) -> Result<Operator> {
        Operator::start_with(kubeconfig, identity, &[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start_with(kubeconfig: &Path, identity: &str, more: &[&str]) -> Result<Operator> {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let kubeconfig = kubeconfig.display().to_string();
        let known = ["--kubeconfig", &kubeconfig, "--identity", identity, "--listen", &listen];
        let arguments = [&known, more].concat();
        let folder = tempfile::tempdir()?;
        let process = Process::start(identity, folder, binary::operator()?, arguments)?;
        Ok(Operator { process, port })
    }

    /// Ends it as an orchestrator would, with SIGTERM, and waits until it is done.
    ///
    /// # Errors
    /// When it does not end in time, or with an error.
    pub fn terminate(self) -> Result<()> {
        self.process.terminate()
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(self) -> Result<()> {
        self.process.kill()
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it has ended; shows its log.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }

    /// The most bytes of memory that it has had in use.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn peak_bytes(&self) -> Result<usize> {
        self.process.peak_bytes()
    }

    /// Stops it in its tracks, as a machine does that swaps or migrates.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        self.process.freeze()
    }

    /// Lets it go on after it was frozen.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        self.process.thaw()
    }

    /// Waits until it ends by itself because it cannot go on; gives what it has logged.
    ///
    /// # Errors
    /// When it does not end in time, or ends as if all were well.
    pub fn fails(self, time: Duration) -> Result<String> {
        self.process.fails(time)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The sum of a metric over all of its labels.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metric(&self, name: &str) -> Result<f64> {
        let (_, metrics) = worker::get(self.port, "/metrics")
            .with_context(|| format!("the operator does not answer:\n{}", self.log()))?;
        let lines = metrics.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }
}
