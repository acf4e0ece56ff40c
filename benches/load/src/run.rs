//! A run: points go out, outputs come back, and both are matched.

use crate::audit::{Expectation, Verdict};
use crate::clock::Clock;
use crate::feeder::{Label, Load, Sent};
use crate::latency::Percentiles;
use crate::ledger::{Event, Latencies, Ledger};
use crate::reader::Reader;
use crate::schedule::Schedule;
use crate::timeline::Moment;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};
use mesh::tail::Begin;
use mesh::{Connection, Feed};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How to reach Kafka.
    pub connection: Connection,
    /// The topic that points are sent to.
    pub input: String,
    /// The topics that outputs are read from.
    pub outputs: Vec<String>,
    /// The points.
    pub load: Load,
    /// Which outputs there must be.
    pub expectation: Expectation,
    /// What is intended before this time is sent and audited, but not measured.
    pub warm_up: Duration,
    /// How long is waited for an output that has to come, or may, since the last one came.
    pub patience: Duration,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// When it started, milliseconds since the Unix epoch.
    pub started_ms: f64,
    /// From the first point to the last output, in seconds.
    pub seconds: f64,
    /// Until the last point was to be sent, in seconds.
    pub sent_seconds: f64,
    /// What was measured after the warm-up.
    pub latencies: Latencies,
    /// What happened, second by second.
    pub moments: Vec<Moment>,
    /// What the audit says.
    pub verdict: Verdict,
    /// Records of others in the input, between the points of this run.
    pub foreign: u64,
    /// Where something happens in the points.
    pub labels: Vec<Label>,
    /// Whether it was stopped before all points were sent.
    pub stopped: bool,
}

/// How a run is going.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Since the start.
    pub at: Duration,
    /// Points that were to be sent so far.
    pub intended: f64,
    /// Points a second that are to be sent now.
    pub rate: f64,
    /// Points that the brokers have.
    pub stored: u64,
    /// Outputs that came.
    pub outputs: u64,
    /// Outputs that have to come and have not yet.
    pub owed: u64,
    /// Outputs that came again, came late, or do not say what caused them.
    pub faults: u64,
    /// From the intended time to an output that could be read, after the warm-up.
    pub latency: Option<Percentiles>,
    /// From the intended time to the sending, after the warm-up.
    pub lag: Option<Percentiles>,
}

/// Between two looks at how it is going.
const TICK: Duration = Duration::from_millis(250);
/// Before the first point, so that everything is ready.
const LEAD: Duration = Duration::from_millis(300);
/// After the last output that has to come, for those that should not.
const SETTLE: Duration = Duration::from_secs(1);
/// Events that are written down before others may look.
const BATCH: usize = 1000;
/// How long the brokers may take for the last points.
const STORED_WITHIN: Duration = Duration::from_secs(120);

/// Runs a plan until its end or `stop`, and calls `look` four times a second.
///
/// # Errors
/// When Kafka cannot be reached, a topic does not exist, or points are refused.
pub fn run(plan: &Plan, stop: &AtomicBool, look: impl FnMut(&Progress)) -> Result<Outcome> {
    let reader = Reader::open(&plan.connection, &plan.outputs, Begin::End, &plan.expectation)
        .context("cannot read the outputs: start the worker first, which makes their topics")?;
    let (events, happened) = unbounded();
    let clock = Clock::starting_in(LEAD);
    let notes = events.clone();
    let feed = Feed::noting(&plan.connection, &plan.input, move |sent, place| {
        _ = notes.send((clock.now(), Event::Stored(sent, place)));
    })?;
    let stage = Stage {
        plan,
        clock,
        ledger: Mutex::new(plan.ledger()),
        happened,
        halt: AtomicBool::new(false),
        done: AtomicBool::new(false),
    };
    let (labels, stopped) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| stage.read(&reader, &events));
        scope.spawn(|| stage.record());
        let feeding = scope.spawn(|| stage.feed(&feed));
        stage.watch(&feeding, &reading, stop, look);
        stage.end();
        joined(reading)?;
        Ok::<_, anyhow::Error>((joined(feeding)?, stop.load(Ordering::Relaxed)))
    })?;
    Ok(stage.outcome(labels, stopped))
}

