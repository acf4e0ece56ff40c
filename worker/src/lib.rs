//! The worker process.

pub mod demo;
