//! The command `run`.

use crate::config::Config;
use crate::shutdown::Shutdown;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The configuration, YAML
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// How the log on standard error is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log: Log,
    /// The revision of the resource that this worker is for, which /status tells
    #[arg(long, value_name = "NAME", env = "STDA_REVISION")]
    pub revision: Option<String>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Log {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Runs the worker until SIGTERM or SIGINT.
///
/// # Errors
/// Says all that is wrong with the configuration, or why the worker could not go on.
pub fn run(arguments: &Arguments) -> Result<()> {
    let path = arguments.config.display();
    let text = std::fs::read_to_string(&arguments.config)
        .with_context(|| format!("cannot read {path}"))?;
    let config = Config::from_yaml(&text).with_context(|| path.to_string())?;
    log_to_stderr(arguments.log);
    let shutdown = Shutdown::on_signals().context("cannot listen to signals")?;
    crate::run_revision(arguments.revision.as_deref(), &config, &shutdown)
}

fn log_to_stderr(format: Log) {
    let log = crate::log::builder("info");
    match format {
        Log::Text => log.init(),
        Log::Json => log.json().init(),
    }
}
