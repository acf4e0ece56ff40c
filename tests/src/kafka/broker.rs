use super::jars;
use super::options::Options;
use crate::command::{is_free, run, stable_port};
use crate::guard;
use crate::java::NO_JAVA;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

/// The ports of a broker; the same after every restart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    /// Plain, for the tests and the other brokers.
    pub(super) direct: u16,
    /// What the worker under test reaches, or what the proxy reaches for it.
    pub(super) clients: u16,
    /// What it tells its clients to reach.
    pub(super) advertised: u16,
    pub(super) controller: u16,
    /// Plain, for the pods of a cluster.
    pub(super) pods: u16,
}

impl Ports {
    pub(super) fn find(options: &Options) -> Result<Ports> {
        let clients = match options.port {
            Some(port) if is_free(port) => port,
            Some(port) => bail!("another program has port {port} of localhost"),
            None => stable_port()?,
        };
        Ok(Ports {
            direct: stable_port()?,
            clients,
            advertised: if options.proxied { stable_port()? } else { clients },
            controller: stable_port()?,
            pods: stable_port()?,
        })
    }
}

/// One broker, which may be down.
pub(super) struct Broker {
    process: Option<Child>,
    libraries: PathBuf,
    folder: PathBuf,
    quick: bool,
    starts: usize,
}

impl Broker {
    /// Formats the log of broker `index`.
    pub(super) fn format(
        libraries: &Path,
        folder: PathBuf,
        index: usize,
        ports: &[Ports],
        options: &Options,
    ) -> Result<Broker> {
        fs::create_dir_all(&folder)?;
        let log = options.log.clone().unwrap_or_else(|| folder.join("log"));
        let properties = folder.join("server.properties");
        fs::write(&properties, options.server_properties(index, ports, &log))?;
        let mut format = jars::tool(libraries, "kafka.tools.StorageTool");
        format.args(["format", "-t", "5L6g3nShT-eMCtK--X86sw", "-c"]).arg(&properties);
        options.users(&mut format);
        run(&mut format, NO_JAVA).context("cannot format the log of Kafka")?;
        let (libraries, quick) = (libraries.into(), options.quick);
        Ok(Broker { process: None, libraries, folder, quick, starts: 0 })
    }

    pub(super) fn spawn(&mut self) -> Result<()> {
        self.starts += 1;
        let process = jars::server(&self.libraries, self.quick)
            .arg(self.folder.join("server.properties"))
            .stdout(File::create(self.output())?)
            .stderr(Stdio::inherit())
            .spawn()
            .context(NO_JAVA)?;
        self.process = Some(process);
        Ok(())
    }

    pub(super) fn wait_until_started(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(self.output())?;
            if text.contains("Kafka Server started") {
                return Ok(());
            }
            if !self.is_running()? {
                bail!("Kafka ended:\n{text}");
            }
            if Instant::now() > deadline {
                bail!("Kafka did not start within {PATIENCE:?}:\n{text}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn is_running(&mut self) -> Result<bool> {
        Ok(match &mut self.process {
            Some(process) => process.try_wait()?.is_none(),
            None => false,
        })
    }

    pub(super) fn signal(&self, name: &str) -> Result<()> {
        guard::signal(self.process.as_ref().context("the broker is down")?, name)
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            guard::kill(&mut process);
        }
    }

    /// As an orchestrator does it: leaders move away first.
    pub(super) fn terminate(&mut self) -> Result<()> {
        self.signal("TERM")?;
        let deadline = Instant::now() + PATIENCE;
        while self.is_running()? {
            if Instant::now() > deadline {
                bail!("Kafka did not end within {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.kill();
        Ok(())
    }

    fn output(&self) -> PathBuf {
        self.folder.join(format!("kafka-{}.log", self.starts))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}
