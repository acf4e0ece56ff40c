//! `stda-load`: the load generator.

fn main() -> std::process::ExitCode {
    load::cli::main()
}
