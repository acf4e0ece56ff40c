//! End to end on a real Kafka: the worker, a Python program that does the same, and Kafka Streams
//! that passes points through. Prints what it finds and writes `target/bench/mesh.json`.

mod alone;
mod arrivals;
mod audit;
mod backlog;
mod course;
mod crew;
mod history;
mod job;
mod machine;
mod paced;
mod recovery;
mod results;
mod sharing;
mod show;
mod stage;
mod workload;

use anyhow::{Context, Result, bail};
use clap::Parser;
use course::Course;
use results::Results;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Measures the worker end to end on a real Kafka, beside a Python consumer and Kafka Streams
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to write the results
    #[arg(long, default_value = "target/bench/mesh.json")]
    out: PathBuf,
    /// Seconds that each rate and each latency is measured for
    #[arg(long, default_value_t = 8.0)]
    seconds: f64,
    /// Points a second at which latency is measured
    #[arg(long, default_value_t = 10_000.0)]
    rate: f64,
    /// Measure only the worker's latency, and write nothing
    #[arg(long)]
    latency: bool,
    /// Measure only what the same work costs by more workers, and write nothing
    #[arg(long)]
    scaling: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let began = Instant::now();
    if !(arguments.seconds > 0.0 && arguments.rate > 0.0) {
        bail!("seconds and rate must be above zero");
    }
    let measure = Duration::from_secs_f64(arguments.seconds);
    let rates = !arguments.latency && !arguments.scaling;
    let course = Course::prepare(measure, arguments.rate, rates)?;
    if arguments.latency {
        return course.latencies().map(drop);
    }
    if arguments.scaling {
        return course.scaling().map(drop);
    }
    let mut machine = machine::Machine::of(&course.peers.python)?;
    let (worker, peers) = course.run()?;
    machine.load_after = machine::load()?;
    let results = Results::of(machine, worker, peers);
    if let Some(folder) = arguments.out.parent() {
        fs::create_dir_all(folder)?;
    }
    let json = serde_json::to_string_pretty(&results)? + "\n";
    fs::write(&arguments.out, json)
        .with_context(|| format!("cannot write {}", arguments.out.display()))?;
    show::summary(&results);
    println!("written to {} after {:.0} s", arguments.out.display(), began.elapsed().as_secs_f64());
    match results.faults.len() {
        0 => Ok(()),
        faults => bail!("{faults} faults were found, see above: the figures are not to be trusted"),
    }
}
