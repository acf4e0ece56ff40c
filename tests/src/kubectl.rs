//! `kubectl stda`, as a user calls it.

use crate::{binary, process::Process};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// What a call has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said of errors.
    pub err: String,
}

/// Calls `kubectl stda` with these arguments, for the cluster of a kubeconfig.
///
/// # Errors
/// When it cannot be built or started, or is killed.
pub fn kubectl_stda(kubeconfig: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary::kubectl_stda()?);
    command.arg("--kubeconfig").arg(kubeconfig).args(arguments).stdin(Stdio::null());
    let output = command.output().context("cannot start kubectl-stda")?;
    Ok(Output {
        code: output.status.code().context("kubectl-stda was killed")?,
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8(output.stderr)?,
    })
}

/// Starts `kubectl stda` likewise, for as long as it takes; what it prints is its log.
///
/// # Errors
/// When it cannot be built or started.
pub fn start_kubectl_stda(kubeconfig: &Path, arguments: &[&str]) -> Result<Process> {
    let kubeconfig = kubeconfig.display().to_string();
    let arguments = [&["--kubeconfig", &kubeconfig], arguments].concat();
    Process::start("kubectl-stda", tempfile::tempdir()?, binary::kubectl_stda()?, arguments)
}
