//! What is said about a run: `report.json` for programs, `report.html` for people.

mod axis;
mod chart;
mod page;

pub(crate) use axis::number;

use crate::audit::{Repetitions, Verdict};
use crate::feeder::Label;
use crate::latency::Percentiles;
use crate::run::{Outcome, Plan};
use crate::schedule::Arrivals;
use crate::timeline::Moment;
use crate::workers::Seen;
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What a run is held against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// Milliseconds from the intended time within which 95 % of the outputs are to be readable.
    pub p95_ms: f64,
    /// Milliseconds within which 99 % of the points have to be sent. A run whose generator was
    /// later measured the generator: it is invalid.
    pub lag_p99_ms: f64,
    /// Whether outputs may come again.
    pub repetitions: Repetitions,
}

/// What is said of a run, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Everything is as it should be.
    Passed,
    /// The generator was too late itself, or measured nothing: the latencies say nothing.
    Invalid,
    /// Outputs are missing, doubled, out of order or unasked for.
    Faulty,
    /// The latency goal was missed.
    Slow,
}

/// `report.json`. Every number was measured in this run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name and version of this schema.
    pub schema: &'static str,
    /// The version of the generator.
    pub version: &'static str,
    /// What is said of the run, in one word.
    pub result: Finding,
    /// What is wrong, in sentences.
    pub reasons: Vec<String>,
    /// When it started, milliseconds since the Unix epoch.
    pub started_ms: f64,
    /// From the first point to the last output, in seconds.
    pub seconds: f64,
    /// Whether it was stopped before all points were sent.
    pub stopped: bool,
    /// What was asked for.
    pub load: Asked,
    /// What it is held against.
    pub goal: Goal,
    /// The machine of the generator.
    pub machine: Machine,
    /// Points a second that were sent after the warm-up.
    pub points_per_second: f64,
    /// Latencies after the warm-up, in milliseconds.
    pub latency_ms: Latency,
    /// From the intended time of a point to its sending, after the warm-up.
    pub lag_ms: Option<Percentiles>,
    /// What the audit says of the whole run.
    pub audit: Verdict,
    /// Records of others in the input, between the points of this run.
    pub foreign_records: u64,
    /// What was seen of the workers.
    pub workers: Option<Seen>,
    /// Stretches of points in which something happens.
    pub labels: usize,
    /// Second by second.
    pub timeline: Vec<Moment>,
    /// How the latencies from the intended time are distributed: the upper bounds of bins, in
    /// milliseconds, and how many outputs lie in each.
    pub histogram: Vec<(f64, u64)>,
}

/// Latencies in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// From the intended time of a point to its output that could be read.
    pub from_intended: Option<Percentiles>,
    /// From its sending.
    pub from_sent: Option<Percentiles>,
    /// From the intended time, by what the output is about.
    pub by_kind: BTreeMap<&'static str, Percentiles>,
    /// From the sending of a point to the acknowledgement of the brokers.
    pub stored: Option<Percentiles>,
}

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// The topic that points are sent to.
    pub input: String,
    /// The topics that outputs are read from.
    pub outputs: Vec<String>,
    /// Points a second.
    pub shape: String,
    /// How they follow each other.
    pub arrivals: Arrivals,
    /// For how long, in seconds, the warm-up included.
    pub seconds: f64,
    /// The seconds of them that are not measured.
    pub warm_up: f64,
    /// How they are spread over the series.
    pub keys: String,
    /// How many series.
    pub series: usize,
    /// What the series are like.
    pub forms: Vec<String>,
    /// What happens to them.
    pub anomalies: Option<String>,
    /// The seed of all of it.
    pub seed: u64,
}

/// The machine of the generator.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Its cores.
    pub cores: usize,
    /// Processes that were running or waiting to, on average over the last minute of the run.
    pub load_average: Option<f64>,
}

/// Bins of the histogram.
const BINS: usize = 40;

