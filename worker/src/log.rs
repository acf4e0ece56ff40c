//! The log on standard error.

use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{Subscriber, SubscriberBuilder, format};

/// What is logged: by `RUST_LOG`, or from `level` on; colours only on a terminal, since escape codes
/// in a file are noise.
pub(crate) fn builder(
    level: &str,
) -> SubscriberBuilder<format::DefaultFields, format::Format, EnvFilter, fn() -> io::Stderr> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    Subscriber::builder()
        .with_env_filter(filter)
        .with_writer(io::stderr as fn() -> io::Stderr)
        .with_ansi(io::stderr().is_terminal())
}

/// Logs for people; when something logs already, that goes on.
pub fn to_stderr(level: &str) {
    _ = builder(level).try_init();
}
