//! How fast: points that are there already are worked off for some seconds.
//!
//! The clock and the CPU time of the processes begin to count when results come at their full
//! rate, and both end while they still do. A reader reads the results meanwhile, as readers do.

use crate::arrivals::Reader;
use crate::audit::{Audit, Extent};
use crate::crew::Crew;
use crate::history::History;
use crate::job::{Job, Peers, Route};
use crate::stage::{SERIES, Stage};
use crate::workload::Workload;
use anyhow::{Result, bail};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Time between two points of the backlog, milliseconds.
const STEP: f64 = 0.1;
/// The time of its first point.
const EPOCH: f64 = 1_700_000_000_000.0;
const PATIENCE: Duration = Duration::from_secs(60);

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
        stage.create(std::slice::from_ref(&topic))?;
        let inlet = stage.inlet(&topic)?;
        for i in 0..points {
            let (series, index) = (i % SERIES, i / SERIES);
            let point = workload.point(series, index as u64);
            inlet.append(series, EPOCH + STEP * i as f64, &point)?;
        }
        inlet.finish()?;
        let history = History::read(stage, &topic, points)?;
        Ok(Backlog { topic, workload: workload.clone(), points, history })
    }

    /// Lets so many processes work it off together; gives what the first of them printed, too.
    pub(crate) fn drain(
        &self,
        stage: &Stage,
        job: &Job,
        peers: &Peers,
        workers: usize,
        output: &str,
        span: Span,
    ) -> Result<(Drained, String)> {
        let (input, workload) = (self.topic.clone(), self.workload.clone());
        let route = Route { input, output: output.into(), workload };
        stage.create(&route.outputs())?;
        let mut crew = Crew::start(workers, job, stage, &route, peers)?;
        let mut reader = Reader::open(stage, output)?;
        let drained = self.measure(job, &mut crew, &mut reader, span);
        let said = crew.said();
        drop(crew);
        reader.read_rest(Duration::from_millis(500))?;
        let mut drained = drained?;
        drained.audit = Audit::of(&self.history, job, &reader.arrivals, Extent::Part)?;
        stage.delete(&route.outputs())?;
        Ok((drained, said))
    }

    fn measure(
        &self,
        job: &Job,
        crew: &mut Crew,
        reader: &mut Reader,
        span: Span,
    ) -> Result<Drained> {
        read_until(crew, reader, |reader| !reader.arrivals.is_empty())?;
        let warm = Instant::now() + span.warm_up;
        read_until(crew, reader, |_| Instant::now() > warm)?;
        let (begin, cpu, before) = (Instant::now(), crew.cpu()?, reader.arrivals.len());
        let due = SERIES * ((self.points / SERIES).saturating_sub(job.window()) / job.hop() + 1);
        let done = |reader: &Reader| begin.elapsed() > span.measure || reader.arrivals.len() >= due;
        read_until(crew, reader, done)?;
        let (wall, spent) = (begin.elapsed(), crew.cpu()? - cpu);
        let points = (reader.arrivals.len() - before) * job.hop();
        if wall < span.measure / 4 {
            bail!("the backlog of {} was worked off in the warm-up: it is too small", self.topic);
        }
        let (wall_seconds, cpu_seconds) = (wall.as_secs_f64(), spent.as_secs_f64());
        Ok(Drained {
            points,
            wall_seconds,
            cpu_seconds,
            points_per_second: points as f64 / wall_seconds,
            points_per_cpu_second: points as f64 / cpu_seconds,
            resident_bytes: crew.resident_bytes()?,
            audit: Audit::default(),
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
