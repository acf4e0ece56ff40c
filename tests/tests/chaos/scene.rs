//! One input, its workers, and what has come out of them.

use harness::audit::Audit;
use harness::kafka::{Kafka, create_outputs};
use harness::points::Points;
use harness::setting::{Setting, count, diagrams, expected};
use harness::worker::Worker;
use mesh::tail::Begin;
use mesh::{Connection, Tail};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Long enough for every time limit of Kafka's clients that a fault may run into.
const PATIENCE: Duration = Duration::from_secs(120);
const QUIET: Duration = Duration::from_secs(1);

/// About ten seconds of points; more would only take longer.
pub(crate) const POINTS: Points = Points { partitions: 4, series: 2, length: 3000 };
const PACE: Duration = Duration::from_millis(3);

/// Workers of one input, to be disturbed.
pub(crate) struct Scene {
    connection: Connection,
    name: String,
    setting: Setting,
    /// Whether nothing may come again.
    exact: bool,
    pub(crate) audit: Audit,
    pub(crate) workers: Vec<(Setting, Worker)>,
    feeding: Option<JoinHandle<()>>,
}

impl Scene {
    /// An input with a name of ten letters, no points and no workers yet.
    pub(crate) fn new(kafka: &Kafka, name: &str) -> Scene {
        assert_eq!(name.len(), 10, "names of inputs are as long as one another");
        let output = format!("{name}-out");
        kafka.create_topics(name, &[&output], POINTS.partitions).unwrap();
        Scene {
            connection: kafka.connection(),
            name: name.into(),
            setting: Setting::new(kafka, name, &output).unwrap(),
            exact: false,
            audit: Audit::of(&kafka.connection(), &output).unwrap(),
            workers: Vec::new(),
            feeding: None,
        }
    }

    /// As `new`, with workers that deliver exactly once.
    pub(crate) fn exactly_once(kafka: &Kafka, name: &str) -> Scene {
        let scene = Scene::new(kafka, name).with("  delivery: exactly_once");
        Scene { exact: true, ..scene }
    }

    /// The same with further lines of the configuration's `kafka`.
    pub(crate) fn with(mut self, lines: &str) -> Scene {
        self.setting.kafka.push_str(&format!("\n{lines}"));
        self
    }

    /// Starts one more worker.
    pub(crate) fn hire(&mut self) {
        self.hire_with("");
    }

    /// Starts one more worker, with these further lines of the configuration's `kafka`.
    pub(crate) fn hire_with(&mut self, lines: &str) {
        let mut setting = self.setting.clone();
        setting.kafka.push_str(&format!("\n{lines}"));
        setting.port = harness::free_port().unwrap();
        let worker = Worker::start(&setting.yaml()).unwrap();
        self.workers.push((setting, worker));
    }

    /// Appends the points over some seconds, while other things happen.
    pub(crate) fn feed(&mut self) {
        let (mut connection, name) = (self.connection.clone(), self.name.clone());
        // A broker that restarts remembers a producer's last batch only: of several in flight, it
        // would append the others again, and the input were not the one that is compared with.
        connection.properties.insert("max.in.flight.requests.per.connection".into(), "1".into());
        self.feeding = Some(thread::spawn(move || {
            let began = Instant::now();
            POINTS.feed_paced(&connection, &name, |index| began + PACE * index as u32).unwrap();
        }));
    }

    /// Reads until so many tenths of all outputs have come.
    pub(crate) fn reach(&mut self, tenths: usize) {
        self.reach_count(count(&POINTS) * tenths / 10);
    }

    fn reach_count(&mut self, wanted: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.audit.outputs.len() < wanted {
            assert!(Instant::now() < deadline, "{}", self.stalled(wanted));
            self.check();
            self.audit.read(Duration::from_millis(100)).unwrap();
        }
    }

    /// Reads until the input of the first worker waits, for this cause.
    pub(crate) fn brake(&mut self, cause: &str) {
        let openings = format!("streaming_tda_breaker_openings_total{{cause=\"{cause}\"}}");
        let deadline = Instant::now() + PATIENCE;
        while self.workers[0].0.metric(&openings).iter().sum::<f64>() < 1.0 {
            assert!(Instant::now() < deadline, "{}", self.workers[0].1.log());
            self.watch(Duration::from_millis(100));
        }
    }

