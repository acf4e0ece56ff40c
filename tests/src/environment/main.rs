//! A Kubernetes cluster and an Apache Kafka to try things on: `make cluster-up`, `make kafka-up`,
//! the images of our programs, and a demonstration of all of it.
//!
//! Cluster and Kafka are those of the tests. Those that are up are each held by a process in the
//! background, and end with it.

mod background;
mod cluster;
mod demo;
mod images;
mod kafka;

use anyhow::Result;
use background::Background;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "stda-environment", about = "A Kubernetes cluster and a Kafka to try things on")]
enum Arguments {
    /// A Kubernetes cluster with nodes that run containers; needs root
    #[command(subcommand)]
    Cluster(Action<cluster::Options>),
    /// An Apache Kafka of one broker, which forgets everything when it ends
    #[command(subcommand)]
    Kafka(Action<kafka::Options>),
    /// Write the container images of operator and worker, without a container engine
    Images(images::Options),
    /// Show all of it at work: cluster, Kafka, chart, the example, alerts; needs root
    Demo(demo::Options),
}

#[derive(Subcommand)]
enum Action<O: clap::Args> {
    /// Start it in the background, and say how to use it
    Up(O),
    /// End it, and remove all that it kept
    Down,
    /// Be the process in the background
    #[command(hide = true)]
    Hold(O),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    match arguments {
        Arguments::Cluster(action) => {
            let background = Background::of("cluster");
            match action {
                Action::Up(options) => {
                    harness::cluster::Cluster::prepare()?;
                    background.up(&options.arguments())
                }
                Action::Down => background.down(),
                Action::Hold(options) => background.hold(|folder| cluster::start(folder, &options)),
            }
        }
        Arguments::Kafka(action) => {
            let background = Background::of("kafka");
            match action {
                Action::Up(options) => background.up(&options.arguments()),
                Action::Down => background.down(),
                Action::Hold(options) => background.hold(|_| kafka::start(&options)),
            }
        }
        Arguments::Images(options) => images::write(&options),
        Arguments::Demo(options) => demo::run(&options),
    }
}
