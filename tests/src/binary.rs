//! The binaries under test.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The worker's binary, built by the cargo that built this, in the profile of this.
///
/// # Errors
/// When it cannot be built.
pub fn worker() -> Result<PathBuf> {
    built("streaming-tda-worker", "streaming-tda-worker")
}

/// The operator's binary, likewise.
pub(crate) fn operator() -> Result<PathBuf> {
    built("streaming-tda-operator", "streaming-tda-operator")
}

/// The plugin of kubectl, likewise.
pub(crate) fn kubectl_stda() -> Result<PathBuf> {
    built("streaming-tda-kubectl", "kubectl-stda")
}

/// A binary of a package.
fn built(package: &'static str, binary: &str) -> Result<PathBuf> {
    static BUILT: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(package) {
        build(package)?;
        built.insert(package);
    }
    // Programs run from <target>/<profile>, tests from deps in there.
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    Ok(folder.join(binary))
}

fn build(package: &str) -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", package]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.status().context("cannot run cargo")?;
    if !built.success() {
        bail!("{package} cannot be built: cargo ended with {built}");
    }
    Ok(())
}
