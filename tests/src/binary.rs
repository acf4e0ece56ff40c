//! The binary under test.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The worker's binary, built by the cargo that built this, in the profile of this.
///
/// # Errors
/// When it cannot be built.
pub fn worker() -> Result<PathBuf> {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    if let Some(binary) = BINARY.get() {
        return Ok(binary.clone());
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "streaming-tda-worker"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.status().context("cannot run cargo")?;
    if !built.success() {
        bail!("the worker cannot be built: cargo ended with {built}");
    }
    // Programs run from <target>/<profile>, tests from deps in there.
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    Ok(BINARY.get_or_init(|| folder.join("streaming-tda-worker")).clone())
}
