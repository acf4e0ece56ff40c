//! Those that are measured: each reads points from a topic and writes to another.

use crate::stage::{SERIES, Stage};
use crate::workload::{HOP, WINDOW, Workload};
use anyhow::{Context, Result, bail};
use harness::process::Process;
use harness::{free_port, java, root};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::Command;

/// What is promised of results when a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Guarantee {
    /// None is lost; some may come again.
    AtLeastOnce,
    /// None is lost and none comes again, for readers of what is committed.
    ExactlyOnce,
}

impl Guarantee {
    pub(crate) const BOTH: [Guarantee; 2] = [Guarantee::AtLeastOnce, Guarantee::ExactlyOnce];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Guarantee::AtLeastOnce => "at_least_once",
            Guarantee::ExactlyOnce => "exactly_once",
        }
    }
}

/// One that does the job.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    /// The worker of this repository.
    Worker(Worker),
    /// The same by a Python program around the fastest batch library.
    Python,
    /// Kafka Streams, which passes points through and computes nothing.
    Streams {
        guarantee: Guarantee,
        /// Properties beyond the defaults, as `name=value`.
        properties: &'static [&'static str],
    },
}

/// A worker of this repository; with one thread that computes unless told otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worker {
    pub(crate) guarantee: Guarantee,
    /// Threads that compute; as many as it likes otherwise.
    pub(crate) threads: Option<usize>,
    /// Whether it also makes features and scores.
    pub(crate) detects: bool,
    /// Whether what it sends is compressed.
    pub(crate) compresses: bool,
}

/// A short warm-up, which costs more than what comes after it: that is what is measured.
const DETECTION: &str = ", detection: {warm_up: {emissions: 20}}";

impl Default for Worker {
    fn default() -> Worker {
        Worker {
            guarantee: Guarantee::AtLeastOnce,
            threads: Some(1),
            detects: false,
            compresses: true,
        }
    }
}

/// From where to where, and how to look at the points.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) input: String,
    pub(crate) output: String,
    /// Of the input and the output.
    pub(crate) partitions: i32,
    pub(crate) workload: Workload,
}

impl Route {
    /// The topics that a run writes to, but for its checkpoints.
    pub(crate) fn outputs(&self) -> Vec<String> {
        vec![self.output.clone(), self.side("features"), self.side("alerts")]
    }

    /// The input and those.
    pub(crate) fn topics(&self) -> Vec<String> {
        [vec![self.input.clone()], self.outputs()].concat()
    }

    fn side(&self, kind: &str) -> String {
        format!("{}.{kind}", self.output)
    }
}

impl Job {
    /// What it promises. The Python program commits what was acknowledged.
    pub(crate) fn guarantee(&self) -> Guarantee {
        match self {
            Job::Worker(worker) => worker.guarantee,
            Job::Python => Guarantee::AtLeastOnce,
            Job::Streams { guarantee, .. } => *guarantee,
        }
    }

    /// Points from one result to the next.
    pub(crate) fn hop(&self) -> usize {
        if let Job::Streams { .. } = self { 1 } else { HOP }
    }

    /// Points before the first result, that one's included.
    pub(crate) fn window(&self) -> usize {
        if let Job::Streams { .. } = self { 1 } else { WINDOW }
    }

    pub(crate) fn start(&self, stage: &Stage, route: &Route, peers: &Peers) -> Result<Process> {
        match self {
            Job::Worker(worker) => {
                let config = worker.config(stage, route)?;
                Ok(harness::worker::Worker::start(&config)?.into_process())
            }
            Job::Python => peers.python(stage, route),
            Job::Streams { guarantee, properties } => {
                peers.streams(stage, route, *guarantee, properties)
            }
        }
    }
}

impl Worker {
    fn config(&self, stage: &Stage, route: &Route) -> Result<String> {
        let Route { input, output, workload: Workload { dimension, radius, .. }, .. } = route;
        let (brokers, port) = (stage.address(), free_port()?);
        let compression = if self.compresses { "" } else { "compression.type: none" };
        let detection = if self.detects { DETECTION } else { "" };
        let compute = self.threads.map_or(String::new(), |n| format!("compute: {{threads: {n}}}"));
        Ok(format!(
            "
kafka:
  brokers: '{brokers}'
  group: {output}
  input: {input}
  outputs: {{diagrams: {output}, features: {}, alerts: {}}}
  checkpoints: {output}.checkpoints
  delivery: {}
  properties: {{{compression}}}
series: {{dimension: {dimension}, max: {}}}
scales:
  - {{name: wide, window: {WINDOW}, hop: {HOP}, max_radius: {radius}{detection}}}
http: {{listen: '127.0.0.1:{port}'}}
{compute}
",
            route.side("features"),
            route.side("alerts"),
            self.guarantee.name(),
            4 * SERIES,
        ))
    }
}

