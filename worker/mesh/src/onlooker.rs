use crate::connection::Quiet;
use crate::{Connection, Error, topics};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

/// Sees a group that reads a topic, without being a member of it.
pub(crate) struct Onlooker {
    consumer: BaseConsumer<Quiet>,
    topic: String,
    metadata: ConsumerGroupMetadata,
}

impl Onlooker {
    pub(crate) fn new(
        connection: &Connection,
        group: &str,
        topic: &str,
    ) -> Result<Onlooker, Error> {
        let doing = || Error::kafka(format!("look at the group {group}"));
        let consumer: BaseConsumer<Quiet> =
            connection.onlooker(group)?.create_with_context(Quiet).map_err(doing())?;
        let unknown = KafkaError::Global(RDKafkaErrorCode::UnknownGroup);
        let metadata = consumer.group_metadata().ok_or(unknown).map_err(doing())?;
        Ok(Onlooker { consumer, topic: topic.into(), metadata })
    }

    /// The offset that was committed of a partition. Waits for transactions that are about to
    /// end.
    pub(crate) fn committed(&self, partition: i32) -> Result<Option<i64>, Error> {
        let offsets = topics::committed(&self.consumer, &self.topic, &[partition])?;
        Ok(offsets.get(&partition).copied())
    }

    /// An offset of a partition, to be committed.
    pub(crate) fn offset(&self, partition: i32, next: i64) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(next))?;
        Ok(list)
    }

    /// What makes brokers take an offset of the group from somebody who is no member of it.
    pub(crate) fn metadata(&self) -> &ConsumerGroupMetadata {
        &self.metadata
    }
}
