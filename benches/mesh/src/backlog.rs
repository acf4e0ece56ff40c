//! How fast: points that are there already are worked off for some seconds.
//!
//! The clock and the CPU time of the processes begin to count when results come at their full
//! rate, and both end while they still do. What was computed meanwhile is told by when the broker
//! appended it. A reader reads the results, as readers do, but may be slower.

use crate::arrivals::{Reader, appended_within, now};
use crate::audit::{Audit, Extent};
use crate::crew::Crew;
use crate::history::History;
use crate::job::{Guarantee, Job, Peers, Route};
use crate::stage::{PARTITIONS, SERIES, Stage};
use crate::workload::Workload;
use anyhow::{Result, bail};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Time between two points of the backlog, milliseconds.
const STEP: f64 = 0.1;
/// The time of its first point.
const EPOCH: f64 = 1_700_000_000_000.0;
const PATIENCE: Duration = Duration::from_secs(60);
/// After the end, the processes go on for so long: what they appended before is committed then.
const COMMITTED: Duration = Duration::from_millis(500);

/// Points in a topic.
pub(crate) struct Backlog {
    pub(crate) topic: String,
    pub(crate) workload: Workload,
    pub(crate) points: usize,
    history: History,
}

/// What it took to work points off.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Drained {
    pub(crate) guarantee: Guarantee,
    pub(crate) points: usize,
    pub(crate) wall_seconds: f64,
    /// Of all processes, in all their threads and in the system for them.
    pub(crate) cpu_seconds: f64,
    pub(crate) points_per_second: f64,
    pub(crate) points_per_cpu_second: f64,
    /// Of all processes at the end.
    pub(crate) resident_bytes: usize,
    pub(crate) audit: Audit,
}

impl Drained {
    /// What was wrong.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.audit.faults(self.guarantee)
    }
}

/// A stretch of time, and what the processes did in it.
struct Stretch {
    /// Milliseconds since 1970.
    begin: f64,
    end: f64,
    cpu: Duration,
    resident_bytes: usize,
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// From the first result on, nothing is counted for so long.
    pub(crate) warm_up: Duration,
    /// Then it is counted for so long, or until all is done.
    pub(crate) measure: Duration,
}

impl Backlog {
    /// Appends points to a new topic.
    pub(crate) fn fill(stage: &Stage, workload: &Workload, points: usize) -> Result<Backlog> {
        let topic = format!("{}-{points}", workload.name);
        stage.create(std::slice::from_ref(&topic), PARTITIONS)?;
        let inlet = stage.inlet(&topic, PARTITIONS)?;
        for i in 0..points {
            let (series, index) = (i % SERIES, i / SERIES);
            let point = workload.point(series, index as u64);
            inlet.append(series, EPOCH + STEP * i as f64, &point)?;
        }
        inlet.finish()?;
        let history = History::read(stage, &topic, points)?;
        Ok(Backlog { topic, workload: workload.clone(), points, history })
    }

    /// Lets a process work it off; gives what it printed, too.
    pub(crate) fn drain(
        &self,
        stage: &Stage,
        job: &Job,
        peers: &Peers,
        output: &str,
        span: Span,
    ) -> Result<(Drained, String)> {
        let (input, workload) = (self.topic.clone(), self.workload.clone());
        let route = Route { input, output: output.into(), partitions: PARTITIONS, workload };
        stage.create(&route.outputs(), PARTITIONS)?;
        let mut crew = Crew::start(1, job, stage, &route, peers)?;
        let mut reader = Reader::open(stage, output)?;
        let stretch = self.measure(job, &mut crew, &mut reader, span)?;
        let said = crew.said();
        drop(crew);
        reader.read_rest(Duration::from_millis(500))?;
        stage.delete(&route.outputs())?;
        Ok((self.drained(job, &reader, &stretch, span)?, said))
    }

    fn measure(
        &self,
        job: &Job,
        crew: &mut Crew,
        reader: &mut Reader,
        span: Span,
    ) -> Result<Stretch> {
        read_until(crew, reader, |reader| !reader.arrivals.is_empty())?;
        let warm = Instant::now() + span.warm_up;
        read_until(crew, reader, |_| Instant::now() > warm)?;
        let (begin, cpu, clock) = (now(), crew.cpu()?, Instant::now());
        let due = SERIES * ((self.points / SERIES).saturating_sub(job.window()) / job.hop() + 1);
        let done = |reader: &Reader| clock.elapsed() > span.measure || reader.arrivals.len() >= due;
        read_until(crew, reader, done)?;
        let (end, cpu) = (now(), crew.cpu()?.saturating_sub(cpu));
        let stretch = Stretch { begin, end, cpu, resident_bytes: crew.resident_bytes()? };
        let over = Instant::now() + COMMITTED;
        read_until(crew, reader, |_| Instant::now() > over)?;
        Ok(stretch)
    }

    fn drained(
        &self,
        job: &Job,
        reader: &Reader,
        stretch: &Stretch,
        span: Span,
    ) -> Result<Drained> {
        let Stretch { begin, end, cpu, resident_bytes } = *stretch;
        // The backlog may have been worked off before the slower reader had all of it.
        let last = reader.arrivals.iter().map(|arrival| arrival.appended).max();
        let end = last.map_or(end, |last| end.min(last as f64 + 1.0));
        let wall_seconds = (end - begin) / 1e3;
        if wall_seconds < span.measure.as_secs_f64() / 4.0 {
            bail!("the backlog of {} was worked off in the warm-up: it is too small", self.topic);
        }
        let points = appended_within(&reader.arrivals, begin..end) * job.hop();
        let cpu_seconds = cpu.as_secs_f64();
        Ok(Drained {
            guarantee: job.guarantee(),
            points,
            wall_seconds,
            cpu_seconds,
            points_per_second: points as f64 / wall_seconds,
            points_per_cpu_second: points as f64 / cpu_seconds,
            resident_bytes,
            audit: Audit::of(&self.history, job, &reader.arrivals, Extent::Part)?,
        })
    }
}

/// Reads results until something is the case.
fn read_until(crew: &mut Crew, reader: &mut Reader, is: impl Fn(&Reader) -> bool) -> Result<()> {
    let mut last = Instant::now();
    while !is(reader) {
        if reader.read(Duration::from_millis(50))? {
            last = Instant::now();
            continue;
        }
        crew.check()?;
        if last.elapsed() > PATIENCE {
            bail!("no result came for {PATIENCE:?}\n{}", crew.logs());
        }
    }
    Ok(())
}
