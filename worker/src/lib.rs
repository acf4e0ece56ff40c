//! The worker process.

pub mod cli;
mod commits;
mod compute;
pub mod config;
pub mod dead_letters;
pub mod demo;
pub mod diagrams;
pub mod emission;
mod filter;
mod http;
mod metrics;
mod ownership;
mod partition;
mod pipeline;
mod queue;
mod reach;
pub mod results;
mod schemas;
mod series;
pub mod service;
mod shutdown;
mod watch;

pub use config::Config;
pub use pipeline::run;
pub use shutdown::Shutdown;
