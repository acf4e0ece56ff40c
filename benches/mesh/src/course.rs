//! What is measured, in which order.

use crate::alone::Alone;
use crate::backlog::{Backlog, Drained, Span};
use crate::job::{Guarantee, Job, Peers, Route, Worker};
use crate::paced::{Pace, Paced};
use crate::recovery::{self, Recovered};
use crate::results::{self, ByGuarantee, HASTENED, Python, Rounds, Streams, WorkerResults};
use crate::sharing::{self, Shared};
use crate::show;
use crate::stage::{PARTITIONS, Stage};
use crate::workload::Workload;
use anyhow::{Context, Result};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// From the first result until a rate is measured.
const WARM_UP: Duration = Duration::from_secs(2);
/// The same for a JVM, which compiles what it has run for a while.
const WARM_UP_OF_JVM: Duration = Duration::from_secs(5);
/// Points that the fastest worker we know cannot work off in a run.
const POINTS_PER_SECOND: f64 = 50_000.0;
/// The same for points that are only passed through.
const PASSED_PER_SECOND: f64 = 250_000.0;
/// Runs with each number of workers, in turn: what the machine does meanwhile meets them all.
const ROUNDS: usize = 3;
const WORKERS: [usize; 3] = [1, 2, 4];
/// Partitions in which latency is measured: beside the usual number, which costs a broker more
/// requests.
const FEW: i32 = 1;
/// Between two pulses of the points that they share: as many points come at once as to a worker that is
/// behind. What a process costs that merely wakes up for a few is another question.
const PULSE: Duration = Duration::from_millis(500);
/// In the first seconds the windows fill at once and the work is not yet steady.
const WARM_UP_AT_A_PACE: Duration = Duration::from_secs(4);
/// The same where latency is measured: what came while a process started is worked off, and the
/// broker, a JVM, has compiled what it does.
const CATCH_UP: Duration = Duration::from_secs(20);
/// How often latency is measured at most, until the generator is not late.
const TRIES: usize = 3;
/// The share of its rate at which the latency of a slow peer is measured.
const EASY: f64 = 1.0 / 3.0;
/// What makes Kafka Streams as quick as it gets.
const QUICK: &[&str] = &["commit.interval.ms=5", "poll.ms=5", "producer.linger.ms=0"];
/// How Kafka Streams is set up when its latency is measured.
const SETTINGS: [(&str, &[&str]); 2] = [("as_it_comes", &[]), (HASTENED, QUICK)];

/// Everything that is needed to measure.
pub(crate) struct Course {
    stage: Stage,
    pub(crate) peers: Peers,
    backlogs: Vec<Backlog>,
    /// How long each figure is measured.
    measure: Duration,
    rate: f64,
    runs: Cell<usize>,
    began: Instant,
}

impl Course {
    /// `backlogs` are needed where a rate is measured.
    pub(crate) fn prepare(measure: Duration, rate: f64, backlogs: bool) -> Result<Course> {
        let began = Instant::now();
        show::section("Preparing: Kafka, Kafka Streams, Python, points");
        let peers = Peers::prepare()?;
        let stage = Stage::set()?;
        let points = POINTS_PER_SECOND * (WARM_UP + measure).as_secs_f64();
        let workloads = match backlogs {
            true => vec![Workload::circle(), Workload::regime(), Workload::torus()],
            false => Vec::new(),
        };
        let fill = |workload: &Workload| Backlog::fill(&stage, workload, points as usize);
        let backlogs = workloads.iter().map(fill).collect::<Result<_>>()?;
        Ok(Course { stage, peers, backlogs, measure, rate, runs: Cell::new(0), began })
    }

    /// Latency first, of all who are compared by it: a machine that has been busy for minutes may
    /// be slower than it was.
    pub(crate) fn run(&self) -> Result<(WorkerResults, results::Peers)> {
        let mut results = WorkerResults::default();
        (results.latency, results.latency_of_more) = self.latencies()?;
        let latency = self.latencies_of_streams()?;
        self.worker(&mut results)?;
        let (python, rate) = (self.python()?, self.rates_of_streams()?);
        Ok((results, results::Peers { python, kafka_streams: Streams::of(rate, latency) }))
    }

