//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{dead_letters, demo, diagrams, service};

/// Watches the shape of live data.
#[derive(Debug, Parser)]
#[command(name = "streaming-tda-worker", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints the persistence diagrams of a file or of standard input as JSON Lines
    ///
    /// One line for each emission: {"end":999,"window":1000,"diagrams":[[[0.0,0.12],...],[...]]}.
    /// end is the index of the window's newest point, counted from 0; diagrams holds the pairs
    /// [birth, death] of H0, then H1, sorted; null is a class that is still alive at the maximal
    /// radius.
    Diagrams(diagrams::Arguments),
    /// Reads points from Kafka and sends diagrams, features and alerts to Kafka
    ///
    /// Runs until SIGTERM or SIGINT, then finishes what is in hand. Nothing is lost by a crash:
    /// the next run takes up where this one was. RUST_LOG chooses what is logged.
    Run(service::Arguments),
    /// Lists, shows and replays the records that gave no points
    ///
    /// They stand in a topic of their own, as they were, with the reason in their headers.
    #[command(name = "dead-letters")]
    DeadLetters(dead_letters::Arguments),
    /// Plays a real electrocardiogram through the worker, with a live page
    ///
    /// Needs no service: the broker runs inside this process. Alerts appear beside beats that a
    /// classical rule marks. Ctrl-C ends it with a summary.
    Demo(demo::Arguments),
}

/// Runs the command that the process was started with; its errors go to standard error.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Diagrams(arguments) => diagrams::run(&arguments),
        Command::Run(arguments) => service::run(&arguments),
        Command::DeadLetters(arguments) => dead_letters::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
