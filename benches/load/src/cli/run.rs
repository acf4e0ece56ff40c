use super::arguments::{Run, Target};
use crate::audit::{Cadence, Expectation, Repetitions};
use crate::feeder::Load;
use crate::keys::Keys;
use crate::report::{self, Goal, Report};
use crate::run::Plan;
use crate::schedule::Schedule;
use crate::stream::{Form, Points};
use crate::terminal::Terminal;
use crate::workers::{Pipeline, Workers};
use anyhow::{Context, Result, anyhow, ensure};
use mesh::schema::{Codec, Fields, Framing};
use mesh::{Connection, Kind, topics};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use worker::config::Config;

/// What is put under load.
struct Subject {
    connection: Connection,
    input: String,
    outputs: Vec<String>,
    dimension: usize,
    expectation: Expectation,
    metrics: Option<SocketAddr>,
    /// The workers that serve it, if it is one of workers.
    pipeline: Option<Pipeline>,
}

/// Sends points, reads the outputs, measures and audits them; gives the exit code.
///
/// # Errors
/// When that cannot be done.
pub(super) fn run(arguments: &Run) -> Result<u8> {
    let subject = Subject::of(&arguments.target)?;
    let address = arguments.metrics.or(subject.metrics);
    let mut workers = match &subject.pipeline {
        Some(pipeline) if arguments.pids.is_empty() => Workers::of(pipeline.clone()),
        _ => Workers::these(&arguments.pids).map_err(|why| anyhow!(why))?,
    }
    .with_metrics(address);
    let plan = plan(arguments, subject)?;
    let goal = goal(arguments);
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The second time, it ends at once.
        signal_hook::flag::register_conditional_default(signal, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    let mut terminal = Terminal::new();
    terminal.greet(&plan, goal);
    let outcome = crate::run(&plan, &stop, |progress| {
        workers.look(progress.at);
        terminal.show(progress, &workers);
    })?;
    let keys = arguments.keys.to_string();
    let report = Report::of(&plan, &keys, goal, &outcome, workers.seen());
    terminal.summarise(&report);
    if let Some(folder) = &arguments.report {
        report::write(&report, &outcome.labels, folder)?;
        terminal.say(&format!("written to {}", folder.display()));
    }
    Ok(report.result.exit_code())
}

fn goal(arguments: &Run) -> Goal {
    let p95_ms = 1000.0 * arguments.goal;
    let repetitions = repetitions(arguments.allow_repetitions);
    let lag_p99_ms = arguments.max_lag.map_or(p95_ms / 10.0, |lag| 1000.0 * lag);
    Goal { p95_ms, lag_p99_ms, repetitions }
}

pub(super) fn repetitions(allowed: bool) -> Repetitions {
    if allowed { Repetitions::Allowed } else { Repetitions::Forbidden }
}

fn plan(arguments: &Run, subject: Subject) -> Result<Plan> {
    let Run { shape, arrivals, warm_up, series, keys, seed, .. } = arguments;
    let seconds = arguments.duration.or(shape.end()).unwrap_or(60.0);
    ensure!(*series > 0, "--series is at least 1");
    ensure!(
        *warm_up < seconds,
        "the warm-up of {warm_up} s leaves nothing of the {seconds} s to measure: give a longer \
         --duration or a shorter --warm-up"
    );
    let points = Points {
        forms: forms(arguments, subject.dimension),
        anomalies: arguments.anomalies.clone(),
        seed: *seed,
    };
    points.check().map_err(|why| anyhow!(why))?;
    let dimension = points.dimension().map_err(|why| anyhow!(why))?;
    ensure!(
        dimension == subject.dimension,
        "{} has points of {dimension} numbers, the worker reads {}: choose another --form",
        points.forms[0],
        subject.dimension
    );
    let schedule = Schedule { shape: shape.clone(), arrivals: *arrivals, seconds, seed: *seed };
    let load = Load {
        schedule,
        keys: Keys::new(*keys, *series, *seed),
        series: *series,
        prefix: arguments.prefix.clone().unwrap_or_else(new_prefix),
        points,
    };
    Ok(Plan {
        connection: subject.connection,
        input: subject.input,
        outputs: subject.outputs,
        load,
        expectation: subject.expectation,
        warm_up: Duration::from_secs_f64(*warm_up),
        patience: Duration::from_secs_f64(arguments.patience),
    })
}

/// What was asked for, or else what has points of that dimension.
fn forms(arguments: &Run, dimension: usize) -> Vec<Form> {
    let usual = match dimension {
        1 => Form::signal(),
        2 => Form::circle(),
        3 => Form::torus(),
        _ => Form::Noise { dimension: dimension as f64, spread: 1.0 },
    };
    if arguments.forms.is_empty() { vec![usual] } else { arguments.forms.clone() }
}

fn new_prefix() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("load-{}-", now.as_millis())
}

pub(super) fn configuration(path: &Path) -> Result<Config> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    Config::from_yaml(&text).with_context(|| format!("in {}", path.display()))
}

impl Subject {
    fn of(target: &Target) -> Result<Subject> {
        match &target.config {
            Some(path) => Subject::worker(path, &configuration(path)?),
            None => Subject::numbered(target),
        }
    }

    fn worker(path: &Path, config: &Config) -> Result<Subject> {
        let input = &config.input;
        let plain = input.framing.is_none_or(|framing| framing == Framing::None)
            && input.registry.is_none();
        ensure!(
            input.codec == Codec::Json && input.fields == Fields::default() && plain,
            "the worker reads another encoding: points are sent as JSON without framing, with the \
             fields `time` and `values`; leave out `input` in its configuration"
        );
        let connection = config.kafka.connection();
        let partitions = topics::partitions(&connection, &config.kafka.input)?;
        Ok(Subject {
            input: config.kafka.input.clone(),
            outputs: Kind::ALL.map(|kind| config.kafka.output(kind)).to_vec(),
            dimension: config.series.dimension,
            expectation: Expectation::of(config, partitions),
            metrics: Some(config.http.listen),
            pipeline: Some(Pipeline::new(path, config)),
            connection,
        })
    }

    fn numbered(target: &Target) -> Result<Subject> {
        let Target { brokers, numbered, output, dimension, window, hop, .. } = target;
        let needed = "needs --config, or --numbered with --brokers and --output";
        let input = numbered.clone().context(needed)?;
        let cadence = Cadence { window: *window, hop: *hop, ..Cadence::EACH };
        ensure!(*window > 0 && *hop > 0, "--window and --hop are at least 1");
        Ok(Subject {
            connection: Connection::to(brokers.clone().context(needed)?),
            expectation: Expectation::numbered(&input, cadence),
            input,
            outputs: vec![output.clone().context(needed)?],
            dimension: *dimension,
            metrics: None,
            pipeline: None,
        })
    }
}
