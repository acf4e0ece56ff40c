//! A machine within this one: a process with namespaces of its own, and what it starts.

use crate::command::run;
use crate::process::Process;
use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
const NO_NSENTER: &str = "it comes with util-linux";

/// A running machine. When it is dropped, all its processes end, and with them their mounts and
/// network interfaces.
pub(super) struct Machine {
    process: Process,
    /// The first of its own processes, where it has a namespace for them.
    first: Option<u32>,
}

impl Machine {
    /// One with a network of its own.
    pub(super) fn with_network(name: &str, log: &Path) -> Result<Machine> {
        Machine::start(name, log, &["--net"], ["sleep", "infinity"])
    }

    /// One with its own network, processes and mounts, in which a first process runs.
    pub(super) fn with_all<A: AsRef<OsStr>>(
        name: &str,
        log: &Path,
        first: impl IntoIterator<Item = A>,
    ) -> Result<Machine> {
        let namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
        let mut machine = Machine::start(name, log, &namespaces, first)?;
        machine.first = Some(machine.wait_for_first()?);
        Ok(machine)
    }

    fn start<A: AsRef<OsStr>>(
        name: &str,
        log: &Path,
        namespaces: &[&str],
        first: impl IntoIterator<Item = A>,
    ) -> Result<Machine> {
        let first = first.into_iter().map(|argument| argument.as_ref().to_owned());
        let arguments = namespaces.iter().map(OsString::from).chain(first);
        let process = Process::with_log(name, log.into(), "unshare", arguments)?;
        let mut machine = Machine { process, first: None };
        machine.wait_for_network()?;
        Ok(machine)
    }

    /// The process whose namespaces for network, and for mounts where it has some, are its own.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What comes before a command to be run in its network.
    pub(super) fn enter(&self) -> [String; 2] {
        ["nsenter".into(), format!("--net=/proc/{}/ns/net", self.pid())]
    }

    /// A command that runs in its network.
    pub(super) fn command(&self, program: &str) -> Command {
        let [nsenter, net] = self.enter();
        let mut command = Command::new(nsenter);
        command.args([&net, program]);
        command
    }

    /// Runs a program in its network.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        run(self.command(program).args(arguments), NO_NSENTER)
    }

    /// Runs a program among its processes and mounts.
    pub(super) fn run_inside(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let first = self.first.context("the machine has no processes of its own")?.to_string();
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &first, "--mount", "--net", "--pid", program]).args(arguments);
        run(&mut nsenter, NO_NSENTER)
    }

    /// Whether it still runs.
    pub(super) fn check(&mut self) -> Result<()> {
        self.process.check()
    }

    fn wait_for_first(&mut self) -> Result<u32> {
        let ours = fs::read_link("/proc/self/ns/pid")?;
        let pid = self.pid();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
            let mut children = children.split_whitespace().filter_map(|child| child.parse().ok());
            // One watches over it from outside.
            let inside = |child: &u32| {
                let theirs = fs::read_link(format!("/proc/{child}/ns/pid"));
                theirs.is_ok_and(|theirs| theirs != ours)
            };
            if let Some(first) = children.find(inside) {
                return Ok(first);
            }
            self.check()?;
            if Instant::now() > deadline {
                bail!("a machine got no process within {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_for_network(&mut self) -> Result<()> {
        let ours = fs::read_link("/proc/self/ns/net")?;
        let theirs = format!("/proc/{}/ns/net", self.pid());
        let deadline = Instant::now() + PATIENCE;
        // Before it has its own, the process is still a shell in ours.
        while fs::read_link(&theirs).is_ok_and(|theirs| theirs == ours) {
            self.check().context("it needs root, and namespaces must be allowed")?;
            if Instant::now() > deadline {
                bail!("a machine got no network within {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.check().context("it needs root, and namespaces must be allowed")
    }
}

impl Drop for Machine {
    /// The kernel ends the others before the first is gone.
    fn drop(&mut self) {
        self.process.end();
        let Some(first) = self.first else { return };
        let deadline = Instant::now() + PATIENCE;
        while lives(first) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Not when it only waits for its parent to ask how it ended.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, after)| !after.trim_start().starts_with('Z'))
}
