//! Reads the outputs, and notes when each could be read.

use crate::audit::{Cause, Expectation, Matching, Name};
use crate::clock::Clock;
use mesh::tail::{Begin, Located};
use mesh::{Connection, Error, Kind, Tail};
use serde::Deserialize;
use std::hash::BuildHasher;
use std::time::Duration;

/// An output that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which one; else what can be said about it.
    pub name: Result<Name, String>,
    /// Its key.
    pub series: String,
    /// When it could be read, since the start.
    pub at: Duration,
    /// Fingerprint of its bytes, comparable within a run.
    pub bytes: u64,
}

/// A reader of the topics of the outputs.
pub struct Reader {
    tail: Tail,
    expectation: Expectation,
    hasher: hashbrown::DefaultHashBuilder,
}

#[derive(Deserialize)]
struct Numbered {
    id: i64,
}

impl Reader {
    /// Reads what comes to these topics.
    ///
    /// # Errors
    /// When a topic does not exist or the brokers cannot be reached.
    pub fn open(
        connection: &Connection,
        topics: &[String],
        begin: Begin,
        expectation: &Expectation,
    ) -> Result<Reader, Error> {
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let tail = Tail::open(connection, &topics, begin)?;
        Ok(Reader { tail, expectation: expectation.clone(), hasher: Default::default() })
    }

    /// The next output, if one comes within `wait`.
    ///
    /// # Errors
    /// When reading fails for good.
    pub fn next(&self, wait: Duration, clock: &Clock) -> Result<Option<Arrival>, Error> {
        let Some(located) = self.tail.next(wait)? else { return Ok(None) };
        let at = clock.now();
        let value = located.record.value.as_deref().unwrap_or_default();
        let key = located.record.key.as_deref().unwrap_or_default();
        Ok(Some(Arrival {
            name: name(&self.expectation, &located),
            series: String::from_utf8_lossy(key).into_owned(),
            at,
            bytes: self.hasher.hash_one(value),
        }))
    }
}

fn name(expectation: &Expectation, located: &Located) -> Result<Name, String> {
    let Located { topic, partition, record, headers } = located;
    let place = || format!("{topic}/{partition}/{}", record.offset);
    match expectation.matching {
        Matching::Id => {
            let id = headers.get("id").ok_or_else(|| format!("{}, without an id", place()))?;
            expectation.name(id).ok_or_else(|| id.clone())
        }
        Matching::Number => {
            let value = record.value.as_deref().unwrap_or_default();
            let numbered: Numbered = serde_json::from_slice(value)
                .map_err(|_| format!("{}, without a number `id`", place()))?;
            let cause = Cause { partition: 0, offset: numbered.id, row: 0 };
            Ok(Name { cause, kind: Kind::Diagrams, scale: 0 })
        }
    }
}
