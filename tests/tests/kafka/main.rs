//! The worker against Apache Kafka.
#![allow(clippy::unwrap_used)]

mod codecs;
mod dead_letters;
mod encode;
mod full;
mod handover;
mod history;
mod load;
mod records;
mod recovery;
#[path = "../../../worker/mesh/tests/registry/mod.rs"]
#[allow(dead_code)]
mod registry;
mod status;
mod transactions;

use std::time::Duration;

const MINUTES: Duration = Duration::from_secs(180);
const QUIET: Duration = Duration::from_secs(1);
