//! `kubectl stda`.

use clap::Parser;
use kubectl_stda::{Arguments, Exit};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(asked) => {
            // Nothing is to be said when whoever reads it has gone.
            _ = asked.print();
            let exit = if asked.use_stderr() { Exit::Error } else { Exit::Good };
            return exit.into();
        }
    };
    match kubectl_stda::run(arguments).await {
        Ok(exit) => exit.into(),
        Err(trouble) => {
            eprintln!("error: {trouble}");
            Exit::Error.into()
        }
    }
}
