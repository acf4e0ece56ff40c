//! Reads a topic up to where it ends now, as no member of any group.

use crate::connection::Quiet;
use crate::tail::{Located, located};
use crate::{Class, Connection, Error, topics};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How long to wait for a next record, or for the end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All there are.
    All,
    /// Those of one partition.
    Partition(i32),
    /// Those of one partition from an offset on.
    From(i32, i64),
}

/// Gives the records of a topic to `each`, in order within a partition, until it breaks or there
/// are no more. Records of transactions that were aborted are left out.
///
/// # Errors
/// When the topic or the partition does not exist, or the brokers do not answer.
pub fn scan(
    connection: &Connection,
    topic: &str,
    extent: Extent,
    mut each: impl FnMut(Located) -> ControlFlow<()>,
) -> Result<(), Error> {
    let doing = || format!("read {topic}");
    let count = topics::partitions(connection, topic)?;
    let (mut open, start) = match extent {
        Extent::All => ((0..count).collect::<BTreeSet<_>>(), Offset::Beginning),
        Extent::Partition(partition) => (BTreeSet::from([partition]), Offset::Beginning),
        Extent::From(partition, offset) => (BTreeSet::from([partition]), Offset::Offset(offset)),
    };
    if let Some(&partition) = open.iter().find(|partition| !(0..count).contains(*partition)) {
        return Err(Error::NoPartition { topic: topic.into(), partition, count });
    }
    let consumer: BaseConsumer<Quiet> =
        connection.reader()?.create_with_context(Quiet).map_err(Error::kafka("make a reader"))?;
    let mut assignment = TopicPartitionList::new();
    for &partition in &open {
        let added = assignment.add_partition_offset(topic, partition, start);
        added.map_err(Error::kafka(doing()))?;
    }
    consumer.assign(&assignment).map_err(Error::kafka(doing()))?;
    let mut deadline = Instant::now() + PATIENCE;
    while !open.is_empty() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                deadline = Instant::now() + PATIENCE;
                if each(located(&message)).is_break() {
                    break;
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => _ = open.remove(&partition),
            Some(Err(error)) if Class::of(&error) == Class::Fatal => {
                return Err(Error::kafka(doing())(error));
            }
            Some(Err(error)) => tracing::debug!(%error, topic, "reading, trying again"),
            None if Instant::now() > deadline => {
                let late = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
                return Err(Error::kafka(doing())(late));
            }
            None => {}
        }
    }
    Ok(())
}