impl Report {
    /// The report of a run.
    pub fn of(
        plan: &Plan,
        keys: &str,
        goal: Goal,
        outcome: &Outcome,
        seen: Option<Seen>,
    ) -> Report {
        let Outcome { latencies, verdict, .. } = outcome;
        let kinds = latencies.kinds.iter();
        let latency_ms = Latency {
            from_intended: latencies.intended.percentiles(),
            from_sent: latencies.sent.percentiles(),
            by_kind: kinds.filter_map(|(k, d)| Some((k.name(), d.percentiles()?))).collect(),
            stored: latencies.stored.percentiles(),
        };
        let lag_ms = latencies.lag.percentiles();
        let (result, reasons) = judge(goal, verdict, latency_ms.from_intended, lag_ms);
        let measured = (outcome.sent_seconds - plan.warm_up.as_secs_f64()).max(f64::MIN_POSITIVE);
        Report {
            schema: "streaming-tda.load-report/v1",
            version: env!("CARGO_PKG_VERSION"),
            result,
            reasons,
            started_ms: outcome.started_ms,
            seconds: outcome.seconds,
            stopped: outcome.stopped,
            load: Asked::of(plan, keys),
            goal,
            machine: Machine::this(),
            points_per_second: lag_ms.map_or(0.0, |lag| lag.count as f64 / measured),
            latency_ms,
            lag_ms,
            audit: verdict.clone(),
            foreign_records: outcome.foreign,
            workers: seen,
            labels: outcome.labels.len(),
            timeline: outcome.moments.clone(),
            histogram: latencies.intended.bins(BINS),
        }
    }
}

/// What is said of a run, and why; what makes the rest meaningless comes first.
fn judge(
    goal: Goal,
    verdict: &Verdict,
    latency: Option<Percentiles>,
    lag: Option<Percentiles>,
) -> (Finding, Vec<String>) {
    let mut found = Vec::new();
    if !verdict.passes(goal.repetitions) {
        found.push((Finding::Faulty, format!("the audit found faults: {verdict}")));
    }
    match (lag, latency) {
        (Some(lag), _) if lag.p99 > goal.lag_p99_ms => found.push((
            Finding::Invalid,
            format!(
                "the generator itself was late: {} ms at the 99th percentile, at most {} ms \
                 are allowed; give it a quieter machine or a lower rate",
                number(lag.p99),
                number(goal.lag_p99_ms)
            ),
        )),
        (Some(_), Some(latency)) if latency.p95 > goal.p95_ms => found.push((
            Finding::Slow,
            format!(
                "95 % of the outputs came within {} ms, not {} ms",
                number(latency.p95),
                number(goal.p95_ms)
            ),
        )),
        (Some(_), Some(_)) => {}
        _ => found.push((
            Finding::Invalid,
            "nothing was measured: no output came of a point that was intended after the warm-up"
                .into(),
        )),
    }
    let first = found.first().map_or(Finding::Passed, |(finding, _)| *finding);
    (first, found.into_iter().map(|(_, reason)| reason).collect())
}

impl Finding {
    /// The exit code of the program.
    pub fn exit_code(self) -> u8 {
        match self {
            Finding::Passed => 0,
            Finding::Invalid => 3,
            Finding::Faulty => 4,
            Finding::Slow => 5,
        }
    }
}

impl Asked {
    fn of(plan: &Plan, keys: &str) -> Asked {
        let Plan { load, .. } = plan;
        Asked {
            input: plan.input.clone(),
            outputs: plan.outputs.clone(),
            shape: load.schedule.shape.to_string(),
            arrivals: load.schedule.arrivals,
            seconds: load.schedule.seconds,
            warm_up: plan.warm_up.as_secs_f64(),
            keys: keys.into(),
            series: load.series,
            forms: load.points.forms.iter().map(ToString::to_string).collect(),
            anomalies: load.points.anomalies.as_ref().map(ToString::to_string),
            seed: load.points.seed,
        }
    }
}

impl Machine {
    fn this() -> Machine {
        let load = fs::read_to_string("/proc/loadavg").ok();
        let first = |text: String| text.split_whitespace().next()?.parse().ok();
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load_average: load.and_then(first),
        }
    }
}

/// Writes `report.json` and `report.html`, and `labels.jsonl` if something happens in the points, into a folder,
/// which is made if it does not exist.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write(report: &Report, labels: &[Label], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let put = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    put("report.json", serde_json::to_string_pretty(report)? + "\n")?;
    put("report.html", page::html(report))?;
    if labels.is_empty() {
        return Ok(());
    }
    let lines: Result<Vec<String>, _> = labels.iter().map(serde_json::to_string).collect();
    put("labels.jsonl", lines?.join("\n") + "\n")
}

#[cfg(test)]
mod tests;
