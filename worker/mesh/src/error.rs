use crate::Class;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use std::path::PathBuf;

/// Why the mesh cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka refused something.
    #[error("cannot {doing}: {reason}{}", advice(reason))]
    Kafka {
        /// What was attempted.
        doing: String,
        /// The answer.
        reason: KafkaError,
    },
    /// The brokers cannot be reached.
    #[error("cannot reach Kafka at {brokers}: {reason}{}", advice(cause))]
    Unreachable {
        /// `host:port` of the brokers.
        brokers: String,
        /// What the client said last.
        reason: String,
        /// The error behind it.
        cause: Box<KafkaError>,
    },
    /// A secret cannot be read.
    #[error("cannot use the secret in {}: {reason}", file.display())]
    Secret {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A topic does not exist, or has no partitions yet.
    #[error("topic {0} does not exist on these brokers: create it, or correct its name")]
    NoTopic(String),
    /// Topics for the results do not exist, although the input does.
    #[error(
        "these topics for results do not exist: {}; create them, each with {partitions} partitions as \
         the input has, or correct kafka.outputs",
        topics.join(", ")
    )]
    NoOutputs {
        /// Their names.
        topics: Vec<String>,
        /// Partitions of the input.
        partitions: i32,
    },
    /// A topic has no such partition.
    #[error(
        "topic {topic} has no partition {partition}: it has {count}, {}",
        if *count == 1 { "only 0".into() } else { format!("0 to {}", count - 1) }
    )]
    NoPartition {
        /// The topic.
        topic: String,
        /// The partition that was asked for.
        partition: i32,
        /// How many there are.
        count: i32,
    },
    /// An output could not be delivered; it will be sent again after a restart.
    #[error("output {id} was not delivered: {reason}{}", advice(reason))]
    Undelivered {
        /// The id of the output.
        id: String,
        /// Why.
        reason: KafkaError,
    },
    /// A partition could not be taken over from its former owner.
    #[error("partition {partition} cannot be taken over: {reason}")]
    Unclaimed {
        /// Partition of the input topic.
        partition: i32,
        /// Why.
        reason: String,
    },
    /// A record of the checkpoint topic cannot be read.
    #[error("the checkpoint of partition {partition} cannot be read: {reason}")]
    Checkpoint {
        /// Partition of the input topic.
        partition: i32,
        /// Why.
        reason: String,
    },
    /// A checkpoint has a version that this worker does not know.
    #[error(
        "the checkpoint of partition {partition} has version {version}, and this worker knows \
         versions up to {known}: upgrade the worker, or name another checkpoint topic or group",
        known = crate::checkpoint::VERSION
    )]
    Newer {
        /// Partition of the input topic.
        partition: i32,
        /// Its version.
        version: u32,
    },
    /// Records of a topic do not come.
    #[error(
        "no record of {topic} came for a minute, and partitions {partitions:?} are not at their end"
    )]
    Silent {
        /// The topic.
        topic: String,
        /// Its partitions.
        partitions: Vec<i32>,
    },
    /// The input is not the one that the checkpoint is about.
    #[error(
        "{topic}/{partition} is not the partition that the worker has read before: {reason}. If the \
         topic was created anew, set kafka.on_recreated_input to begin_anew, or name another \
         checkpoint topic and group"
    )]
    Recreated {
        /// Input topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// How that is known.
        reason: String,
    },
    /// Records that are needed are gone.
    #[error(
        "records of {topic}/{partition} that are needed were deleted: {reason}. To go on without \
         them, set kafka.on_lost_points to begin_anew"
    )]
    Lost {
        /// Input topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// Which.
        reason: String,
    },
    /// A topic cannot be used as it is.
    #[error("topic {topic} cannot be used: {reason}")]
    Topic {
        /// The topic.
        topic: String,
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl Error {
    pub(crate) fn kafka(doing: impl Into<String>) -> impl FnOnce(KafkaError) -> Error {
        |reason| Error::Kafka { doing: doing.into(), reason }
    }

    /// What the error asks for.
    pub fn class(&self) -> Class {
        match self {
            Error::Kafka { reason, .. } => Class::of(reason),
            Error::Unreachable { cause, .. } => Class::of(cause),
            Error::Undelivered { reason, .. } => Class::of(reason),
            Error::Unclaimed { .. } => Class::Retriable,
            Error::Secret { .. }
            | Error::NoTopic(_)
            | Error::NoOutputs { .. }
            | Error::NoPartition { .. }
            | Error::Checkpoint { .. }
            | Error::Newer { .. }
            | Error::Silent { .. }
            | Error::Recreated { .. }
            | Error::Lost { .. }
            | Error::Topic { .. } => Class::Fatal,
        }
    }
}

/// What to look at first when a client is refused.
fn advice(error: &KafkaError) -> &'static str {
    match error.rdkafka_error_code() {
        Some(Code::Authentication | Code::SaslAuthenticationFailed) => {
            "; check kafka.security.sasl: its mechanism, its username, and the password in its \
             password_file"
        }
        Some(Code::FencedInstanceId | Code::UnreleasedInstanceId) => {
            "; another worker has the same kafka.instance_id: give each its own"
        }
        Some(Code::UnsupportedSASLMechanism | Code::IllegalSASLState) => {
            "; check the mechanism in kafka.security.sasl: these brokers do not offer it"
        }
        Some(Code::SSL) => {
            "; check kafka.security.tls: whether its ca_file holds the authority that signed the \
             brokers' certificates, and whether the brokers ask for a certificate_file and key_file"
        }
        Some(
            Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed,
        ) => "; ask who runs the brokers for this right",
        Some(Code::BrokerTransportFailure | Code::AllBrokersDown | Code::OperationTimedOut) => {
            "; check kafka.brokers, the network between, and whether the brokers want \
             kafka.security, or a certificate_file in it"
        }
        Some(Code::UnknownTopic | Code::UnknownPartition) => {
            "; a topic was deleted, or created anew with fewer partitions, while the worker ran: see \
             that it is there, and restart the worker"
        }
        _ => "",
    }
}
