//! How soon: points come at a steady rate, each at its intended time, whatever becomes of them.

use crate::arrivals::{Arrival, Reader, appended_within, now};
use crate::audit::{Audit, Extent};
use crate::crew::Crew;
use crate::history::History;
use crate::job::{Guarantee, Job, Peers, Route};
use crate::stage::{Inlet, SERIES, Stage};
use crate::workload::{HOP, WINDOW, Workload};
use anyhow::{Context, Result, bail};
use load::latency::{Distribution, Percentiles};
use serde::Serialize;
use std::ops::Range;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Within this, 95 % of the results are to be readable.
const GOAL_MS: f64 = 20.0;
/// A generator that is later than this share of a goal, at the 99th percentile, has measured
/// itself. The rule is that of `stda-load`.
pub(crate) const TOLERABLE_LAG: f64 = 0.1;
/// How long the generator rests between two looks at the clock.
const REST: Duration = Duration::from_micros(200);
/// After the last point, all results are there when none has come for so long.
const QUIET: Duration = Duration::from_secs(2);
/// In this time processes start and join their group; who takes longer does so in the warm-up.
const JOIN: Duration = Duration::from_secs(3);

/// Points of the first series that come before, all at once: the windows are then all but full.
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
    /// Points come in pulses, so long after one another; each at its own time when this is zero.
    pub(crate) pulse: Duration,
}

/// How soon results were there.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Paced {
    pub(crate) guarantee: Guarantee,
    /// Whether the generator has kept to its rate. Otherwise the figures mean nothing.
    pub(crate) valid: bool,
    pub(crate) points_per_second: f64,
    /// Of the input and the output.
    pub(crate) partitions: i32,
    /// From the time at which a point was to be sent until its result was read. What holds up the
    /// generator, the broker or the process counts, for all points that were due meanwhile.
    pub(crate) latency_ms: Percentiles,
    /// The same from the append of the point by the broker. Append times are whole milliseconds,
    /// rounded down: this is up to 1 ms too much.
    pub(crate) from_append_ms: Percentiles,
    /// How late the generator was with the points that were timed.
    pub(crate) generator_lag_ms: Percentiles,
    /// CPU time of the processes in a second, in seconds.
    pub(crate) cores: f64,
    pub(crate) audit: Audit,
}

/// What a steady run left behind.
pub(crate) struct Record {
    partitions: i32,
    pub(crate) history: History,
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) generator_lag: Percentiles,
    /// When points were timed, milliseconds since 1970.
    timed: Range<f64>,
    /// CPU time of the processes meanwhile.
    cpu_seconds: f64,
}

impl Pace {
    /// Those that come at their times.
    fn points(&self) -> usize {
        (self.rate * (self.warm_up + self.measure).as_secs_f64()) as usize
    }

    /// Those, and those that come before.
    fn all(&self) -> usize {
        BEFORE * SERIES + self.points() - (0..SERIES).map(late).sum::<usize>()
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
        stage.create(&route.topics(), route.partitions)?;
        let mut crew = Crew::start(workers, job, stage, route, peers)?;
        let mut reader = Reader::open(stage, &route.output)?;
        thread::sleep(JOIN);
        let start = now() + LEAD_MS;
        let inlet = stage.inlet(&route.input, route.partitions)?;
        let generator = self.generate(inlet, &route.workload, start);
        let timed_from = start + self.warm_up.as_secs_f64() * 1e3;
        let mut spent = None;
        while !generator.is_finished() {
            reader.read(Duration::from_millis(5))?;
            meanwhile((now() - start) / 1e3, &mut crew)?;
            crew.check()?;
            if spent.is_none() && now() >= timed_from {
                spent = Some((now(), crew.cpu()?));
            }
        }
        let (began, before) = spent.context("the generator ended in the warm-up")?;
        let (timed, cpu) = (began..now(), crew.cpu()?.saturating_sub(before));
        let generator_lag = joined(generator)?.percentiles().context("no point was timed")?;
        reader.read_rest(QUIET)?;
        crew.check()?;
        drop(crew);
        let history = History::read(stage, &route.input, self.all())?;
        let arrivals = reader.arrivals;
        stage.delete(&route.topics())?;
        let cpu_seconds = cpu.as_secs_f64();
        let partitions = route.partitions;
        Ok(Record { partitions, history, arrivals, generator_lag, timed, cpu_seconds })
    }

