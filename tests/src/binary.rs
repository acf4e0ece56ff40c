//! The binaries under test.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// How a program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Soon.
    Dev,
    /// To be fast.
    Release,
}

impl Profile {
    /// That of this program.
    pub fn own() -> Profile {
        if cfg!(debug_assertions) { Profile::Dev } else { Profile::Release }
    }

    /// The folder in the target folder.
    fn folder(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Release => "release",
        }
    }
}

/// The worker's binary, built by the cargo that built this, in the profile of this.
///
/// # Errors
/// When it cannot be built.
pub fn worker() -> Result<PathBuf> {
    built("streaming-tda-worker", Profile::own())
}

/// The operator's binary, likewise.
pub(crate) fn operator() -> Result<PathBuf> {
    built("streaming-tda-operator", Profile::own())
}

/// The plugin of kubectl, likewise.
///
/// # Errors
/// When it cannot be built.
pub fn kubectl_stda() -> Result<PathBuf> {
    built("kubectl-stda", Profile::own())
}

/// A binary of the workspace.
pub(crate) fn built(binary: &'static str, profile: Profile) -> Result<PathBuf> {
    static BUILT: Mutex<BTreeSet<(&str, Profile)>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(&(binary, profile)) {
        build(binary, profile)?;
        built.insert((binary, profile));
    }
    // Programs run from <target>/<profile>, tests from deps in there.
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    Ok(folder.with_file_name(profile.folder()).join(binary))
}

fn build(binary: &str, profile: Profile) -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    // Of the whole workspace, whose features its dependencies were compiled with already.
    cargo.args(["build", "--quiet", "--locked", "--workspace", "--bin", binary]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    let built = cargo.status().context("cannot run cargo")?;
    if !built.success() {
        bail!("{binary} cannot be built: cargo ended with {built}");
    }
    Ok(())
}
