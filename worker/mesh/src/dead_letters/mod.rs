//! Records that gave no points: kept as they were, with the reason in their headers.
//!
//! A dead letter has the key, the value and the headers of its record, and behind those a block of
//! ours that begins with [`CODE`]. So the original can always be told from what was added, also
//! when a dead letter becomes the input of another pipeline.

mod dialect;
mod letter;
mod replay;
mod substitute;

pub use dialect::Dialect;
pub use letter::Letter;
pub use replay::{Place, Replay, Replayed};

use crate::schema::{Header, Rejection};
use crate::{Outgoing, Record, Target};

/// The stable code of the rule that was broken; the first header of the block.
pub const CODE: &str = "streaming-tda.code";
/// What is wrong, in words.
pub const MESSAGE: &str = "streaming-tda.message";
/// Where it was found: `decode`, `admit` or `deliver`.
pub const STAGE: &str = "streaming-tda.stage";
/// The topic of the record.
pub const TOPIC: &str = "streaming-tda.topic";
/// Its partition.
pub const PARTITION: &str = "streaming-tda.partition";
/// Its offset.
pub const OFFSET: &str = "streaming-tda.offset";
/// Its timestamp, milliseconds since the Unix epoch; left out when it had none.
pub const TIMESTAMP: &str = "streaming-tda.timestamp";
/// The consumer group that read it.
pub const PIPELINE: &str = "streaming-tda.pipeline";
/// The version of the worker.
pub const WORKER: &str = "streaming-tda.worker";
/// How often the record was tried: 1 for the first time. Stands last on a record that was
/// replayed, and then counts the attempts before.
pub const ATTEMPTS: &str = "streaming-tda.attempts";
/// Where a record that was replayed stood first, `partition/offset`: so that the dead letters of one
/// record can be told from those of another, however often it was replayed.
pub const ORIGIN: &str = "streaming-tda.origin";
/// Bytes of the value, where it was left out because Kafka did not accept it.
pub const LEFT_OUT: &str = "streaming-tda.value-left-out";

/// Characters of the longest message.
const LONGEST: usize = 1000;

/// Where a rule is broken.
pub const STAGES: [&str; 3] = ["decode", "admit", "deliver"];

/// Every code that a dead letter can have.
pub fn codes() -> impl Iterator<Item = &'static str> {
    Rejection::CODES.into_iter().chain([substitute::REFUSED])
}

/// What all dead letters of a worker have in common.
#[derive(Clone, Debug)]
pub struct Postmark {
    /// The topic that is read.
    pub topic: String,
    /// The consumer group that reads it.
    pub pipeline: String,
    /// Headers of others that are added too.
    pub dialects: Vec<Dialect>,
}

/// What a dead letter tells of its record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: String,
    pub(crate) stage: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: Option<i64>,
    pub(crate) pipeline: &'a str,
    pub(crate) attempts: u32,
    pub(crate) origin: Option<String>,
}

impl Postmark {
    /// The dead letter of a record of `partition`.
    pub fn letter(&self, partition: i32, record: &Record, rejection: &Rejection) -> Outgoing {
        let (original, before, origin) = split_replay(&record.headers);
        let facts = Facts {
            code: rejection.code(),
            message: rejection.to_string().chars().take(LONGEST).collect(),
            stage: rejection.stage(),
            topic: &self.topic,
            partition,
            offset: record.offset,
            timestamp: record.timestamp,
            pipeline: &self.pipeline,
            attempts: before.saturating_add(1),
            origin,
        };
        let mut headers = original.to_vec();
        headers.extend(facts.headers());
        headers.extend(self.dialects.iter().flat_map(|dialect| dialect.headers(&facts)));
        Outgoing {
            to: Target::DeadLetters,
            id: format!("{}/{partition}/{}", self.topic, record.offset),
            key: record.key.as_deref().map(Into::into),
            payload: record.value.as_deref().map(Into::into),
            headers,
            // Its own: else it could be older than the retention of its topic.
            timestamp: None,
        }
    }
}

impl Facts<'_> {
    fn headers(&self) -> Vec<Header> {
        let mut headers = vec![
            text(CODE, self.code),
            text(MESSAGE, &self.message),
            text(STAGE, self.stage),
            text(TOPIC, self.topic),
            text(PARTITION, self.partition),
            text(OFFSET, self.offset),
        ];
        headers.extend(self.timestamp.map(|timestamp| text(TIMESTAMP, timestamp)));
        headers.extend([
            text(PIPELINE, self.pipeline),
            text(WORKER, env!("CARGO_PKG_VERSION")),
            text(ATTEMPTS, self.attempts),
        ]);
        headers.extend(self.origin.as_ref().map(|origin| text(ORIGIN, origin)));
        headers
    }
}

