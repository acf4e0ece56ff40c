//! The demonstration: a real electrocardiogram through a broker and the worker, watched live.
//!
//! A [`feeder`] plays a [`signal`] into the input topic of a broker inside the process (or a real
//! one), [`crate::run`] computes, and a reader of the three output topics, the [`director`], tells
//! the terminal, the live page and the report. Nothing here reaches into the worker: it is the
//! same as `run` with `examples/ecg.worker.yaml`, and all that is shown went through the topics and
//! `/metrics`.

mod arguments;
mod assets;
mod brokers;
mod director;
pub mod ecg;
mod feeder;
mod history;
mod latency;
mod page;
mod plan;
mod progress;
mod records;
mod reference;
mod report;
mod scene;
mod scrape;
mod signal;
mod story;
mod terminal;

pub use arguments::{Arguments, Speed};

use crate::shutdown::Shutdown;
use anyhow::{Context, anyhow, bail};
use brokers::Brokers;
use director::{Director, lock};
use feeder::Feeder;
use mesh::schema::Kind;
use mesh::tail::Begin;
use mesh::{Feed, Tail};
use page::Page;
use plan::Plan;
use progress::Progress;
use signal::Signal;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, ScopedJoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use story::Story;
use terminal::Terminal;

/// How long the worker may take to get its partition.
const START: Duration = Duration::from_secs(60);
/// How long an open page has to hear that it is over.
const FAREWELL: Duration = Duration::from_millis(300);

/// Plays the series until it is told to stop, or the time is over.
///
/// # Errors
/// When the input, the configuration or the broker cannot be used, or the worker stops.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // Errors alone, so that the story stays readable.
    crate::log::to_stderr("error");
    let shutdown = Shutdown::on_signals().context("cannot listen to signals")?;
    let signal = Arc::new(Signal::open(arguments)?);
    let mut plan = Plan::new(arguments, &signal)?;
    if let Some(folder) = &arguments.report {
        report::prepare(folder)?;
    }
    let brokers = Brokers::open(arguments.broker.as_deref(), &plan.config.kafka)?;
    let metrics = plan.connect(&brokers)?;
    let setup = plan.setup(&signal, arguments.speed);
    let story = Story::new(setup, signal.clone(), plan.filters(), plan.stride());
    let story = Arc::new(Mutex::new(story));
    let page = Page::start(arguments.port, story.clone()).with_context(|| {
        let port = arguments.port.unwrap_or_default();
        format!("cannot serve the page on port {port}; choose another with --port")
    })?;
    let terminal = Terminal::new();
    terminal.greet(lock(&story).setup(), &page.url(), &brokers.describe());
    play(arguments, &plan, &signal, &story, terminal, metrics, &shutdown)?;
    std::thread::sleep(FAREWELL);
    if let Some(folder) = &arguments.report {
        report::write(&lock(&story), folder)?;
        println!("report in {}", folder.display());
    }
    Ok(())
}

fn play(
    arguments: &Arguments,
    plan: &Plan,
    signal: &Signal,
    story: &Mutex<Story>,
    terminal: Terminal,
    metrics: SocketAddr,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let kafka = &plan.config.kafka;
    let outputs = Kind::ALL.map(|kind| kafka.output(kind));
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let tail = Tail::open(&kafka.connection(), &outputs, Begin::End)?;
    let feed = Feed::open(&kafka.connection(), &kafka.input)?;
    let worker = Worker::start(plan);
    worker.wait_until_ready(metrics, shutdown)?;
    let epoch = milliseconds_now();
    let series = match arguments.broker {
        Some(_) => format!("{}-{epoch}", signal.series),
        None => signal.series.clone(),
    };
    let (speed, seconds) = (arguments.speed, arguments.seconds);
    let feeder = Feeder { signal, series: &series, epoch, speed, seconds };
    let (progress, stop) = (Progress::start(), AtomicBool::new(false));
    let now = Instant::now();
    let mut director = Director {
        feeder: &feeder,
        progress: &progress,
        story,
        tail,
        metrics,
        terminal,
        asked: now,
        beaten: now,
    };
    std::thread::scope(|scope| {
        let fed = scope.spawn(|| feeder.run(&feed, &progress, &stop));
        let played = director
            .follow(|| Ok(worker.goes_on() && !fed.is_finished() && !shutdown.is_triggered()));
        stop.store(true, Ordering::Relaxed);
        fed_without_error(fed)?;
        played
    })?;
    director.catch_up(|| Ok(worker.goes_on()))?;
    worker.end()?;
    director.finish()
}

fn fed_without_error(fed: ScopedJoinHandle<'_, Result<(), mesh::Error>>) -> anyhow::Result<()> {
    match fed.join() {
        Ok(fed) => fed.context("cannot feed the worker"),
        Err(_) => bail!("the feeder has panicked; see the message above"),
    }
}

/// The worker, on a thread of this process.
struct Worker {
    shutdown: Shutdown,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Worker {
    fn start(plan: &Plan) -> Worker {
        let shutdown = Shutdown::default();
        let (config, told) = (plan.config.clone(), shutdown.clone());
        Worker { shutdown, thread: std::thread::spawn(move || crate::run(&config, &told)) }
    }

    fn goes_on(&self) -> bool {
        !self.thread.is_finished()
    }

    /// What is fed before would wait, and its latency would tell of the start alone.
    fn wait_until_ready(&self, metrics: SocketAddr, shutdown: &Shutdown) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.goes_on() && !shutdown.is_triggered() && !scrape::is_ready(metrics) {
            if began.elapsed() > START {
                bail!("the worker has had no partition for {START:?}: is its group in use?");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Lets it finish what is in hand.
    fn end(self) -> anyhow::Result<()> {
        self.shutdown.trigger();
        let ended = self.thread.join();
        ended.map_err(|_| anyhow!("the worker has panicked; see the message above"))?
    }
}

fn milliseconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as f64
}
