//! Apache Kafka as its users run it: JVM processes in KRaft mode, one broker or three.
//!
//! The jars come from Maven Central once, and are kept under `target/kafka`.

mod broker;
mod jars;
mod options;

pub use options::{Options, Security};

use crate::command::run;
use crate::proxy::Proxy;
use anyhow::{Context, Result};
use broker::{Broker, Ports};
use mesh::Connection;
use mesh::topics::{self, Topic};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tempfile::TempDir;

/// The version of Apache Kafka.
pub const VERSION: &str = jars::VERSION;

/// Running brokers; they are killed when dropped, and when this process ends.
pub struct Kafka {
    brokers: Vec<Mutex<Broker>>,
    ports: Vec<Ports>,
    proxies: Vec<Proxy>,
    pods: Option<Ipv4Addr>,
    libraries: PathBuf,
    // The last to go: the brokers write into it.
    _folder: TempDir,
}

impl Kafka {
    /// The broker that all tests of this process share while one of them needs it.
    ///
    /// # Errors
    /// When it cannot be started; says what is missing.
    pub fn shared() -> Result<Arc<Kafka>> {
        static SHARED: Mutex<Weak<Kafka>> = Mutex::new(Weak::new());
        let mut shared = lock(&SHARED);
        if let Some(kafka) = shared.upgrade() {
            return Ok(kafka);
        }
        let kafka = Arc::new(Kafka::start()?);
        *shared = Arc::downgrade(&kafka);
        Ok(kafka)
    }

    /// Starts a broker on free ports, with an empty log.
    ///
    /// # Errors
    /// When it cannot be started; says what is missing.
    pub fn start() -> Result<Kafka> {
        Kafka::with(&Options::default())
    }

    /// Starts brokers like these on free ports, with empty logs.
    ///
    /// # Errors
    /// When one cannot be started; says what is missing.
    pub fn with(options: &Options) -> Result<Kafka> {
        let libraries = jars::libraries()?;
        let folder = tempfile::tempdir().context("cannot make a folder for Kafka")?;
        let ports = (0..options.brokers).map(|_| Ports::find(options));
        let ports: Vec<Ports> = ports.collect::<Result<_>>()?;
        let mut proxies = Vec::new();
        if options.proxied {
            for ports in &ports {
                proxies.push(Proxy::start(ports.advertised, ports.clients)?);
            }
        }
        let mut brokers = Vec::new();
        for index in 0..options.brokers {
            let own = folder.path().join(index.to_string());
            brokers.push(Broker::format(&libraries, own, index, &ports, options)?);
        }
        // All before one is waited for: three need a majority to start.
        brokers.iter_mut().try_for_each(Broker::spawn)?;
        brokers.iter_mut().try_for_each(Broker::wait_until_started)?;
        let brokers = brokers.into_iter().map(Mutex::new).collect();
        let pods = options.pods;
        Ok(Kafka { brokers, ports, proxies, pods, libraries, _folder: folder })
    }

    /// How the tests reach the brokers: plainly, past proxies.
    pub fn connection(&self) -> Connection {
        Connection::to(self.direct())
    }

    /// `host:port` of the brokers, separated by commas, as a worker is told.
    pub fn address(&self) -> String {
        addresses(self.ports.iter().map(|ports| ports.advertised))
    }

    /// The same for the pods of a cluster, if they can reach it.
    pub fn address_for_pods(&self) -> Option<String> {
        let host = self.pods?;
        let brokers = self.ports.iter().map(|ports| format!("{host}:{}", ports.pods));
        Some(brokers.collect::<Vec<_>>().join(","))
    }

    fn direct(&self) -> String {
        addresses(self.ports.iter().map(|ports| ports.direct))
    }

    /// The proxies before the brokers; none unless asked for.
    pub fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// Kills a broker; what it has not yet written is lost to it.
    pub fn kill(&self, broker: usize) {
        lock(&self.brokers[broker]).kill();
    }

    /// Ends a broker as an orchestrator would, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not end.
    pub fn terminate(&self, broker: usize) -> Result<()> {
        lock(&self.brokers[broker]).terminate()
    }

    /// Starts a broker again on its ports, with its log, and waits until it serves.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&self, broker: usize) -> Result<()> {
        let mut broker = lock(&self.brokers[broker]);
        broker.kill();
        broker.spawn()?;
        broker.wait_until_started()
    }

    /// Stops a broker in its tracks.
    ///
    /// # Errors
    /// When it is down.
    pub fn freeze(&self, broker: usize) -> Result<()> {
        lock(&self.brokers[broker]).signal("STOP")
    }

    /// Lets a broker that was frozen go on.
    ///
    /// # Errors
    /// When it is down.
    pub fn thaw(&self, broker: usize) -> Result<()> {
        lock(&self.brokers[broker]).signal("CONT")
    }

    /// Whether a broker runs.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn is_running(&self, broker: usize) -> Result<bool> {
        lock(&self.brokers[broker]).is_running()
    }

    /// Moves the leaders of all partitions back to the first broker of their replicas.
    ///
    /// # Errors
    /// When a partition has no such leader.
    pub fn move_leaders_home(&self) -> Result<()> {
        let mut tool = jars::tool(&self.libraries, "org.apache.kafka.tools.LeaderElectionCommand");
        tool.args(["--bootstrap-server", &self.direct()]);
        tool.args(["--election-type", "preferred", "--all-topic-partitions"]);
        run(&mut tool, crate::java::NO_JAVA).context("cannot move leaders")
    }

    /// Makes the topics of a worker that reads `input`, and keeps its results in topics that
    /// begin with `output`.
    ///
    /// # Errors
    /// When the broker refuses one.
    pub fn create_topics(&self, input: &str, outputs: &[&str], partitions: i32) -> Result<()> {
        let connection = self.connection();
        topics::create(&connection, &[topic(input, partitions)])?;
        outputs.iter().try_for_each(|output| create_outputs(&connection, output, partitions))
    }
}

/// Makes the topics in which a worker keeps its results, whose names begin with `output`.
///
/// # Errors
/// When the broker refuses one.
pub fn create_outputs(connection: &Connection, output: &str, partitions: i32) -> Result<()> {
    let names = mesh::schema::Kind::ALL.map(|kind| format!("{output}.{kind}"));
    let topics: Vec<_> = names.iter().map(|name| topic(name, partitions)).collect();
    Ok(topics::create(connection, &topics)?)
}

fn topic(name: &str, partitions: i32) -> Topic<'_> {
    Topic { name, partitions, compacted: false, largest: None }
}

fn addresses(ports: impl Iterator<Item = u16>) -> String {
    ports.map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
