use crate::Class;
use rdkafka::error::KafkaError;

/// Why the mesh cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka refused something.
    #[error("cannot {doing}: {source}")]
    Kafka {
        /// What was attempted.
        doing: String,
        /// The answer.
        source: KafkaError,
    },
    /// A topic does not exist, or has no partitions yet.
    #[error("topic {0} does not exist on these brokers: create it, or correct its name")]
    NoTopic(String),
    /// An output could not be delivered; it will be sent again after a restart.
    #[error("output {id} was not delivered: {reason}")]
    Undelivered {
        /// The id of the output.
        id: String,
        /// Why.
        reason: KafkaError,
    },
    /// A record of the checkpoint topic cannot be read.
    #[error("the checkpoint of partition {partition} cannot be read: {reason}")]
    Checkpoint {
        /// Partition of the input topic.
        partition: i32,
        /// Why.
        reason: String,
    },
    /// A checkpoint is ahead of its partition.
    #[error(
        "the checkpoint of {topic}/{partition} says {next}, but the partition ends at {end}: \
         was the topic created anew? Use another checkpoint topic or group, or delete the checkpoint"
    )]
    Ahead {
        /// Input topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// The next offset of the checkpoint.
        next: i64,
        /// The offset after the last record.
        end: i64,
    },
}

impl Error {
    pub(crate) fn kafka(doing: impl Into<String>) -> impl FnOnce(KafkaError) -> Error {
        |source| Error::Kafka { doing: doing.into(), source }
    }

    /// What the error asks for.
    pub fn class(&self) -> Class {
        match self {
            Error::Kafka { source, .. } => Class::of(source),
            Error::Undelivered { reason, .. } => Class::of(reason),
            Error::NoTopic(_) | Error::Checkpoint { .. } | Error::Ahead { .. } => Class::Fatal,
        }
    }
}
