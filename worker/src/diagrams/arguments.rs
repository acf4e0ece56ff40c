use std::num::NonZeroUsize;
use std::path::PathBuf;

use persistence::{Config, ConfigError, Degree, Embedding, Scale};

/// What `diagrams` is asked to do.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// .csv (one point a line; a first line of names is skipped), .npy (float32 or float64, one
    /// or two dimensions), or - for CSV on standard input. Numbers are rounded to float32
    #[arg(value_name = "FILE")]
    pub input: PathBuf,

    /// Points in a window
    #[arg(long, value_name = "W", value_parser = parse_count, allow_negative_numbers = true)]
    pub window: usize,

    /// Points between two emissions; the first comes when the window is full
    #[arg(long, value_name = "H", value_parser = parse_count, allow_negative_numbers = true)]
    pub hop: usize,

    /// Longest edge of the filtration, in the unit of the input; inf for no limit. An edge is in
    /// if the float32 square of its length is at most the float32 square of R
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub max_radius: f32,

    /// Highest degree of homology: 0 for components, 1 for loops too
    #[arg(long, value_name = "D", default_value = "1", value_parser = parse_degree)]
    pub max_dimension: Degree,

    /// Samples between two copies of a delay embedding [default: 1]
    #[arg(long, value_name = "T", value_parser = parse_count, allow_negative_numbers = true,
          requires = "embedding")]
    pub delay: Option<usize>,

    /// Copies of the series in a delay embedding: sample t becomes the point
    /// (x[t], x[t-T], ..., x[t-(M-1)T]). Points are counted from the first whole one: the newest
    /// sample of point e is e+(M-1)T
    #[arg(long, value_name = "M", default_value = "1", value_parser = parse_count,
          allow_negative_numbers = true)]
    pub embedding: usize,

    /// Columns to use, counted from 0, for example 0,2; the others may hold anything [default:
    /// all]
    #[arg(long, value_name = "I,J", value_delimiter = ',', value_parser = parse_channel,
          allow_negative_numbers = true)]
    pub channels: Option<Vec<usize>>,

    /// incremental updates the last answer; batch computes each window from nothing, which takes
    /// much longer. Both print the same bytes
    #[arg(long, value_enum, default_value_t = Engine::Incremental)]
    pub engine: Engine,

    /// Threads that compute. With more than one the input is cut into stretches that are
    /// computed side by side and printed in order: the same bytes, a stretch at a time
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_threads,
          allow_negative_numbers = true)]
    pub threads: NonZeroUsize,

    /// File to write to [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How a window's diagrams are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    /// Updates what the last emission established.
    Incremental,
    /// Computes every window from nothing.
    Batch,
}

fn parse_count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "it must be a whole number".into())
}

fn parse_channel(text: &str) -> Result<usize, String> {
    let channel = text.trim().parse();
    channel.map_err(|_| "name columns by their numbers, from 0, such as 0,2".into())
}

fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    const MOST: usize = 256;
    let threads = text.parse().ok().filter(|threads: &NonZeroUsize| threads.get() <= MOST);
    threads.ok_or_else(|| format!("it must be from 1 to {MOST}"))
}

fn parse_degree(text: &str) -> Result<Degree, String> {
    match text {
        "0" => Ok(Degree::H0),
        "1" => Ok(Degree::H1),
        _ => Err("it must be 0 or 1".into()),
    }
}

impl Arguments {
    /// The scale over samples of `channels` chosen channels.
    pub(super) fn scale(&self, channels: usize) -> Result<Scale, ConfigError> {
        let embedding = Embedding::new(self.embedding, self.delay.unwrap_or(1), channels, None)?;
        Scale::new(embedding, 1, self.hop, &self.config(channels))
    }

    /// The configuration of the windows.
    pub(super) fn config(&self, channels: usize) -> Config {
        let dimension = self.embedding.saturating_mul(channels);
        let max_degree = self.max_dimension;
        Config { max_degree, ..Config::new(dimension, self.window, self.max_radius) }
    }
}
