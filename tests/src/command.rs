use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

/// Runs a program that the tests need; its output is shown when it fails.
pub(crate) fn run(program: &mut Command, missing: &str) -> Result<()> {
    output(program, missing).map(drop)
}

/// The same; gives what it has printed.
pub(crate) fn output(program: &mut Command, missing: &str) -> Result<String> {
    let name = program.get_program().to_string_lossy().into_owned();
    let output = program.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {name}: {missing}"))?;
    if !output.status.success() {
        let (out, err) = (lossy(&output.stdout), lossy(&output.stderr));
        bail!("{name} failed with {}:\n{out}{err}", output.status);
    }
    Ok(lossy(&output.stdout))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).into()
}

/// Where things that take long to make are kept.
pub fn cache() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A port of localhost that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A port of localhost that is free, and that no connection will be given while its server is
/// down: it is below those that systems give to connections.
pub(crate) fn stable_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() as u16;
    for _ in 0..10_000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 12_000 + first.wrapping_mul(97).wrapping_add(step) % 18_000;
        if is_free(port) {
            return Ok(port);
        }
    }
    bail!("no port between 12000 and 30000 is free")
}

/// Whether no server has this port of localhost.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
