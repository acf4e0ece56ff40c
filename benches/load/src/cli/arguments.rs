use crate::keys::Spread;
use crate::schedule::Arrivals;
use crate::shape::Shape;
use crate::stream::{Anomalies, Form};
use crate::text::seconds;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Send points, read the outputs, measure and audit them
    ///
    /// Exit codes: 0 all is well; 1 it could not be done; 2 wrong command line; 3 invalid, the
    /// generator itself was too late or nothing was measured; 4 the audit found faults; 5 the
    /// latency goal was missed.
    Run(Box<Run>),
    /// Match all outputs in Kafka with the inputs that are there
    ///
    /// Reads the topics of a worker from their first record to their end, whoever sent the points.
    /// Exit codes: 0 all is well; 1 it could not be done; 4 it found faults.
    Audit(Audit),
    /// Draw a shape, or explain how shapes are written
    Shapes(Shapes),
}

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) target: Target,
    /// Points a second: constant(RATE), ramp(FROM, TO, OVER), step(AT, RATE), spike(AT, RATE,
    /// LASTING), wave(MEAN, AMPLITUDE, PERIOD), with `+`, `2 *`, `for 5m`, `then`; see `shapes`
    #[arg(long, default_value = "constant(1000)")]
    pub(super) shape: Shape,
    /// How points follow each other
    #[arg(long, value_enum, default_value = "paced")]
    pub(super) arrivals: Arrivals,
    /// For how long points are sent, the warm-up included [default: as long as the shape, or 60s]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(super) duration: Option<f64>,
    /// How long at the beginning is sent and audited, but not measured
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "5s")]
    pub(super) warm_up: f64,
    /// How many series
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) series: usize,
    /// How the points are spread over them: turns, uniform or zipf(S)
    #[arg(long, value_name = "SPREAD", default_value = "turns")]
    pub(super) keys: Spread,
    /// What series are like: circle, torus, clusters, signal or noise, with parameters as in
    /// circle(period=50, noise=0.1); several take turns [default: by the dimension of the worker]
    #[arg(long = "form", value_name = "FORM")]
    pub(super) forms: Vec<Form>,
    /// What happens to them, as in `open + stop every 5000 lasting 300 after 2000`, counted in
    /// points of a series; open, split, die, radius, stop, frequency
    #[arg(long, value_name = "WHAT")]
    pub(super) anomalies: Option<Anomalies>,
    /// The same seed gives the same points
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// What the series are called before their number [default: new in every run, so that the
    /// worker knows none of them]
    #[arg(long, value_name = "TEXT")]
    pub(super) prefix: Option<String>,
    /// The time from the intended time within which 95 % of the outputs are to be readable
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "20ms")]
    pub(super) goal: f64,
    /// How late the generator itself may be with 1 % of the points [default: a tenth of the goal]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(super) max_lag: Option<f64>,
    /// Outputs may come again with the same bytes, as after a crash under at-least-once delivery
    #[arg(long)]
    pub(super) allow_repetitions: bool,
    /// How long is waited for outputs that have to come, since the last one came
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "30s")]
    pub(super) patience: f64,
    /// Processes whose memory and processor time is sampled [default: the workers on this machine
    /// with the same configuration, or one with the same group and input]
    #[arg(long = "pid", value_name = "PID")]
    pub(super) pids: Vec<u32>,
    /// Where a worker tells its metrics [default: as the configuration says]
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) metrics: Option<SocketAddr>,
    /// Write report.json, report.html and labels.jsonl to this folder at the end
    #[arg(long, value_name = "DIR")]
    pub(super) report: Option<PathBuf>,
}

/// What is put under load.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// The configuration of the worker: it says where Kafka is, the topics, and what has to come
    #[arg(long, value_name = "FILE", required_unless_present = "numbered")]
    pub(super) config: Option<PathBuf>,
    /// Instead of a worker's: brokers
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "config", requires = "numbered")]
    pub(super) brokers: Option<String>,
    /// Not a worker, but a program that reads this topic; its outputs are JSON with the number of
    /// the point that caused each, in the field `id` as in the input
    #[arg(long, value_name = "INPUT", conflicts_with = "config", requires_all = ["brokers", "output"])]
    pub(super) numbered: Option<String>,
    /// Topic of the outputs of such a program
    #[arg(long, value_name = "TOPIC", conflicts_with = "config", requires = "numbered")]
    pub(super) output: Option<String>,
    /// Numbers in a point for such a program
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(super) dimension: usize,
    /// Points of a series before the first output of such a program, that of the output included
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) window: u64,
    /// Points of a series from one output of such a program to the next
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) hop: u64,
}

#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    /// The configuration of the worker
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Outputs may come again with the same bytes, as after a crash under at-least-once delivery
    #[arg(long)]
    pub(super) allow_repetitions: bool,
    /// Print the counts as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Shapes {
    /// The shape to draw [default: explain how shapes are written]
    pub(super) shape: Option<Shape>,
    /// For how long [default: until it ends, or 60s]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(super) duration: Option<f64>,
}