    fn worker(&self, results: &mut WorkerResults) -> Result<()> {
        show::section("The worker's rate, with one thread that computes");
        for backlog in &self.backlogs {
            let drained = self.drain(backlog, &plain(), backlog.workload.name)?;
            results.rate.insert(backlog.workload.name, drained);
        }
        let torus = self.backlogs.last().context("there is a workload")?;
        for (variant, worker) in variants() {
            let drained = self.drain(torus, &Job::Worker(worker), &format!("torus, {variant}"))?;
            results.rate_of_variants.insert(variant, drained);
        }
        (results.scaling, results.engine_alone) = self.scaling()?;
        show::section("A worker of two is killed");
        results.recovery = by_guarantee(|guarantee| self.recovery(guarantee))?;
        Ok(())
    }

    /// By the number of workers, and what as many processes cost that only compute.
    pub(crate) fn scaling(&self) -> Result<(Rounds<Shared>, Rounds<f64>)> {
        show::section("The same work by more workers, with one thread each");
        let (mut scaling, mut control) = (Rounds::new(), Rounds::new());
        let alone = Alone::prepare(Workload::torus())?;
        for _ in 0..ROUNDS {
            for workers in WORKERS {
                let (shared, cost) = (self.share(workers)?, alone.cost(workers)?);
                show::alone(cost);
                scaling.entry(workers).or_insert_with(Vec::new).push(shared);
                control.entry(workers).or_insert_with(Vec::new).push(cost);
            }
        }
        Ok((scaling, control))
    }

    fn share(&self, workers: usize) -> Result<Shared> {
        let what = format!("{workers} workers");
        let route = self.begin(&what, "shared", &Workload::torus(), PARTITIONS);
        let (rate, measure) = (self.rate, self.measure);
        let pace = Pace { rate, warm_up: WARM_UP_AT_A_PACE, measure, pulse: PULSE };
        let (stage, peers) = (&self.stage, &self.peers);
        let shared = sharing::measure(stage, peers, &plain(), &route, workers, &pace)?;
        show::shared(&shared);
        Ok(shared)
    }

    /// In few partitions, and in as many as usual.
    pub(crate) fn latencies(&self) -> Result<(ByGuarantee<Paced>, ByGuarantee<Paced>)> {
        show::section("The worker's latency");
        let of = |partitions| by_guarantee(|guarantee| self.latency(guarantee, partitions));
        Ok((of(FEW)?, of(PARTITIONS)?))
    }

    fn latency(&self, guarantee: Guarantee, partitions: i32) -> Result<Paced> {
        let job = Job::Worker(Worker { guarantee, threads: None, ..Worker::default() });
        let what = format!("{}, partitions: {partitions}", guarantee.name());
        self.pace(&job, self.rate, 2 * self.measure, &what, partitions)
    }

    fn recovery(&self, guarantee: Guarantee) -> Result<Recovered> {
        let (warm_up, measure) = (Duration::from_secs(5), Duration::from_secs(18));
        let pace = Pace { rate: self.rate, warm_up, measure, pulse: Duration::ZERO };
        let job = Job::Worker(Worker { guarantee, ..Worker::default() });
        let route = self.begin(guarantee.name(), "killed", &Workload::torus(), PARTITIONS);
        let recovered = recovery::measure(&self.stage, &self.peers, &job, &route, &pace)?;
        show::recovered(&recovered);
        Ok(recovered)
    }

    fn python(&self) -> Result<Python> {
        show::section("The same by a Python program");
        let (mut rate, mut libraries) = (BTreeMap::new(), BTreeMap::new());
        for backlog in &self.backlogs {
            let name = backlog.workload.name;
            let (drained, said) = self.drain_and_listen(backlog, &Job::Python, name)?;
            let library = said.lines().find_map(|line| line.strip_prefix("library "));
            let library = library.context("the Python program names no library")?;
            rate.insert(name, drained);
            libraries.insert(name, library.to_owned());
        }
        let torus = rate.get("torus").context("the torus was measured")?;
        let easy = EASY * torus.points_per_second;
        let paced = self.pace(&Job::Python, easy, 2 * self.measure, "latency", FEW)?;
        Ok(Python::of(rate, libraries, [(paced.guarantee, paced)].into()))
    }

