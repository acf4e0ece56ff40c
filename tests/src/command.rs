use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Runs a program that the tests need; its output is shown when it fails.
pub(crate) fn run(program: &mut Command, missing: &str) -> Result<()> {
    let name = program.get_program().to_string_lossy().into_owned();
    let output = program.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {name}: {missing}"))?;
    if !output.status.success() {
        let (out, err) = (lossy(&output.stdout), lossy(&output.stderr));
        bail!("{name} failed with {}:\n{out}{err}", output.status);
    }
    Ok(())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Where things that take long to make are kept.
pub(crate) fn cache() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A port of localhost that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
