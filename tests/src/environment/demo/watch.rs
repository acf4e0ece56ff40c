//! What others say, line by line, beside their names.

use anyhow::{Context, Result};
use harness::guard::{guarded, kill};
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::process::{Child, Command, Stdio};
use std::thread;

/// A command whose lines are shown until it ends, or this is dropped.
pub(super) struct Watch {
    process: Child,
}

impl Watch {
    pub(super) fn start(name: &'static str, like: Command, arguments: &[&str]) -> Result<Watch> {
        let mut command = guarded(like.get_program());
        for (name, value) in like.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let mut process = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", like.get_program().display()))?;
        show(name, process.stdout.take());
        show(name, process.stderr.take());
        Ok(Watch { process })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        kill(&mut self.process);
    }
}

fn show(name: &'static str, lines: Option<impl Read + Send + 'static>) {
    let Some(lines) = lines else { return };
    thread::spawn(move || {
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            say(name, &line);
        }
    });
}

/// Prints a line beside the name of who says it.
pub(super) fn say(name: &str, line: &str) {
    let (bold, plain) =
        match std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            true => ("\x1b[1m", "\x1b[0m"),
            false => ("", ""),
        };
    println!("{bold}{name:>8}{plain}  {line}");
}
