//! The load generator: sends points at intended times, measures how long after those the results
//! can be read, and matches every output with the input that caused it.

pub mod audit;
pub mod cli;
pub mod clock;
pub mod feeder;
pub mod history;
pub mod keys;
pub mod latency;
pub mod ledger;
pub mod process;
pub mod random;
pub mod reader;
pub mod report;
pub mod run;
pub mod schedule;
pub mod scrape;
pub mod shape;
pub mod stream;
pub mod terminal;
pub mod text;
pub mod timeline;
pub mod workers;

pub use run::{Outcome, Plan, Progress, run};
