//! The Kafka on which all are measured, and the topics of each run.

use anyhow::{Context, Result};
use harness::kafka::{Kafka, Options};
use mesh::topics::{self, Topic};
use mesh::{Connection, Feed};
use std::time::Duration;

/// Partitions of every topic, unless a run says otherwise.
pub(crate) const PARTITIONS: i32 = 4;
/// Series; they take turns.
pub(crate) const SERIES: usize = 8;

/// How long points of one partition wait for others to be sent with, where there are `partitions`:
/// each partition has requests of its own, and their number in a second is the same for all.
fn linger_ms(partitions: i32) -> i32 {
    partitions
}

/// Append times are those of the broker, so that they are told of every record alike. Topics that
/// are done with leave the disk. Workers that start together join their group together.
const PROPERTIES: &str = "log.message.timestamp.type=LogAppendTime
log.segment.delete.delay.ms=1000
group.initial.rebalance.delay.ms=1500
";

/// A running broker.
pub(crate) struct Stage {
    kafka: Kafka,
    /// How the one who measures reaches it.
    pub(crate) connection: Connection,
}

impl Stage {
    pub(crate) fn set() -> Result<Stage> {
        let properties = PROPERTIES.into();
        let options = Options { quick: false, properties, ..Options::default() };
        let kafka = Kafka::with(&options).context("cannot start Kafka")?;
        Ok(Stage { connection: kafka.connection(), kafka })
    }

    /// `host:port`, as those that are measured are told.
    pub(crate) fn address(&self) -> String {
        self.kafka.address()
    }

    pub(crate) fn create(&self, topics: &[String], partitions: i32) -> Result<()> {
        let new =
            topics.iter().map(|name| Topic { name, partitions, compacted: false, largest: None });
        Ok(topics::create(&self.connection, &new.collect::<Vec<_>>())?)
    }

    pub(crate) fn delete(&self, topics: &[String]) -> Result<()> {
        topics.iter().try_for_each(|name| Ok(topics::delete(&self.connection, name)?))
    }

    /// Appends points of all series in turn.
    pub(crate) fn inlet(&self, topic: &str, partitions: i32) -> Result<Inlet> {
        let mut connection = self.connection.clone();
        connection.properties.insert("linger.ms".into(), linger_ms(partitions).to_string());
        Ok(Inlet { feed: Feed::open(&connection, topic)?, partitions })
    }
}

/// Appends points to a topic.
pub(crate) struct Inlet {
    feed: Feed,
    partitions: i32,
}

impl Inlet {
    /// Appends a point of a series that was measured at `time`, milliseconds since 1970.
    pub(crate) fn append(&self, series: usize, time: f64, point: &[f32]) -> Result<()> {
        let values: Vec<String> = point.iter().map(f32::to_string).collect();
        let value = format!(r#"{{"time":{time},"values":[{}]}}"#, values.join(","));
        let partition = series as i32 % self.partitions;
        Ok(self.feed.append(Some(partition), &name(series), value.as_bytes())?)
    }

    /// Waits until all are there.
    pub(crate) fn finish(self) -> Result<()> {
        Ok(self.feed.finish(Duration::from_secs(60))?)
    }
}

/// The key of a series.
pub(crate) fn name(series: usize) -> String {
    format!("series-{series}")
}

/// The series of a key.
pub(crate) fn series(key: &[u8]) -> Option<usize> {
    std::str::from_utf8(key).ok()?.strip_prefix("series-")?.parse().ok()
}
