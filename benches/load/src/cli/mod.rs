//! The command line.

mod arguments;
mod audit;
mod run;
mod shapes;

use arguments::Command;
use clap::Parser;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(
    version,
    about = "Load for StreamingTDA: points at intended times, latency from them, \
                            and an audit of every output"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Does what the command line says. The exit code is 0 when all is well, 1 when it cannot be done,
/// 2 for a wrong command line, and else what [`Finding`](crate::report::Finding) says.
pub fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    worker::log::to_stderr("warn");
    let done = match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Audit(arguments) => audit::audit(&arguments),
        Command::Shapes(arguments) => shapes::shapes(&arguments),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("stda-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        let worker = "stda-load run --config worker.yaml";
        let other = "stda-load run --numbered in --brokers x:1 --output out";
        for line in [worker, other, "stda-load shapes", "stda-load audit --config worker.yaml"] {
            assert!(parse(line).is_ok(), "{line}");
        }
        let missing = parse("stda-load run").unwrap_err().to_string();
        assert!(missing.contains("--config") && !missing.contains("--output"), "{missing}");
        let half = parse("stda-load run --numbered in").unwrap_err().to_string();
        assert!(half.contains("--brokers") && half.contains("--output"), "{half}");
        assert!(parse("stda-load run --config worker.yaml --numbered in").is_err());
    }
}
