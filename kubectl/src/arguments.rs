//! The command line.

use crate::output::Format;
use crate::words;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;

/// Shows what StreamingTDA resources do, and why they do not
///
/// Exit codes: 0 when all is as it should be, 1 when it is not, 2 when it is not yet or cannot be told, 3
/// when the command was wrong or the cluster could not be asked.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "kubectl-stda",
    bin_name = "kubectl stda",
    version,
    disable_help_subcommand = true
)]
pub struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The namespace; by default that of the context
    #[arg(short, long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub namespace: Option<String>,
    /// The context of the kubeconfig; by default its current one
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub context: Option<String>,
    /// The kubeconfig; by default KUBECONFIG, or else ~/.kube/config
    #[arg(long, global = true, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// How long the API server may take for an answer
    #[arg(
        long, global = true, value_name = "TIME", default_value = "30s", value_parser = words::duration,
        help_heading = "Cluster"
    )]
    pub request_timeout: Duration,
    /// No colours; NO_COLOR in the environment says the same
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The resources, whether they are ready, and why not
    List(List),
    /// One resource: its conditions, revisions and pods, and what went wrong with them
    ///
    /// Ends with 0 when the spec is in force, 1 when it is stalled, 2 when it is not in force yet.
    Status(Status),
    /// Who owns which partition of the input, and how far it is
    ///
    /// Asks every worker through the API server, which needs the verb get on pods/proxy. Ends with 0 when
    /// every partition has one owner, 1 when one has none or two, 2 when that cannot be told.
    Partitions(Partitions),
    /// The logs of all worker pods in one, in the order of time
    Logs(Logs),
    /// Collects what a report about a resource needs, without secrets
    ///
    /// An archive of the resource, what belongs to it, logs and what the workers say, with a summary of
    /// what looks wrong, which is also printed. Secrets are never read; what looks like one elsewhere is
    /// taken out.
    Diagnose(Diagnose),
    /// Looks for what is wrong in manifests, without a cluster
    ///
    /// Holds them to the definitions of the resources and to all their rules, as the API server would.
    /// Resources of other kinds are left alone. Ends with 0 when nothing is wrong, 1 when something is.
    Lint(Lint),
    /// Prints a script that completes commands in a shell
    Completion {
        /// The shell
        shell: Shell,
    },
}

/// What `list` takes.
#[derive(Clone, Debug, Args)]
pub struct List {
    /// Of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// As JSON or YAML instead of a table
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

/// What `status` takes.
#[derive(Clone, Debug, Args)]
pub struct Status {
    /// The resource
    pub name: String,
    /// Follow it until the spec is in force or stalled
    #[arg(short, long)]
    pub watch: bool,
    /// How long to follow it, such as 90s, 5m or 1h30m; by default for as long as it takes
    #[arg(long, value_name = "TIME", value_parser = words::duration, requires = "watch")]
    pub timeout: Option<Duration>,
    /// As JSON or YAML instead of a tree
    #[arg(short, long, value_enum, conflicts_with = "watch")]
    pub output: Option<Format>,
}

/// What `partitions` takes.
#[derive(Clone, Debug, Args)]
pub struct Partitions {
    /// The resource
    pub name: String,
    /// As JSON or YAML instead of a table
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

/// What `logs` takes.
#[derive(Clone, Debug, Args)]
pub struct Logs {
    /// The resource
    pub name: String,
    /// Go on with what is written from now on, by new pods too
    #[arg(short, long)]
    pub follow: bool,
    /// Lines that are no older, such as 90s, 5m or 1h30m; by default all
    #[arg(long, value_name = "TIME", value_parser = words::duration)]
    pub since: Option<Duration>,
    /// The last lines of each pod; by default all
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(i64).range(0..))]
    pub tail: Option<i64>,
    /// Of the pods of one revision
    #[arg(long, value_name = "NAME")]
    pub revision: Option<String>,
    /// Of one pod
    #[arg(long, value_name = "NAME")]
    pub pod: Option<String>,
    /// Of the containers that ended before those that run
    #[arg(short, long, conflicts_with = "follow")]
    pub previous: bool,
    /// With the time of each line
    #[arg(long)]
    pub timestamps: bool,
}

/// What `diagnose` takes.
#[derive(Clone, Debug, Args)]
pub struct Diagnose {
    /// The resource
    pub name: String,
    /// The archive; by default stda-NAME-TIME.tar.gz in this folder
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What `lint` takes.
#[derive(Clone, Debug, Args)]
pub struct Lint {
    /// Files of YAML or JSON, each with any number of documents; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Ask the API server as well, which writes nothing: it knows what is there already
    #[arg(long)]
    pub server: bool,
    /// As JSON or YAML instead of lines
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

/// Prints the script of a shell.
pub(crate) fn completion(shell: Shell) {
    let mut command = Arguments::command();
    clap_complete::generate(shell, &mut command, "kubectl-stda", &mut std::io::stdout());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
