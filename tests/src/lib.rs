//! The real parts that the end-to-end tests start.

pub mod audit;
mod binary;
pub mod browser;
mod command;
pub mod demo;
pub mod kafka;
pub mod points;
pub mod worker;

pub use command::free_port;
