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

/// The `id` in a JSON value.
#[derive(Deserialize)]
struct Identified<I> {
    id: I,
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
    let value = record.value.as_deref().unwrap_or_default();
    match expectation.matching {
        Matching::Id => {
            let id = headers.get("id").cloned().or_else(|| identified(value));
            let id = id.ok_or_else(|| format!("{}, without an id", place()))?;
            expectation.name(&id).ok_or(id)
        }
        Matching::Number => {
            let number: Option<i64> = identified(value);
            let offset = number.ok_or_else(|| format!("{}, without a number `id`", place()))?;
            let cause = Cause { partition: 0, offset, row: 0 };
            Ok(Name { cause, kind: Kind::Diagrams, scale: 0 })
        }
    }
}

fn identified<'v, I: Deserialize<'v>>(value: &'v [u8]) -> Option<I> {
    serde_json::from_slice::<Identified<I>>(value).ok().map(|identified| identified.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Cadence;
    use std::collections::BTreeMap;

    fn located(id: Option<&str>, value: &str) -> Located {
        let record = mesh::Record {
            offset: 5,
            timestamp: None,
            key: None,
            value: Some(value.as_bytes().into()),
            headers: Vec::new(),
        };
        let headers: BTreeMap<String, String> =
            id.map(|id| ("id".into(), id.into())).into_iter().collect();
        Located { topic: "out".into(), partition: 2, record, headers }
    }

    #[test]
    fn an_output_is_known_by_its_header_or_its_value() {
        let yaml =
            "kafka: {brokers: 'x:1', input: in}\nscales: [{name: s, window: 6, max_radius: 1}]";
        let config = worker::config::Config::from_yaml(yaml).unwrap_or_else(|e| panic!("{e}"));
        let expectation = Expectation::of(&config, 1);
        let found = name(&expectation, &located(Some("in/0/7/diagrams/s"), "{}")).unwrap();
        assert_eq!(found.cause, Cause { partition: 0, offset: 7, row: 0 });
        let body = r#"{"schema":"x","id":"in/0/7/diagrams/s","emission":[1]}"#;
        assert_eq!(name(&expectation, &located(None, body)), Ok(found));
        let stray = |id, value| name(&expectation, &located(id, value)).unwrap_err();
        assert_eq!(stray(None, "{}"), "out/2/5, without an id");
        assert_eq!(stray(Some("else/0/7/diagrams/s"), "{}"), "else/0/7/diagrams/s");
    }

    #[test]
    fn an_output_of_another_program_tells_the_number_of_its_point() {
        let expectation = Expectation::numbered("in", Cadence::EACH);
        let found = name(&expectation, &located(None, r#"{"id":12,"time":1.5}"#)).unwrap();
        assert_eq!(found.cause.offset, 12);
        assert!(name(&expectation, &located(None, r#"{"id":"a"}"#)).is_err());
    }
}