    /// Reads for a while.
    pub(crate) fn watch(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.check();
            self.audit.read(Duration::from_millis(50)).unwrap();
        }
    }

    /// Partitions that a worker computes, as it says itself.
    pub(crate) fn partitions(&self, worker: usize) -> usize {
        self.workers[worker].0.metric("streaming_tda_lag{").len()
    }

    /// Reads until each worker computes so many partitions.
    pub(crate) fn balance(&mut self, wanted: &[usize]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found: Vec<_> = (0..self.workers.len()).map(|i| self.partitions(i)).collect();
            if found == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{found:?} partitions, not {wanted:?}");
            self.watch(Duration::from_millis(100));
        }
    }

    /// Reads until an output of each partition has come that had not by now.
    pub(crate) fn serve_all(&mut self) {
        let first = self.heights();
        let deadline = Instant::now() + PATIENCE;
        let grown = |now: &[usize]| first.iter().zip(now).all(|(then, now)| now > then);
        while !grown(&self.heights()) {
            assert!(Instant::now() < deadline, "{first:?} then, {:?} now", self.heights());
            self.watch(Duration::from_millis(50));
        }
    }

    /// Diagrams of each partition.
    fn heights(&self) -> Vec<usize> {
        let mut heights = vec![0; POINTS.partitions as usize];
        for ((topic, partition, _), ids) in &self.audit.order {
            if topic.ends_with(".diagrams") {
                heights[*partition as usize] += ids.len();
            }
        }
        heights
    }

    /// Reads the rest, ends the workers, and compares all of it with an undisturbed run.
    pub(crate) fn conclude(mut self) {
        self.feeding.take().unwrap().join().unwrap();
        let truth = self.truth();
        // Alerts are among them, whose number nothing but an undisturbed run tells.
        self.reach_count(truth.len());
        self.audit.read_rest(QUIET).unwrap();
        for (_, worker) in self.workers.drain(..) {
            worker.terminate().unwrap();
        }
        self.audit.read_rest(QUIET).unwrap();
        let Scene { audit, name, .. } = &self;
        let found = audit.neutral(name);
        let lost: Vec<_> = truth.keys().filter(|id| !found.contains_key(*id)).take(5).collect();
        let extra: Vec<_> = found.keys().filter(|id| !truth.contains_key(*id)).take(5).collect();
        assert!(lost.is_empty() && extra.is_empty(), "lost {lost:?}, too much {extra:?}");
        assert!(found == *truth, "other bytes than those of an undisturbed run");
        assert_eq!(audit.out_of_order(), None);
        assert!(!self.exact || audit.repeated == 0, "{} outputs came again", audit.repeated);
        println!("{name}: {} outputs, {} came again", found.len(), audit.repeated);
    }

    /// What an undisturbed run puts out. A broker that goes away may have taken records of the
    /// feeder that it takes again when it comes back: then it is a run on this very input.
    fn truth(&self) -> Cow<'static, BTreeMap<String, String>> {
        let records = self.input();
        if records == POINTS.count() {
            return Cow::Borrowed(calm());
        }
        println!("{}: {records} records in the input, {} fed", self.name, POINTS.count());
        let output = format!("{}-calm", self.name);
        create_outputs(&self.connection, &output, POINTS.partitions).unwrap();
        let setting = self.setting.apart(&output).unwrap();
        Cow::Owned(undisturbed(&self.connection, &setting, &output).neutral(&self.name))
    }

    /// Records of the input.
    fn input(&self) -> usize {
        let tail = Tail::open(&self.connection, &[&self.name], Begin::First).unwrap();
        std::iter::from_fn(|| tail.next(QUIET).unwrap()).count()
    }

    fn check(&mut self) {
        for (_, worker) in &mut self.workers {
            worker.check().unwrap();
        }
    }

    fn stalled(&self, wanted: usize) -> String {
        let logs: Vec<_> = self.workers.iter().map(|(_, worker)| worker.log()).collect();
        let found = self.audit.outputs.len();
        format!("{found} of {wanted} outputs came within {PATIENCE:?}\n{}", logs.join("\n---\n"))
    }
}

/// What an undisturbed run puts out that is fed each point once: computed once in this process,
/// and equal to what the engine alone computes.
fn calm() -> &'static BTreeMap<String, String> {
    static CALM: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    CALM.get_or_init(|| {
        let kafka = Kafka::shared().unwrap();
        let (name, output) = ("chaos-calm", "chaos-calm-out");
        kafka.create_topics(name, &[output], POINTS.partitions).unwrap();
        POINTS.feed(&kafka.connection(), name, 0..POINTS.length).unwrap();
        let setting = Setting::new(&kafka, name, output).unwrap();
        let audit = undisturbed(&kafka.connection(), &setting, output);
        let engine = expected(&POINTS, name).unwrap();
        assert!(diagrams(&audit).unwrap() == engine, "not what the engine alone computes");
        audit.neutral(name)
    })
}

/// The outputs of a worker that nothing disturbs, and whose input is complete.
fn undisturbed(connection: &Connection, setting: &Setting, output: &str) -> Audit {
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let mut audit = Audit::of(connection, output).unwrap();
    audit.read_until(count(&POINTS), PATIENCE, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();
    assert_eq!(audit.repeated, 0, "an undisturbed run repeats nothing");
    audit
}

/// Scenes come one after another: what they measure is time, and there are few cores.
pub(crate) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
