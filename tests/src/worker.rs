//! The worker as its users run it: a process that gets signals.

use crate::binary;
use crate::guard::{self, guarded};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running worker; it is killed when dropped.
pub struct Worker {
    process: Child,
    folder: TempDir,
}

impl Worker {
    /// Starts a worker with this configuration.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start(config: &str) -> Result<Worker> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("config.yaml");
        fs::write(&file, config)?;
        let process = guarded(binary::worker()?)
            .args(["run", "--config"])
            .arg(&file)
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()
            .context("cannot start the worker")?;
        Ok(Worker { process, folder })
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        guard::kill(&mut self.process);
        Ok(())
    }

    /// Stops it in its tracks, as a machine does that swaps or migrates.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        guard::signal(&self.process, "STOP")
    }

    /// Lets it go on after it was frozen.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        guard::signal(&self.process, "CONT")
    }

    /// Bytes of memory that it has in use.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn resident_bytes(&self) -> Result<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.context("its status has no VmRSS")?.trim().trim_end_matches(" kB");
        Ok(kib.parse::<usize>()? * 1024)
    }

    /// Ends it as an orchestrator would, with SIGTERM, and waits until it is done.
    ///
    /// # Errors
    /// When it does not end in time, or with an error.
    pub fn terminate(mut self) -> Result<()> {
        guard::signal(&self.process, "TERM")?;
        let status = self.wait(Duration::from_secs(15))?;
        if !status.success() {
            bail!("the worker ended with {status}:\n{}", self.log());
        }
        Ok(())
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it has ended; shows its log.
    pub fn check(&mut self) -> Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the worker ended with {status}:\n{}", self.log()),
        }
    }

    /// Waits until something is the case.
    ///
    /// # Errors
    /// When it is not in time, or the worker ends.
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
        let log = self.folder.path().join("log");
        let logged = || fs::read_to_string(&log).is_ok_and(|log| log.contains(text));
        self.wait_until(&format!("it logs {text:?}"), time, logged)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn wait(&mut self, time: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("the worker did not end within {time:?}:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        guard::kill(&mut self.process);
    }
}

/// The status and body of the answer to a GET at a port of localhost.
///
/// # Errors
/// When nothing there speaks HTTP.
pub fn get(port: u16, path: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no body")?;
    let status = head.split(' ').nth(1).context("the answer has no status")?;
    Ok((status.parse()?, body.to_owned()))
}
