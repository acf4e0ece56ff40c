//! The real parts that the end-to-end tests and the benchmarks start.

pub mod audit;
pub mod binary;
pub mod browser;
pub mod certificates;
pub mod cluster;
mod command;
pub mod demo;
pub mod ecg;
pub mod guard;
pub mod image;
pub mod installation;
pub mod java;
pub mod kafka;
pub mod kubectl;
pub mod operator;
pub mod points;
pub mod process;
pub mod proxy;
pub mod setting;
pub mod worker;

pub use command::{cache, free_port, root};
