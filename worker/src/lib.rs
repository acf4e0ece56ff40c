//! The worker process.

mod batching;
pub mod cli;
mod commits;
mod compute;
pub mod config;
pub mod console;
pub mod dead_letters;
pub mod demo;
pub mod diagrams;
pub mod emission;
mod filter;
mod gate;
mod history;
mod http;
pub mod log;
mod metrics;
mod ownership;
mod partition;
mod pipeline;
mod points;
mod queue;
mod reach;
mod replay;
pub mod results;
mod schemas;
mod series;
pub mod service;
mod settings;
mod shutdown;
#[cfg(test)]
mod simulation;
mod status;
mod watch;

pub use config::Config;
pub use pipeline::{run, run_revision};
pub use shutdown::Shutdown;
