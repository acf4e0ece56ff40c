//! A process that a test or a benchmark starts: it does not outlive it, what it prints is kept,
//! and the time that it computes is known.

use crate::guard::{self, guarded};
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running process; it is killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    // Removed after it.
    folder: Option<TempDir>,
}

impl Process {
    /// Starts a program; `name` is what errors call it, and `folder` is removed after it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        name: &str,
        folder: TempDir,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Process> {
        let log = folder.path().join("log");
        let mut process = Process::with_log(name, log, program, arguments)?;
        process.folder = Some(folder);
        Ok(process)
    }

    /// Starts a program that appends to a log, which is there when it has ended.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn with_log<A: AsRef<OsStr>>(
        name: &str,
        log: PathBuf,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Process> {
        let output = File::options().create(true).append(true).open(&log)?;
        let child = guarded(program)
            .args(arguments)
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Process { name: name.into(), child, log, folder: None })
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        guard::kill(&mut self.child);
        Ok(())
    }

    /// Stops it in its tracks, as a machine does that swaps or migrates.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        guard::signal(&self.child, "STOP")
    }

    /// Lets it go on after it was frozen.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        guard::signal(&self.child, "CONT")
    }

    /// Ends it as an orchestrator would, with SIGTERM, and waits until it is done.
    ///
    /// # Errors
    /// When it does not end in time, or with an error.
    pub fn terminate(mut self) -> Result<()> {
        guard::signal(&self.child, "TERM")?;
        let status = self.wait(Duration::from_secs(15))?;
        if !status.success() {
            bail!("{} ended with {status}:\n{}", self.name, self.log());
        }
        Ok(())
    }

    /// Waits until it ends by itself because it cannot go on; gives what it has printed.
    ///
    /// # Errors
    /// When it does not end in time, or ends as if all were well.
    pub fn fails(mut self, time: Duration) -> Result<String> {
        match self.wait(time)?.success() {
            false => Ok(self.log()),
            true => bail!("{} ended as if all were well:\n{}", self.name, self.log()),
        }
    }

    /// Waits until it ends by itself; gives how, and what it has printed.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn ends(mut self, time: Duration) -> Result<(ExitStatus, String)> {
        Ok((self.wait(time)?, self.log()))
    }

    /// The number that the system knows it by.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it has ended; shows its log.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}:\n{}", self.name, self.log()),
        }
    }

    /// Waits until something is the case.
    ///
    /// # Errors
    /// When it is not in time, or the process ends.
    pub fn wait_until(&mut self, what: &str, time: Duration, is: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + time;
        while !is() {
            self.check()?;
            if Instant::now() > deadline {
                bail!("it is not the case within {time:?} that {what}\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Waits until it has logged a text.
    ///
    /// # Errors
    /// When it has not in time, or ends.
    pub fn wait_for(&mut self, text: &str, time: Duration) -> Result<()> {
        let log = self.log.clone();
        let logged = || fs::read_to_string(&log).is_ok_and(|log| log.contains(text));
        self.wait_until(&format!("{} logs {text:?}", self.name), time, logged)
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Bytes of memory that it has in use.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn resident_bytes(&self) -> Result<usize> {
        self.bytes("VmRSS:")
    }

    /// The most bytes of memory that it has had in use.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn peak_bytes(&self) -> Result<usize> {
        self.bytes("VmHWM:")
    }

    fn bytes(&self, field: &str) -> Result<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let line = line.with_context(|| format!("its status has no {field}"))?;
        Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
    }

    /// How long all its threads have computed, in the process and in the system for it; told in
    /// steps of 10 ms.
    ///
    /// # Errors
    /// When the system does not tell, as when it has ended.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        cpu_of(&stat).with_context(|| format!("/proc/{}/stat tells no times", self.child.id()))
    }

    /// Ends it as a crash would, and waits until it is gone.
    pub(crate) fn end(&mut self) {
        guard::kill(&mut self.child);
    }

    fn wait(&mut self, time: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("{} did not end within {time:?}:\n{}", self.name, self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        guard::kill(&mut self.child);
    }
}

/// The user and system time in the text of `/proc/<pid>/stat`: its fields 14 and 15, counted from
/// 1. The second, a name in parentheses, may itself hold blanks and parentheses.
pub fn cpu_of(stat: &str) -> Option<Duration> {
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    let rate = rustix::param::clock_ticks_per_second();
    Some(Duration::from_secs_f64(ticks as f64 / rate as f64))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_name_of_a_process_does_not_confuse_its_times() {
        let stat = "7 (a) b 9 (c) S 1 7 7 0 -1 4194304 0 0 0 0 250 50 9 9 20 0 1 0 5 6 7";
        let rate = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(cpu_of(stat).unwrap().as_secs_f64(), 300.0 / rate);
        assert_eq!(cpu_of("7 (a) S 1"), None);
    }

    #[test]
    fn a_process_that_computes_is_told_from_one_that_sleeps() {
        let start = |script: &str| {
            Process::start("sh", tempfile::tempdir().unwrap(), "sh", ["-c", script]).unwrap()
        };
        let mut busy = start("while :; do :; done");
        let idle = start("exec sleep 60");
        let worked = || busy_enough(&busy);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !worked() {
            assert!(Instant::now() < deadline, "it computes nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(idle.cpu().unwrap() < Duration::from_millis(200));
        busy.check().unwrap();
    }

    fn busy_enough(process: &Process) -> bool {
        process.cpu().unwrap() >= Duration::from_millis(300)
    }
}