/// The programs of others.
pub(crate) struct Peers {
    libraries: PathBuf,
    classes: PathBuf,
    /// The packages of the Python program.
    pub(crate) python: Packages,
}

/// What the Python program is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Packages {
    /// The version of Python.
    pub(crate) python: String,
    /// The versions of its packages.
    pub(crate) versions: std::collections::BTreeMap<String, String>,
}

impl Peers {
    /// Fetches what they need, and compiles what has to be. Without them nothing is measured: a
    /// table that silently lacks those who might be better is worse than none.
    ///
    /// # Errors
    /// When a peer cannot be measured; says which.
    pub(crate) fn prepare() -> Result<Peers> {
        let python = packages().context("the Python consumer cannot be measured")?;
        Peers::with(python).context("Kafka Streams cannot be measured")
    }

    fn with(python: Packages) -> Result<Peers> {
        let here = root().join("benches/mesh");
        let version = harness::kafka::VERSION;
        let libraries = java::libraries("kafka-streams", version, &here.join("pom.xml"))?;
        let classes = harness::cache().join("kafka-streams/classes");
        java::compile(&here.join("PassThrough.java"), &libraries, &classes)?;
        Ok(Peers { libraries, classes, python })
    }

    fn python(&self, stage: &Stage, route: &Route) -> Result<Process> {
        let Route { input, output, workload, .. } = route;
        let here = root().join("benches/mesh");
        let [requirements, program] =
            ["requirements.txt", "consumer.py"].map(|file| here.join(file).display().to_string());
        let options = [
            ("--brokers", stage.address()),
            ("--group", output.clone()),
            ("--input", input.clone()),
            ("--output", output.clone()),
            ("--window", WINDOW.to_string()),
            ("--hop", HOP.to_string()),
            ("--radius", workload.radius.to_string()),
        ];
        let options = options.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        let arguments = [requirements, program].into_iter().chain(options);
        let script = root().join("scripts/python");
        Process::start("the Python consumer", tempfile::tempdir()?, script, arguments)
    }

    fn streams(
        &self,
        stage: &Stage,
        route: &Route,
        guarantee: Guarantee,
        properties: &[&str],
    ) -> Result<Process> {
        let folder = tempfile::tempdir()?;
        let guarantee = match guarantee {
            Guarantee::AtLeastOnce => "at_least_once",
            Guarantee::ExactlyOnce => "exactly_once_v2",
        };
        let logging = root().join("tests/kafka/log4j2.yaml");
        let path = format!("{}:{}/*", self.classes.display(), self.libraries.display());
        let mut arguments = vec![
            "-Xmx512m".into(),
            format!("-Dlog4j2.configurationFile={}", logging.display()),
            format!("-Djava.io.tmpdir={}", folder.path().display()),
            "-cp".into(),
            path,
            "PassThrough".into(),
        ];
        let (input, output) = (route.input.clone(), route.output.clone());
        arguments.extend([stage.address(), output.clone(), input, output, guarantee.into()]);
        arguments.extend(properties.iter().map(|&p| p.to_owned()));
        Process::start("Kafka Streams", folder, "java", arguments)
    }
}

/// Makes the environment of the Python program, and says what is in it.
fn packages() -> Result<Packages> {
    const TELL: &str = "import json, platform
from importlib.metadata import version
names = ['confluent-kafka', 'numpy', 'orjson', 'redzed-tda', 'scipy', 'tda']
print(json.dumps({'python': platform.python_version(), 'versions': {n: version(n) for n in names}}))";
    let mut python = Command::new(root().join("scripts/python"));
    python.arg(root().join("benches/mesh/requirements.txt")).args(["-c", TELL]);
    let output = python.output().context("cannot run scripts/python")?;
    if !output.status.success() {
        bail!("scripts/python failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("scripts/python told no versions")
}