    fn latencies_of_streams(&self) -> Result<BTreeMap<&'static str, ByGuarantee<Paced>>> {
        show::section("The latency of Kafka Streams, passing points through");
        let of = |name: &str, properties, guarantee: Guarantee| {
            let job = Job::Streams { guarantee, properties };
            let what = format!("{}, {}", guarantee.name(), name.replace('_', " "));
            self.pace(&job, self.rate, self.measure, &what, FEW)
        };
        let settings = SETTINGS.into_iter().map(|(name, properties)| {
            Ok((name, by_guarantee(|guarantee| of(name, properties, guarantee))?))
        });
        settings.collect()
    }

    fn rates_of_streams(&self) -> Result<ByGuarantee<Drained>> {
        show::section("The rate of Kafka Streams, passing points through");
        let points = PASSED_PER_SECOND * (WARM_UP_OF_JVM + self.passing()).as_secs_f64();
        let backlog = Backlog::fill(&self.stage, &Workload::circle(), points as usize)?;
        by_guarantee(|guarantee| {
            let job = Job::Streams { guarantee, properties: &[] };
            self.drain(&backlog, &job, guarantee.name())
        })
    }

    fn drain(&self, backlog: &Backlog, job: &Job, what: &str) -> Result<Drained> {
        Ok(self.drain_and_listen(backlog, job, what)?.0)
    }

    /// Gives what the first process printed, too.
    fn drain_and_listen(
        &self,
        backlog: &Backlog,
        job: &Job,
        what: &str,
    ) -> Result<(Drained, String)> {
        let (warm_up, measure) = match job {
            Job::Streams { .. } => (WARM_UP_OF_JVM, self.passing()),
            _ => (WARM_UP, self.measure),
        };
        let span = Span { warm_up, measure };
        let output = self.begin(what, "rate", &backlog.workload, PARTITIONS).output;
        let drained = backlog.drain(&self.stage, job, &self.peers, &output, span);
        let (drained, said) = drained.with_context(|| format!("measuring the rate: {what}"))?;
        show::drained(&drained);
        Ok((drained, said))
    }

    /// How long points are passed through: there are many, and all are read and audited.
    fn passing(&self) -> Duration {
        self.measure / 2
    }

    fn pace(
        &self,
        job: &Job,
        rate: f64,
        measure: Duration,
        what: &str,
        partitions: i32,
    ) -> Result<Paced> {
        let pace = Pace { rate, warm_up: CATCH_UP, measure, pulse: Duration::ZERO };
        let measure = || -> Result<Paced> {
            let route = self.begin(what, "pace", &Workload::torus(), partitions);
            let record = pace.run(&self.stage, &self.peers, job, &route, 1, |_, _| Ok(()))?;
            record.paced(&pace, job)
        };
        let mut tries = 0;
        loop {
            let paced = measure().with_context(|| format!("measuring latency: {what}"))?;
            show::paced(&paced);
            tries += 1;
            if paced.valid || tries == TRIES {
                return Ok(paced);
            }
        }
    }

    /// Says that a run begins, and gives topics that no run has had.
    fn begin(&self, what: &str, kind: &str, workload: &Workload, partitions: i32) -> Route {
        let run = self.runs.get() + 1;
        self.runs.set(run);
        show::progress(run, self.all(), self.began.elapsed(), what);
        let output = format!("{kind}-{run}");
        Route { input: format!("{output}-in"), output, partitions, workload: workload.clone() }
    }

    /// How many runs there are.
    fn all(&self) -> usize {
        let (rates, both) = (self.backlogs.len(), Guarantee::BOTH.len());
        let worker = rates + variants().len() + ROUNDS * WORKERS.len() + 3 * both;
        let (python, streams) = (rates + 1, both * (1 + SETTINGS.len()));
        worker + python + streams
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
