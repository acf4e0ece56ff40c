//! A process in the background that holds something until it is told to let go.

use anyhow::{Context, Result, bail};
use harness::cache;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process waits this long for what it holds, which has limits of its own that are shorter.
const UP: Duration = Duration::from_secs(600);
const DOWN: Duration = Duration::from_secs(60);

/// One that holds what is called `name`; there is at most one in a checkout.
pub(crate) struct Background {
    name: &'static str,
    folder: PathBuf,
}

impl Background {
    pub(crate) fn of(name: &'static str) -> Background {
        Background { name, folder: cache().join("environment").join(name) }
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn is_up(&self) -> bool {
        self.ready().exists() && self.process().is_some()
    }

    /// Starts it, unless it runs, and shows how it is used.
    pub(crate) fn up(&self, arguments: &[String]) -> Result<()> {
        if self.process().is_none() {
            self.spawn(arguments)?;
        }
        println!("{}", fs::read_to_string(self.ready())?);
        Ok(())
    }

    fn spawn(&self, arguments: &[String]) -> Result<()> {
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder)?;
        let log = File::create(self.log())?;
        let child = Command::new(std::env::current_exe()?)
            .args([self.name, "hold"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // What interrupts the shell does not interrupt it.
            .process_group(0)
            .spawn()
            .context("cannot start a process in the background")?;
        fs::write(self.pid(), child.id().to_string())?;
        self.wait_until_ready(child)
    }

    fn wait_until_ready(&self, mut child: Child) -> Result<()> {
        let deadline = Instant::now() + UP;
        while !self.ready().exists() {
            if child.try_wait()?.is_some() {
                let log = fs::read_to_string(self.log())?;
                bail!("the {} did not come up: {}", self.name, log.trim());
            }
            if Instant::now() > deadline {
                self.down()?;
                bail!("the {} did not come up within {UP:?}", self.name);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Ends it, and removes what it kept.
    pub(crate) fn down(&self) -> Result<()> {
        let Some(pid) = self.process() else {
            let _ = fs::remove_dir_all(&self.folder);
            println!("No {} of this checkout is up.", self.name);
            return Ok(());
        };
        let killed = Command::new("kill").arg(pid.to_string()).status()?;
        let deadline = Instant::now() + DOWN;
        while self.process().is_some() {
            if Instant::now() > deadline || !killed.success() {
                bail!("process {pid} does not end; its log is {}", self.log().display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        fs::remove_dir_all(&self.folder)?;
        println!("The {} is down.", self.name);
        Ok(())
    }

    /// Holds what `start` gives, and shows the text that it gives to whoever waits, until a
    /// signal comes.
    pub(crate) fn hold<T>(&self, start: impl FnOnce(&Path) -> Result<(T, String)>) -> Result<()> {
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let (held, text) = start(&self.folder)?;
        let unfinished = self.folder.join("ready.unfinished");
        fs::write(&unfinished, text)?;
        fs::rename(unfinished, self.ready())?;
        signals.forever().next();
        drop(held);
        Ok(())
    }

    /// The process, if it still is ours: another may have got its number.
    fn process(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.pid()).ok()?.parse().ok()?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0).skip(1);
        let is_ours = words.next() == Some(self.name.as_bytes()) && words.next() == Some(b"hold");
        is_ours.then_some(pid)
    }

    fn pid(&self) -> PathBuf {
        self.folder.join("pid")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn ready(&self) -> PathBuf {
        self.folder.join("ready")
    }
}
