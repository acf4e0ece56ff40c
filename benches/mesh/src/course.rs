//! What is measured, in which order.

use crate::backlog::{Backlog, Drained, Span};
use crate::job::{Guarantee, Job, Peers, Route, Worker};
use crate::paced::{Pace, Paced};
use crate::recovery::{self, Recovered};
use crate::results::{self, ByGuarantee, Python, Streams, WorkerResults};
use crate::show;
use crate::stage::Stage;
use crate::workload::Workload;
use anyhow::{Context, Result};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

/// From the first result until a rate is measured.
const WARM_UP: Duration = Duration::from_secs(2);
/// The same for a JVM, which compiles what it has run for a while.
const WARM_UP_OF_JVM: Duration = Duration::from_secs(6);
/// Points that the fastest worker we know cannot work off in a run.
const POINTS_PER_SECOND: f64 = 50_000.0;
/// The same for points that are only passed through.
const PASSED_PER_SECOND: f64 = 250_000.0;
/// Runs with each number of workers, in turn: what the machine does meanwhile meets them all.
const ROUNDS: usize = 2;
const WORKERS: [usize; 3] = [1, 2, 4];
/// The share of its rate at which the latency of a slow peer is measured.
const EASY: f64 = 1.0 / 3.0;
/// What makes Kafka Streams as quick as it gets.
const HASTENED: &[&str] = &["commit.interval.ms=5", "poll.ms=5", "producer.linger.ms=0"];

/// Everything that is needed to measure.
pub(crate) struct Course {
    stage: Stage,
    pub(crate) peers: Peers,
    backlogs: Vec<Backlog>,
    /// How long each figure is measured.
    measure: Duration,
    rate: f64,
    runs: Cell<usize>,
}

impl Course {
    pub(crate) fn prepare(measure: Duration, rate: f64) -> Result<Course> {
        show::section("Preparing: Kafka, Kafka Streams, Python, points");
        let peers = Peers::prepare()?;
        let stage = Stage::set()?;
        let points = POINTS_PER_SECOND * (WARM_UP + measure).as_secs_f64();
        let workloads = [Workload::circle(), Workload::regime(), Workload::torus()];
        let fill = |workload: &Workload| Backlog::fill(&stage, workload, points as usize);
        let backlogs = workloads.iter().map(fill).collect::<Result<_>>()?;
        Ok(Course { stage, peers, backlogs, measure, rate, runs: Cell::new(0) })
    }

    pub(crate) fn worker(&self) -> Result<WorkerResults> {
        let mut results = WorkerResults::default();
        show::section("The worker's rate, with one thread that computes");
        for backlog in &self.backlogs {
            let drained = self.drain(backlog, &plain(), 1, backlog.workload.name)?;
            results.rate.insert(backlog.workload.name, drained);
        }
        let torus = self.backlogs.last().context("there is a workload")?;
        for (variant, worker) in variants() {
            let drained =
                self.drain(torus, &Job::Worker(worker), 1, &format!("torus, {variant}"))?;
            results.rate_of_variants.insert(variant, drained);
        }
        results.scaling = self.scaling(torus)?;
        show::section("The worker's latency");
        results.latency = by_guarantee(|guarantee| self.latency(guarantee))?;
        show::section("A worker of two is killed");
        results.recovery = by_guarantee(|guarantee| self.recovery(guarantee))?;
        Ok(results)
    }

    pub(crate) fn peers(&self) -> Result<results::Peers> {
        let python = self.python()?;
        Ok(results::Peers { python, kafka_streams: self.streams()? })
    }

    fn scaling(&self, backlog: &Backlog) -> Result<BTreeMap<usize, Vec<Drained>>> {
        show::section("The same work by more workers, with one thread each");
        let mut scaling = BTreeMap::new();
        for _ in 0..ROUNDS {
            for workers in WORKERS {
                let drained =
                    self.drain(backlog, &plain(), workers, &format!("{workers} workers"))?;
                scaling.entry(workers).or_insert_with(Vec::new).push(drained);
            }
        }
        Ok(scaling)
    }

    fn latency(&self, guarantee: Guarantee) -> Result<Paced> {
        let job = Job::Worker(Worker { guarantee, threads: None, ..Worker::default() });
        self.pace(&job, &Workload::torus(), self.rate, guarantee.name())
    }

    fn recovery(&self, guarantee: Guarantee) -> Result<Recovered> {
        let (warm_up, measure) = (Duration::from_secs(5), Duration::from_secs(20));
        let pace = Pace { rate: self.rate, warm_up, measure };
        let job = Job::Worker(Worker { guarantee, ..Worker::default() });
        let route = self.route("killed", &Workload::torus());
        let recovered = recovery::measure(&self.stage, &self.peers, &job, &route, &pace)?;
        show::recovered(guarantee.name(), &recovered);
        Ok(recovered)
    }

