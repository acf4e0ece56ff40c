use super::{
    ATTEMPTS, CODE, LEFT_OUT, MESSAGE, OFFSET, ORIGIN, PARTITION, PIPELINE, STAGE, TIMESTAMP,
    TOPIC, WORKER, text,
};
use crate::Record;
use crate::schema::Header;
use crate::tail::Located;

/// A dead letter as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where it stands in the topic of dead letters: partition and offset.
    pub place: (i32, i64),
    /// When it was sent, milliseconds since the Unix epoch.
    pub sent: Option<i64>,
    /// The key of the record.
    pub key: Option<Box<[u8]>>,
    /// Its value.
    pub value: Option<Box<[u8]>>,
    /// Bytes of the value, if Kafka did not accept the dead letter with it.
    pub left_out: Option<usize>,
    /// Its headers.
    pub headers: Vec<Header>,
    /// What was added to them.
    pub added: Vec<Header>,
    /// The code of the rule that it broke.
    pub code: String,
    /// What is wrong with it.
    pub message: String,
    /// Where that was found.
    pub stage: String,
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, milliseconds since the Unix epoch.
    pub timestamp: Option<i64>,
    /// The consumer group that read it.
    pub pipeline: String,
    /// The version of the worker.
    pub worker: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Where it stood first, before it was replayed: partition and offset.
    pub origin: (i32, i64),
}

impl Letter {
    /// The dead letter in a record; `None` when that is not one of ours.
    pub fn read(located: &Located) -> Option<Letter> {
        let Located { partition, record, .. } = located;
        let begin = record.headers.iter().rposition(|(name, v)| name == CODE && v.is_some())?;
        let (original, added) = record.headers.split_at(begin);
        let of = |name: &str| {
            let (_, value) = added.iter().find(|(n, _)| n == name)?;
            String::from_utf8(value.clone()?).ok()
        };
        let from = of(PARTITION)?.parse().ok()?;
        let offset: i64 = of(OFFSET)?.parse().ok()?;
        let origin = of(ORIGIN).and_then(|text| {
            let (partition, offset) = text.split_once('/')?;
            Some((partition.parse().ok()?, offset.parse().ok()?))
        });
        Some(Letter {
            place: (*partition, record.offset),
            sent: record.timestamp,
            key: record.key.clone(),
            value: record.value.clone(),
            left_out: of(LEFT_OUT).and_then(|text| text.parse().ok()),
            headers: original.to_vec(),
            code: of(CODE)?,
            message: of(MESSAGE)?,
            stage: of(STAGE)?,
            topic: of(TOPIC)?,
            partition: from,
            offset,
            timestamp: of(TIMESTAMP).and_then(|text| text.parse().ok()),
            pipeline: of(PIPELINE)?,
            worker: of(WORKER)?,
            attempts: of(ATTEMPTS)?.parse().ok()?,
            origin: origin.unwrap_or((from, offset)),
            added: added.to_vec(),
        })
    }

    /// Whether it holds a record of the input as it was, so that this can be sent once more.
    pub fn is_whole(&self) -> bool {
        self.left_out.is_none()
    }

    /// The record once more, as it was; behind its headers, where it stood first and the count of
    /// its attempts.
    pub fn again(&self) -> Record {
        let mut headers = self.headers.clone();
        let (partition, offset) = self.origin;
        headers.push(text(ORIGIN, format!("{partition}/{offset}")));
        headers.push(text(ATTEMPTS, self.attempts));
        let (key, value) = (self.key.clone(), self.value.clone());
        Record { offset: self.offset, timestamp: self.timestamp, key, value, headers }
    }
}