fn text(name: &str, value: impl ToString) -> Header {
    (name.to_owned(), Some(value.to_string().into_bytes()))
}

/// The headers without what a replay has put behind them: how often the record was tried, and
/// where it stood first.
fn split_replay(headers: &[Header]) -> (&[Header], u32, Option<String>) {
    let last = |headers: &[Header], expected: &str| {
        let (name, value) = headers.last()?;
        String::from_utf8(value.clone().filter(|_| name == expected)?).ok()
    };
    let Some(count) = last(headers, ATTEMPTS) else { return (headers, 0, None) };
    let rest = &headers[..headers.len() - 1];
    let origin = last(rest, ORIGIN);
    let original = &rest[..rest.len() - usize::from(origin.is_some())];
    (original, count.parse().unwrap_or(0), origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postmark(dialects: &[Dialect]) -> Postmark {
        Postmark { topic: "in".into(), pipeline: "group".into(), dialects: dialects.into() }
    }

    fn record(headers: Vec<Header>) -> Record {
        let (key, value) = (Some(b"k\xff".as_slice().into()), Some(b"{".as_slice().into()));
        Record { offset: 41, timestamp: Some(1_790_000_000_000), key, value, headers }
    }

    /// A line for each header: text as it is, bytes in hex.
    fn lines(headers: &[Header]) -> String {
        let value = |value: &[u8]| match std::str::from_utf8(value) {
            Ok(text) if !text.contains('\0') => text.to_owned(),
            _ => value.iter().map(|b| format!("{b:02x}")).collect(),
        };
        let line = |(name, v): &Header| {
            format!("{name}: {}\n", v.as_deref().map_or("(none)".into(), value))
        };
        headers.iter().map(line).collect()
    }

    /// The kept file is never made again: others read these names.
    #[test]
    fn the_headers_are_those_of_the_first_release() {
        let kept = include_str!("../../tests/goldens/dead-letter.headers");
        let headers = vec![("trace".into(), Some(b"a1".to_vec())), ("empty".into(), None)];
        let dialects = [Dialect::KafkaConnect, Dialect::Spring];
        let rejection = Rejection::Json("EOF while parsing".into());
        let letter = postmark(&dialects).letter(3, &record(headers), &rejection);
        let found = lines(&letter.headers).replace(env!("CARGO_PKG_VERSION"), "<version>");
        assert_eq!(found, kept, "{found}");
        assert_eq!(letter.key.as_deref(), Some(&b"k\xff"[..]));
        assert_eq!(letter.payload.as_deref(), Some(&b"{"[..]));
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let rejection = Rejection::Json("ü".repeat(5000));
        let letter = postmark(&[]).letter(0, &record(Vec::new()), &rejection);
        let message = String::from_utf8(letter.headers[1].1.clone().unwrap()).unwrap();
        assert_eq!(message.chars().count(), LONGEST);
    }

    #[test]
    fn attempts_are_counted_through_replays_and_nothing_else_is_touched() {
        let original = vec![("trace".into(), Some(vec![0xff])), (CODE.to_owned(), None)];
        let mut record = record(original.clone());
        for attempt in 1..4 {
            let sent = postmark(&[Dialect::Spring]).letter(3, &record, &Rejection::Empty);
            let found = Letter::read(&located(&sent)).unwrap();
            assert_eq!((found.attempts, &found.headers), (attempt, &original));
            assert_eq!((found.code.as_str(), found.stage.as_str()), ("decode.empty", "decode"));
            let place = (found.topic.as_str(), found.partition, found.offset);
            assert_eq!(place, ("in", 3, 40 + i64::from(attempt)));
            assert_eq!(found.origin, (3, 41), "that of the first time");
            let again = found.again();
            assert_eq!((again.key, again.value), (record.key.clone(), record.value.clone()));
            assert_eq!(again.timestamp, record.timestamp);
            record.headers = again.headers;
            record.offset += 1;
            assert_eq!(record.headers.len(), original.len() + 2);
        }
    }

    fn located(letter: &Outgoing) -> crate::tail::Located {
        let record = Record {
            offset: 5,
            timestamp: Some(9),
            key: letter.key.as_deref().map(Into::into),
            value: letter.payload.as_deref().map(Into::into),
            headers: letter.headers.clone(),
        };
        let topic = "in.dead-letters".into();
        crate::tail::Located { topic, partition: 3, record, headers: Default::default() }
    }

    #[test]
    fn other_records_are_no_dead_letters() {
        let mut other = located(&postmark(&[]).letter(3, &record(vec![]), &Rejection::Empty));
        other.record.headers.retain(|(name, _)| name != OFFSET);
        assert_eq!(Letter::read(&other), None);
        other.record.headers.clear();
        assert_eq!(Letter::read(&other), None);
    }
}