    fn python(&self) -> Result<Python> {
        show::section("The same by a Python program");
        let mut python = Python::default();
        for backlog in &self.backlogs {
            let name = backlog.workload.name;
            let (drained, said) = self.drain_and_listen(backlog, &Job::Python, 1, name)?;
            let library = said.lines().find_map(|line| line.strip_prefix("library "));
            let library = library.context("the Python program names no library")?;
            python.rate.insert(name, drained);
            python.library.insert(name, library.to_owned());
        }
        python.points_per_second_per_core = results::slowest(&python.rate);
        let torus = python.rate.get("torus").context("the torus was measured")?;
        let easy = EASY * torus.points_per_second;
        python.latency = Some(self.pace(&Job::Python, &Workload::torus(), easy, "latency")?);
        Ok(python)
    }

    fn streams(&self) -> Result<Streams> {
        show::section("Kafka Streams, passing points through");
        let points = PASSED_PER_SECOND * (WARM_UP_OF_JVM + self.measure).as_secs_f64();
        let backlog = Backlog::fill(&self.stage, &Workload::circle(), points as usize)?;
        let mut streams = Streams::default();
        for guarantee in Guarantee::BOTH {
            let job = Job::Streams { guarantee, properties: &[] };
            let drained = self.drain(&backlog, &job, 1, guarantee.name())?;
            let rate = drained.points_per_cpu_second;
            streams.points_per_second_per_core.insert(guarantee, rate);
            streams.rate.insert(guarantee, drained);
            for (name, properties) in [("as_it_comes", &[][..]), ("hastened", HASTENED)] {
                let job = Job::Streams { guarantee, properties };
                let what = format!("{}, {}", guarantee.name(), name.replace('_', " "));
                let paced = self.pace(&job, &Workload::torus(), self.rate, &what)?;
                streams.latency.entry(name).or_default().insert(guarantee, paced);
            }
        }
        Ok(streams)
    }

    fn drain(&self, backlog: &Backlog, job: &Job, workers: usize, what: &str) -> Result<Drained> {
        Ok(self.drain_and_listen(backlog, job, workers, what)?.0)
    }

    /// Gives what the first process printed, too.
    fn drain_and_listen(
        &self,
        backlog: &Backlog,
        job: &Job,
        workers: usize,
        what: &str,
    ) -> Result<(Drained, String)> {
        let warm_up = if let Job::Streams { .. } = job { WARM_UP_OF_JVM } else { WARM_UP };
        let span = Span { warm_up, measure: self.measure };
        let (stage, peers, output) = (&self.stage, &self.peers, self.output("rate"));
        let drained = backlog.drain(stage, job, peers, workers, &output, span);
        let (drained, said) = drained.with_context(|| format!("measuring the rate: {what}"))?;
        show::drained(what, &drained);
        Ok((drained, said))
    }

    fn pace(&self, job: &Job, workload: &Workload, rate: f64, what: &str) -> Result<Paced> {
        let pace = Pace { rate, warm_up: Duration::from_secs(4), measure: 2 * self.measure };
        let route = self.route("pace", workload);
        let record = pace.run(&self.stage, &self.peers, job, &route, 1, |_, _| Ok(()));
        let paced = record.and_then(|record| record.paced(&pace, job));
        let paced = paced.with_context(|| format!("measuring latency: {what}"))?;
        show::paced(what, &paced);
        Ok(paced)
    }

    fn route(&self, what: &str, workload: &Workload) -> Route {
        let output = self.output(what);
        Route { input: format!("{output}-in"), output, workload: workload.clone() }
    }

    /// A name that no run has had.
    fn output(&self, what: &str) -> String {
        self.runs.set(self.runs.get() + 1);
        format!("{what}-{}", self.runs.get())
    }
}

fn by_guarantee<T>(of: impl Fn(Guarantee) -> Result<T>) -> Result<ByGuarantee<T>> {
    Guarantee::BOTH.into_iter().map(|guarantee| Ok((guarantee, of(guarantee)?))).collect()
}

fn plain() -> Job {
    Job::Worker(Worker::default())
}

/// What else a worker can be told to do, and what that is called.
fn variants() -> [(&'static str, Worker); 3] {
    let plain = Worker::default();
    [
        ("with features and scores", Worker { detects: true, ..plain }),
        ("uncompressed", Worker { compresses: false, ..plain }),
        ("exactly once", Worker { guarantee: Guarantee::ExactlyOnce, ..plain }),
    ]
}
