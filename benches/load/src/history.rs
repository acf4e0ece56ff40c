//! The audit of what is in Kafka: all inputs there are, and all outputs.

use crate::audit::{Audit, Cause, Expectation, Times, Verdict};
use crate::clock::Clock;
use crate::reader::Reader;
use anyhow::{Context, Result};
use mesh::schema::{Admission, Decoder, Failure};
use mesh::tail::{Begin, Located};
use mesh::{Kind, Tail, topics};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::config::Config;

/// When nothing came for so long, a topic is read to its end.
const QUIET: Duration = Duration::from_secs(3);

/// Reads the topics of a worker to their ends, and matches the outputs with the inputs. Records
/// that the worker skips cause nothing.
///
/// # Errors
/// When a topic cannot be read.
pub fn audit(config: &Config) -> Result<Verdict> {
    let connection = config.kafka.connection();
    let partitions = topics::partitions(&connection, &config.kafka.input)?;
    let mut audit = Audit::new(Expectation::of(config, partitions));
    let admission =
        Admission { dimension: config.series.dimension, max_bytes: config.series.max_record_bytes };
    let decoder = Decoder::new(&config.input, admission)?;
    let input = Tail::open(&connection, &[&config.kafka.input], Begin::First)?;
    let mut next = BTreeMap::new();
    while let Some(located) = input.next(QUIET).context("cannot read the input")? {
        if is_new(&mut next, &located) {
            take(&mut audit, &located, &decoder)?;
        }
    }
    let outputs = Kind::ALL.map(|kind| config.kafka.output(kind));
    let expectation = audit.expectation().clone();
    let reader = Reader::open(&connection, &outputs, Begin::First, &expectation)?;
    let clock = Clock::starting_in(Duration::ZERO);
    while let Some(arrival) = reader.next(QUIET, &clock).context("cannot read the outputs")? {
        match arrival.name {
            Ok(name) => _ = audit.output(name, &arrival.series, arrival.at, arrival.bytes),
            Err(what) => audit.stray(&what),
        }
    }
    Ok(audit.verdict())
}

/// Whether a record comes for the first time: a client that was interrupted may give one twice.
fn is_new(next: &mut BTreeMap<i32, i64>, located: &Located) -> bool {
    let next = next.entry(located.partition).or_insert(0);
    let new = located.record.offset >= *next;
    *next = (*next).max(located.record.offset + 1);
    new
}

/// # Errors
/// When the schema registry gives no answer.
fn take(audit: &mut Audit, located: &Located, decoder: &Decoder) -> Result<()> {
    let (partition, offset) = (located.partition, located.record.offset);
    let samples = match decoder.decode(&located.record.incoming()) {
        Ok(samples) => samples,
        Err(Failure::Rejected(_)) => return Ok(()),
        Err(failure) => return Err(failure.into()),
    };
    for (sample, row) in samples.iter().zip(0..) {
        audit.input(Cause { partition, offset, row }, &sample.series, Times::default());
    }
    Ok(())
}
