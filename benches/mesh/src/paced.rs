//! How soon: points come at a steady rate, each at its intended time, whatever becomes of them.

use crate::arrivals::{Arrival, Reader, now};
use crate::audit::{Audit, Extent};
use crate::crew::Crew;
use crate::history::History;
use crate::job::{Job, Peers, Route};
use crate::stage::{Inlet, SERIES, Stage};
use crate::workload::{WINDOW, Workload};
use anyhow::{Context, Result, bail};
use load::latency::{Distribution, Percentiles};
use serde::Serialize;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A generator that is later than this at the 99th percentile has not kept to its rate.
const TOLERABLE_LAG_MS: f64 = 20.0;
/// How long the generator rests between two looks at the clock.
const REST: Duration = Duration::from_micros(200);
/// After the last point, all results are there when none has come for so long.
const QUIET: Duration = Duration::from_secs(2);

/// Points of each series that come before, all at once: the windows are then all but full.
const BEFORE: usize = WINDOW - 1;
/// From then until the first point comes at its time.
const LEAD_MS: f64 = 2000.0;

/// A steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Points a second.
    pub(crate) rate: f64,
    /// What comes in the first seconds is audited, but not timed.
    pub(crate) warm_up: Duration,
    /// What comes afterwards is timed.
    pub(crate) measure: Duration,
}

/// How soon results were there.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Paced {
    /// Whether the generator has kept to its rate. Otherwise the figures mean nothing.
    pub(crate) valid: bool,
    pub(crate) points_per_second: f64,
    /// From the append of a point by the broker until its result was read. Append times are whole
    /// milliseconds, rounded down: this is up to 1 ms too much.
    pub(crate) latency_ms: Percentiles,
    /// The same from the time at which the generator intended to send the point.
    pub(crate) from_intended_ms: Percentiles,
    /// How late the generator was.
    pub(crate) generator_lag_ms: Percentiles,
    /// CPU time of the processes in a second, in seconds.
    pub(crate) cores: f64,
    pub(crate) audit: Audit,
}

/// What a steady run left behind.
pub(crate) struct Record {
    pub(crate) history: History,
    pub(crate) arrivals: Vec<Arrival>,
    generator_lag: Distribution,
    /// When points began to be timed, milliseconds since 1970.
    timed_from: f64,
    cores: f64,
}

impl Pace {
    /// Those that come at their times.
    fn points(&self) -> usize {
        (self.rate * (self.warm_up + self.measure).as_secs_f64()) as usize
    }

    /// Runs so many processes at this pace. `meanwhile` is called all the time, with the seconds
    /// since the first point is due; it may end processes.
    pub(crate) fn run(
        &self,
        stage: &Stage,
        peers: &Peers,
        job: &Job,
        route: &Route,
        workers: usize,
        mut meanwhile: impl FnMut(f64, &mut Crew) -> Result<()>,
    ) -> Result<Record> {
        stage.create(&route.topics())?;
        let mut crew = Crew::start(workers, job, stage, route, peers)?;
        let mut reader = Reader::open(stage, &route.output)?;
        // Until all have joined their group.
        thread::sleep(Duration::from_secs(5));
        let start = now() + LEAD_MS;
        let generator = self.generate(stage.inlet(&route.input)?, &route.workload, start);
        let timed_from = start + self.warm_up.as_secs_f64() * 1e3;
        let mut spent = None;
        while !generator.is_finished() {
            reader.read(Duration::from_millis(5))?;
            meanwhile((now() - start) / 1e3, &mut crew)?;
            crew.check()?;
            if spent.is_none() && now() >= timed_from {
                spent = Some((Instant::now(), crew.cpu()?));
            }
        }
        let (began, before) = spent.context("the generator ended in the warm-up")?;
        let cores =
            (crew.cpu()?.saturating_sub(before)).as_secs_f64() / began.elapsed().as_secs_f64();
        let generator_lag = joined(generator)?;
        reader.read_rest(QUIET)?;
        crew.check()?;
        drop(crew);
        let history = History::read(stage, &route.input, BEFORE * SERIES + self.points())?;
        let arrivals = reader.arrivals;
        stage.delete(&route.topics())?;
        Ok(Record { history, arrivals, generator_lag, timed_from, cores })
    }

    /// Appends each point when its time has come, on a thread of its own; gives how late they
    /// were.
    fn generate(
        &self,
        inlet: Inlet,
        workload: &Workload,
        start: f64,
    ) -> JoinHandle<Result<Distribution>> {
        let (step, count, workload) = (1e3 / self.rate, self.points(), workload.clone());
        let before = BEFORE * SERIES;
        thread::spawn(move || {
            let mut lags = Distribution::default();
            for i in 0..before + count {
                let intended = start + step * (i as f64 - before as f64);
                let point = workload.point(i % SERIES, (i / SERIES) as u64);
                while i >= before && now() < intended {
                    thread::sleep(REST);
                }
                inlet.append(i % SERIES, intended, &point)?;
                if i >= before {
                    lags.add(milliseconds(now() - intended));
                }
            }
            inlet.finish()?;
            Ok(lags)
        })
    }
}

fn joined(generator: JoinHandle<Result<Distribution>>) -> Result<Distribution> {
    match generator.join() {
        Ok(lags) => lags,
        Err(_) => bail!("the generator has panicked; see the message above"),
    }
}

fn milliseconds(milliseconds: f64) -> Duration {
    Duration::from_secs_f64(milliseconds.max(0.0) / 1e3)
}

impl Record {
    /// How soon the results were there of the points that were timed.
    ///
    /// # Errors
    /// When nothing was timed.
    pub(crate) fn paced(self, pace: &Pace, job: &Job) -> Result<Paced> {
        let audit = Audit::of(&self.history, job, &self.arrivals, Extent::Whole)?;
        let (mut appended, mut intended) = (Distribution::default(), Distribution::default());
        for arrival in self.arrivals.iter().filter(|a| a.time >= self.timed_from) {
            let point = self.history.series[arrival.series].appended(arrival.time);
            let point = point.context("a result is of a point that is not in the input")?;
            appended.add(milliseconds(arrival.readable - point as f64));
            intended.add(milliseconds(arrival.readable - arrival.time));
        }
        let lag = self.generator_lag.percentiles().context("no point was generated")?;
        Ok(Paced {
            valid: lag.p99 <= TOLERABLE_LAG_MS,
            points_per_second: pace.rate,
            latency_ms: appended.percentiles().context("no result came in time")?,
            from_intended_ms: intended.percentiles().context("no result came in time")?,
            generator_lag_ms: lag,
            cores: self.cores,
            audit,
        })
    }
}
