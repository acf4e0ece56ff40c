//! The worker as its users run it: a process that gets signals.

use crate::binary;
use crate::process::Process;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A running worker; it is killed when dropped.
pub struct Worker {
    process: Process,
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
        let arguments = ["run".as_ref(), "--config".as_ref(), file.as_os_str()];
        let process = Process::start("the worker", folder, binary::worker()?, arguments)?;
        Ok(Worker { process })
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(self) -> Result<()> {
        self.process.kill()
    }

    /// Stops it in its tracks, as a machine does that swaps or migrates.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        self.process.freeze()
    }

    /// Lets it go on after it was frozen.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        self.process.thaw()
    }

    /// The time that it has kept cores busy since its start.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn cpu_time(&self) -> Result<Duration> {
        self.process.cpu()
    }

    /// Ends it as an orchestrator would, with SIGTERM, and waits until it is done.
    ///
    /// # Errors
    /// When it does not end in time, or with an error.
    pub fn terminate(self) -> Result<()> {
        self.process.terminate()
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it has ended; shows its log.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }

    /// Waits until it ends by itself because it cannot go on; gives what it has logged.
    ///
    /// # Errors
    /// When it does not end in time, or ends as if all were well.
    pub fn fails(self, time: Duration) -> Result<String> {
        self.process.fails(time)
    }

    /// Waits until something is the case.
    ///
    /// # Errors
    /// When it is not in time, or the worker ends.
    pub fn wait_until(&mut self, what: &str, time: Duration, is: impl Fn() -> bool) -> Result<()> {
        self.process.wait_until(what, time, is)
    }

    /// Waits until it has logged a text.
    ///
    /// # Errors
    /// When it has not in time, or ends.
    pub fn wait_for(&mut self, text: &str, time: Duration) -> Result<()> {
        self.process.wait_for(text, time)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Bytes of memory that it has in use.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn resident_bytes(&self) -> Result<usize> {
        self.process.resident_bytes()
    }

    /// The process, to be measured among others.
    pub fn into_process(self) -> Process {
        self.process
    }
}

/// Runs another command of the worker with this configuration; gives what it writes to standard
/// output.
///
/// # Errors
/// When it ends with an error; says which.
pub fn command(config: &str, name: &[&str], arguments: &[&str]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("config.yaml");
    fs::write(&file, config)?;
    let mut command = std::process::Command::new(binary::worker()?);
    let output = command.args(name).arg("--config").arg(&file).args(arguments).output()?;
    if !output.status.success() {
        bail!("{name:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
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
