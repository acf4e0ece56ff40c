//! The worker process.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::cli::main()
}
