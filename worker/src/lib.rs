//! The worker process.

pub mod cli;
pub mod demo;
pub mod diagrams;
pub mod emission;
