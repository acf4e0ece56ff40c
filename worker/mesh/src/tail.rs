//! Reads topics from a moment on, as no member of any group: for demonstrations, load and tests.

use crate::connection::Quiet;
use crate::schema::Header;
use crate::{Connection, Error, Record, source, topics};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where to begin to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At the first record there is.
    First,
    /// After the last record that there is when the reader is opened.
    End,
}

/// A record and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// The record.
    pub record: Record,
    /// Its headers that are text; the last of each name.
    pub headers: BTreeMap<String, String>,
}

/// A reader of all partitions of some topics.
pub struct Tail {
    consumer: BaseConsumer<Quiet>,
}

impl Tail {
    /// A reader of `topics`. Where it begins is settled when this returns.
    ///
    /// # Errors
    /// When the brokers cannot be reached or a topic does not exist.
    pub fn open(connection: &Connection, topics: &[&str], from: Begin) -> Result<Tail, Error> {
        let mut config = connection.reader()?;
        config.set("enable.partition.eof", "false");
        let consumer: BaseConsumer<Quiet> =
            config.create_with_context(Quiet).map_err(Error::kafka("make a reader"))?;
        let mut assignment = TopicPartitionList::new();
        for topic in topics {
            for partition in 0..topics::partitions(connection, topic)? {
                let offset = start(&consumer, topic, partition, from)?;
                assignment
                    .add_partition_offset(topic, partition, offset)
                    .map_err(Error::kafka(format!("read {topic}")))?;
            }
        }
        consumer.assign(&assignment).map_err(Error::kafka("read from the start"))?;
        Ok(Tail { consumer })
    }

    /// The next record of any partition; in order within one. `None` when there is none within
    /// `wait`.
    ///
    /// # Errors
    /// When reading fails for good.
    pub fn next(&self, wait: Duration) -> Result<Option<Located>, Error> {
        match self.consumer.poll(wait) {
            None => Ok(None),
            Some(Ok(message)) => Ok(Some(located(&message))),
            Some(Err(error)) if crate::Class::of(&error) == crate::Class::Retriable => {
                tracing::debug!(%error, "reading");
                Ok(None)
            }
            Some(Err(error)) => Err(Error::kafka("read the records")(error)),
        }
    }
}

fn start(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    partition: i32,
    from: Begin,
) -> Result<Offset, Error> {
    let (first, end) = topics::ends(consumer, topic, partition)?;
    Ok(Offset::Offset(if from == Begin::First { first } else { end }))
}

pub(crate) fn located(message: &BorrowedMessage<'_>) -> Located {
    let record = source::record(message);
    let text =
        |(name, value): &Header| Some((name.clone(), String::from_utf8(value.clone()?).ok()?));
    let headers = record.headers.iter().filter_map(text).collect();
    Located { topic: message.topic().into(), partition: message.partition(), record, headers }
}
