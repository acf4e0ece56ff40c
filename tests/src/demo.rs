//! The demo as its users start it.

use crate::binary;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

/// A running demo; it is killed when dropped.
pub struct Demo {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Address of its page.
    pub page: String,
    /// Address of its broker.
    pub broker: String,
}

impl Demo {
    /// Starts a demo with these arguments and waits until it says where its page is.
    ///
    /// # Errors
    /// When it cannot be built or started, or ends at once.
    pub fn start(arguments: &[&str]) -> Result<Demo> {
        let mut process = command(arguments)?
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("cannot start the demo")?;
        let stdout = process.stdout.take().context("the demo has no standard output")?;
        let mut demo = Demo {
            process,
            lines: BufReader::new(stdout).lines(),
            page: String::new(),
            broker: String::new(),
        };
        demo.page = demo.word_after("  page ")?;
        demo.broker = demo.word_after("  broker ")?.trim_end_matches(',').to_owned();
        Ok(demo)
    }

    /// Waits for a line with these words.
    ///
    /// # Errors
    /// When it ends without one.
    pub fn wait_for(&mut self, words: &str) -> Result<()> {
        for line in self.lines.by_ref() {
            if line?.contains(words) {
                return Ok(());
            }
        }
        bail!("the demo ended without saying {words:?}")
    }

    /// Waits until it ends; gives what it has said since.
    ///
    /// # Errors
    /// When its output cannot be read.
    pub fn wait(mut self) -> Result<(ExitStatus, String)> {
        let said: Vec<String> = self.lines.by_ref().collect::<Result<_, _>>()?;
        Ok((self.process.wait()?, said.join("\n")))
    }

    /// Asks it to end, as Ctrl-C does, and waits.
    ///
    /// # Errors
    /// When the system refuses, or its output cannot be read.
    pub fn interrupt(self) -> Result<(ExitStatus, String)> {
        let process = self.process.id().to_string();
        let told = Command::new("kill").args(["-INT", &process]).status()?;
        if !told.success() {
            bail!("kill -INT {process} failed with {told}");
        }
        self.wait()
    }

    fn word_after(&mut self, label: &str) -> Result<String> {
        for line in self.lines.by_ref() {
            if let Some(rest) = line?.strip_prefix(label) {
                return Ok(rest.trim().split(' ').next().unwrap_or_default().to_owned());
            }
        }
        bail!("the demo ended without a line {label:?}")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a demo to its end.
///
/// # Errors
/// When it cannot be built or started.
pub fn run(arguments: &[&str]) -> Result<Output> {
    command(arguments)?.output().context("cannot run the demo")
}

fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(binary::worker()?);
    command.arg("demo").args(arguments).stdin(Stdio::null());
    if !arguments.contains(&"--port") {
        command.args(["--port", "0"]);
    }
    Ok(command)
}
