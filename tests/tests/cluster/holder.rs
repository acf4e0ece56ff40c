//! A process of its own that holds what a test then finds orphaned.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const HOLDS: &str = "holds ";

/// Runs an ignored test in a process of its own until that [holds](hold) something; gives the
/// process, and what it said.
pub(crate) fn start(test: &str) -> (Child, String) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.find_map(|line| line.strip_prefix(HOLDS).map(str::to_owned));
    let said = said.unwrap_or_else(|| panic!("{test} has ended"));
    (process, said)
}

/// Says where something is that is held, and waits to be killed.
pub(crate) fn hold(kubeconfig: &Path) {
    println!("\n{HOLDS}{}", kubeconfig.display());
    std::thread::sleep(Duration::from_secs(120));
}