/// What the threads of a run share.
struct Stage<'a> {
    plan: &'a Plan,
    clock: Clock,
    ledger: Mutex<Ledger>,
    happened: Receiver<(Duration, Event)>,
    /// No more points are to be sent.
    halt: AtomicBool,
    /// Nothing more is to be read.
    done: AtomicBool,
}

type Running<'scope, T> = ScopedJoinHandle<'scope, Result<T>>;

impl Stage<'_> {
    fn feed(&self, feed: &Feed<Sent>) -> Result<Vec<Label>> {
        let labels = self.plan.load.send(feed, &self.clock, &self.halt)?;
        feed.finish(STORED_WITHIN)?;
        Ok(labels)
    }

    fn read(&self, reader: &Reader, events: &Sender<(Duration, Event)>) -> Result<()> {
        while !self.done.load(Ordering::Relaxed) {
            if let Some(arrival) = reader.next(TICK, &self.clock)? {
                _ = events.send((arrival.at, Event::Came(arrival)));
            }
        }
        Ok(())
    }

    /// Writes down what happens, until all is over and written down.
    fn record(&self) {
        loop {
            match self.happened.recv_timeout(TICK) {
                Ok((now, event)) => {
                    let mut ledger = self.ledger();
                    ledger.take(event, now);
                    self.happened.try_iter().take(BATCH).for_each(|(at, e)| ledger.take(e, at));
                }
                Err(_) if self.done.load(Ordering::Relaxed) => return,
                Err(_) => {}
            }
        }
    }

    /// Looks on until all points are sent and all outputs have come, or come no longer; or until
    /// reading fails.
    fn watch(
        &self,
        feeding: &Running<'_, Vec<Label>>,
        reading: &Running<'_, ()>,
        stop: &AtomicBool,
        mut look: impl FnMut(&Progress),
    ) {
        let mut fed = Duration::ZERO;
        while !reading.is_finished() && (!feeding.is_finished() || self.is_waiting(fed)) {
            std::thread::sleep(TICK);
            if stop.load(Ordering::Relaxed) {
                self.halt.store(true, Ordering::Relaxed);
            }
            if !feeding.is_finished() {
                fed = self.clock.now();
            }
            look(&self.progress());
        }
    }

    fn end(&self) {
        self.halt.store(true, Ordering::Relaxed);
        self.done.store(true, Ordering::Relaxed);
    }

    /// Whether something may still come, after the last point was sent at `fed`. What cannot be
    /// foreseen is never owed, and may come as late as what is.
    fn is_waiting(&self, fed: Duration) -> bool {
        let ledger = self.ledger();
        let quiet = self.clock.now().saturating_sub(ledger.last_arrival().max(fed));
        let is_owed = ledger.owed() > 0 || !self.plan.expectation.foresees_all();
        let longest = if is_owed { self.plan.patience } else { SETTLE };
        !self.happened.is_empty() || quiet < longest
    }

    fn progress(&self) -> Progress {
        let ledger = self.ledger();
        let (at, verdict) = (self.clock.now(), ledger.so_far());
        let Schedule { shape, seconds, .. } = &self.plan.load.schedule;
        let t = at.as_secs_f64();
        Progress {
            at,
            intended: shape.points(t.min(*seconds)),
            rate: if t < *seconds { shape.rate(t) } else { 0.0 },
            stored: verdict.inputs,
            outputs: verdict.arrived,
            owed: ledger.owed(),
            faults: verdict.duplicated + verdict.out_of_order + verdict.unexpected,
            latency: ledger.latencies().intended.percentiles(),
            lag: ledger.latencies().lag.percentiles(),
        }
    }

    fn outcome(self, labels: Vec<Label>, stopped: bool) -> Outcome {
        let ledger = self.ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
        Outcome {
            started_ms: self.clock.epoch_ms(Duration::ZERO),
            seconds: ledger.last_arrival().as_secs_f64(),
            sent_seconds: ledger.sent_until().as_secs_f64(),
            latencies: ledger.latencies().clone(),
            moments: ledger.moments(),
            verdict: ledger.verdict(),
            foreign: ledger.foreign(),
            labels,
            stopped,
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn ledger(&self) -> Ledger {
        let seconds = self.load.schedule.seconds;
        Ledger::new(self.expectation.clone(), &self.load.prefix, seconds, self.warm_up)
    }
}

fn joined<T>(thread: Running<'_, T>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
