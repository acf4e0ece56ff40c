//! The worker against Apache Kafka.
#![allow(clippy::unwrap_used)]

mod handover;
mod history;
mod records;
mod recovery;

use std::time::Duration;

const MINUTES: Duration = Duration::from_secs(180);
const QUIET: Duration = Duration::from_secs(1);
