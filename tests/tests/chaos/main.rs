//! The worker against Apache Kafka while things break: nothing is lost, what comes again is the
//! same, and what comes is what an undisturbed run puts out, byte for byte.
#![allow(clippy::unwrap_used)]

mod both;
mod brake;
mod brokers;
mod full;
mod membership;
mod network;
mod processes;
mod scene;
mod security;