    /// Appends each point when its time has come, on a thread of its own; gives how late those
    /// were that are timed.
    fn generate(
        &self,
        inlet: Inlet,
        workload: &Workload,
        start: f64,
    ) -> JoinHandle<Result<Distribution>> {
        let (step, count, workload) = (1e3 / self.rate, self.points(), workload.clone());
        let before = BEFORE * SERIES;
        let (pulse, warm_up) = (1e3 * self.pulse.as_secs_f64(), 1e3 * self.warm_up.as_secs_f64());
        thread::spawn(move || {
            let mut lags = Distribution::default();
            for i in 0..before + count {
                let (series, turn) = (i % SERIES, i / SERIES);
                let Some(index) = turn.checked_sub(late(series)) else { continue };
                let intended = start + step * (i as f64 - before as f64);
                let point = workload.point(series, index as u64);
                let due = start + in_pulses(intended - start, pulse);
                while i >= before && now() < due {
                    thread::sleep(REST);
                }
                if intended >= start + warm_up {
                    lags.add(milliseconds(now() - due));
                }
                inlet.append(series, intended, &point)?;
            }
            inlet.finish()?;
            Ok(lags)
        })
    }
}

/// Turns after the first series, at which a series begins: results do not all fall due at once, as
/// those of sensors do not that know nothing of each other.
fn late(series: usize) -> usize {
    series * HOP / SERIES
}

fn joined(generator: JoinHandle<Result<Distribution>>) -> Result<Distribution> {
    match generator.join() {
        Ok(lags) => lags,
        Err(_) => bail!("the generator has panicked; see the message above"),
    }
}

/// When the pulse comes that a time belongs to; the time itself where there are none.
fn in_pulses(time: f64, pulse: f64) -> f64 {
    if pulse > 0.0 { (time / pulse).ceil() * pulse } else { time }
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
        for arrival in self.arrivals.iter().filter(|a| a.time >= self.timed.start) {
            let point = self.history.series[arrival.series].appended(arrival.time);
            let point = point.context("a result is of a point that is not in the input")?;
            appended.add(milliseconds(arrival.readable - point as f64));
            intended.add(milliseconds(arrival.readable - arrival.time));
        }
        Ok(Paced {
            guarantee: job.guarantee(),
            valid: self.generator_lag.p99 <= TOLERABLE_LAG * GOAL_MS,
            points_per_second: pace.rate,
            partitions: self.partitions,
            latency_ms: intended.percentiles().context("no result came in time")?,
            from_append_ms: appended.percentiles().context("no result came in time")?,
            generator_lag_ms: self.generator_lag,
            cores: 1e3 * self.cpu_seconds / (self.timed.end - self.timed.start),
            audit,
        })
    }

    /// The points that were worked off while they were timed, and the CPU time that this took.
    pub(crate) fn work(&self, job: &Job) -> (usize, f64) {
        let results = appended_within(&self.arrivals, self.timed.clone());
        (results * job.hop(), self.cpu_seconds)
    }
}

/// What is said of a generator that was too late.
pub(crate) fn too_late(lag_ms: f64) -> String {
    format!("the generator was {lag_ms:.1} ms late (P99): measure on a quieter machine")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_wait_for_their_pulse() {
        let waits = [(0.0, 0.0), (0.1, 50.0), (50.0, 50.0), (50.1, 100.0), (-0.1, 0.0)];
        assert!(waits.iter().all(|(time, pulse)| in_pulses(*time, 50.0) == *pulse));
        assert_eq!(in_pulses(12.5, 0.0), 12.5);
    }
}
