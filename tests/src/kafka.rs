//! Apache Kafka as its users run it: a JVM process, here one broker in KRaft mode.
//!
//! The jars come from Maven Central once, and are kept under `target/kafka`.

use crate::command::{cache, free_port, root, run};
use anyhow::{Context, Result, bail};
use mesh::Connection;
use mesh::topics::{self, Topic};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const VERSION: &str = "4.1.1";
const PATIENCE: Duration = Duration::from_secs(120);
const NO_JAVA: &str = "the tests need a Java runtime, version 17 or later \
                       (Debian: apt-get install openjdk-17-jre-headless); make test installs it";
const NO_MAVEN: &str = "the tests fetch Apache Kafka with Maven \
                        (Debian: apt-get install maven); make test installs it";

/// A running broker; it is killed when dropped.
pub struct Kafka {
    broker: Child,
    port: u16,
    // The last to go: the broker writes into it.
    _folder: TempDir,
}

impl Kafka {
    /// The broker that all tests of this process share while one of them needs it.
    ///
    /// # Errors
    /// When it cannot be started; says what is missing.
    pub fn shared() -> Result<Arc<Kafka>> {
        static SHARED: Mutex<Weak<Kafka>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
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
        let libraries = libraries()?;
        let folder = tempfile::tempdir().context("cannot make a folder for Kafka")?;
        let (port, controller) = (free_port()?, free_port()?);
        let properties = folder.path().join("server.properties");
        fs::write(&properties, server_properties(port, controller, folder.path()))?;
        let mut format = java(&libraries, "kafka.tools.StorageTool", "-Xmx256m");
        format.args(["format", "-t", "5L6g3nShT-eMCtK--X86sw", "-c"]).arg(&properties);
        run(&mut format, NO_JAVA).context("cannot format the log of Kafka")?;
        let log = folder.path().join("kafka.log");
        let broker = java(&libraries, "kafka.Kafka", "-Xmx512m")
            .arg(&properties)
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(Stdio::inherit())
            .spawn()
            .context(NO_JAVA)?;
        let mut kafka = Kafka { broker, port, _folder: folder };
        kafka.wait_until_started(&log)?;
        Ok(kafka)
    }

    /// How to reach the broker.
    pub fn connection(&self) -> Connection {
        Connection { brokers: self.address(), properties: Default::default() }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Makes the topics of a worker that reads `input`, and keeps its results in topics that
    /// begin with `output`.
    ///
    /// # Errors
    /// When the broker refuses one.
    pub fn create_topics(&self, input: &str, outputs: &[&str], partitions: i32) -> Result<()> {
        let mut names = vec![input.to_owned()];
        for output in outputs {
            names.extend(mesh::schema::Kind::ALL.map(|kind| format!("{output}.{kind}")));
        }
        let topic = |name: &String| (name.clone(), partitions);
        let topics: Vec<_> = names.iter().map(topic).collect();
        let topics: Vec<_> = topics
            .iter()
            .map(|(name, partitions)| Topic { name, partitions: *partitions, compacted: false })
            .collect();
        Ok(topics::create(&self.connection(), &topics)?)
    }

    fn wait_until_started(&mut self, log: &Path) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(log)?;
            if text.contains("Kafka Server started") {
                return Ok(());
            }
            if let Some(status) = self.broker.try_wait()? {
                bail!("Kafka ended with {status}:\n{text}");
            }
            if Instant::now() > deadline {
                bail!("Kafka did not start within {PATIENCE:?}:\n{text}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let _ = self.broker.kill();
        let _ = self.broker.wait();
    }
}

/// The folder of the jars, fetched when they are not there.
fn libraries() -> Result<PathBuf> {
    let folder = cache().join("kafka");
    let libraries = folder.join(format!("libs-{VERSION}"));
    if libraries.join("complete").exists() {
        return Ok(libraries);
    }
    fs::create_dir_all(&folder)?;
    let fetched = tempfile::tempdir_in(&folder)?;
    let mut maven = Command::new("mvn");
    maven
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(root().join("tests/kafka/pom.xml"))
        .arg("org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", fetched.path().display()))
        .arg("-DincludeScope=runtime");
    run(&mut maven, NO_MAVEN).context("cannot fetch Apache Kafka")?;
    File::create(fetched.path().join("complete"))?;
    let _ = fs::remove_dir_all(&libraries);
    match fs::rename(fetched.path(), &libraries) {
        Err(_) if libraries.join("complete").exists() => Ok(libraries),
        renamed => renamed.map(|()| libraries).context("cannot keep the jars of Kafka"),
    }
}

fn java(libraries: &Path, class: &str, heap: &str) -> Command {
    let mut java = Command::new("java");
    let logging = root().join("tests/kafka/log4j2.yaml");
    java.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", heap]);
    java.arg(format!("-Dlog4j2.configurationFile={}", logging.display()));
    java.arg("-cp").arg(libraries.join("*")).arg(class);
    java
}

/// Records are kept for ever: the points of the tests are older than a default retention.
fn server_properties(port: u16, controller: u16, folder: &Path) -> String {
    let log = folder.join("log");
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={}
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
default.replication.factor=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.retention.ms=-1
",
        log.display()
    )
}
