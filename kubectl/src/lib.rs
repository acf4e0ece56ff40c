//! `kubectl stda`: what [`StreamingTDA`](crds::StreamingTDA) resources do, why they do not, and what a
//! report about it needs.
//!
//! Each command reads first, then makes a plain value of what it has read, and prints that. Everything
//! but the reading is a function of its arguments, so that tests need no cluster.

mod arguments;
mod cluster;
mod diagnose;
mod exit;
mod lint;
mod list;
mod logs;
mod near;
mod output;
mod partitions;
mod standing;
mod status;
mod table;
mod terminal;
mod text;
mod trouble;
mod words;
mod worker;

pub use arguments::{Arguments, Command};
pub use exit::Exit;
pub use trouble::Trouble;

use cluster::Cluster;
use terminal::Terminal;

/// Does what the command line asks for.
///
/// # Errors
/// When the cluster cannot be asked, or there is no such resource; says so in a sentence.
pub async fn run(arguments: Arguments) -> Result<Exit, Trouble> {
    let terminal = Terminal::of_output(arguments.global.no_color);
    let connect = || Cluster::connect(&arguments.global);
    match &arguments.command {
        Command::List(list) => list::run(&connect().await?, list, &terminal).await,
        Command::Status(status) => status::run(&connect().await?, status, &terminal).await,
        Command::Partitions(named) => partitions::run(&connect().await?, named, &terminal).await,
        Command::Logs(logs) => logs::run(&connect().await?, logs, &terminal).await,
        Command::Diagnose(diagnose) => diagnose::run(&connect().await?, diagnose).await,
        Command::Lint(lint) => {
            let cluster = if lint.server { Some(connect().await?) } else { None };
            lint::run(cluster.as_ref(), lint, &terminal).await
        }
        Command::Completion { shell } => {
            arguments::completion(*shell);
            Ok(Exit::Good)
        }
    }
}

#[cfg(test)]
mod tests;
