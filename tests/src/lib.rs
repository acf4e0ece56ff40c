//! The real parts that the end-to-end tests start.

mod binary;
pub mod browser;
pub mod demo;
