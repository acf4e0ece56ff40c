//! What an error of Kafka asks for, decided once.

use crate::class::Class::{Fatal, Fenced, Poison, Retriable};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

/// What an error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The same attempt may succeed later; the client retries by itself.
    Retriable,
    /// Another worker owns the partition now: stop, commit nothing.
    Fenced,
    /// This record will never be accepted, others will.
    Poison,
    /// Nothing will succeed until a person or a restart changes something.
    Fatal,
}

impl Class {
    /// The class of an error; an error without a code of Kafka is fatal, as is a code that this
    /// version does not know, and whatever has ended a client.
    pub fn of(error: &KafkaError) -> Class {
        match error {
            KafkaError::MessageConsumptionFatal(_) => Fatal,
            KafkaError::PartitionEOF(_) => Retriable,
            KafkaError::AdminOp(code) => class(*code).unwrap_or(Fatal),
            _ => error.rdkafka_error_code().and_then(class).unwrap_or(Fatal),
        }
    }

    /// The class of a code.
    pub(crate) fn of_code(code: Code) -> Class {
        class(code).unwrap_or(Fatal)
    }
}

/// Whether a client has no room now: it takes the same later.
pub(crate) fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(Code::QueueFull)
}

/// Whether a record was not accepted because of another one that it was sent with.
pub(crate) fn is_collateral(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(Code::InvalidDifferentRecord)
}

/// Whether the brokers do not accept who a client says it is, by what the client says of it. It
/// has the same code for a connection that was lost while it signed in.
pub(crate) fn is_turned_away(error: &KafkaError, reason: &str) -> bool {
    let is_lost = reason.contains("handshake failed: Local: ") || reason.contains("Disconnected: ");
    match error.rdkafka_error_code() {
        Some(Code::Authentication) => !is_lost,
        code => code == Some(Code::SaslAuthenticationFailed),
    }
}

/// Whether a client has not signed in: its context hears why, and decides by
/// [`is_turned_away`].
pub(crate) fn is_not_signed_in(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(Code::Authentication)
}

/// Whether a client has purged the record itself.
pub(crate) fn is_purged(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(Code::PurgeQueue | Code::PurgeInflight))
}

/// Whether a client says that it reaches no broker.
pub(crate) fn is_cut_off(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(Code::AllBrokersDown)
}

/// Whether the position of a consumer in a partition is not among its records any more.
pub(crate) fn is_out_of_range(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(Code::AutoOffsetReset)
}

/// Whether a client that lives takes no more records in its transaction, because one of them has
/// failed; it does not say which.
pub(crate) fn takes_no_more(code: Code) -> bool {
    code == Code::State
}

/// Whether no other client of ours would do better before a person has changed something.
pub(crate) fn needs_a_person(code: Code) -> bool {
    matches!(
        code,
        Code::TransactionalIdAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::TopicAuthorizationFailed
            | Code::SaslAuthenticationFailed
            | Code::InvalidTransactionTimeout
            | Code::UnsupportedVersion
            | Code::UnsupportedFeature
            | Code::UnknownTopic
            | Code::UnknownPartition
    )
}

/// Whether a question about a partition may be asked again: one without a leader, or one that was
/// just made, is unknown to the client.
pub(crate) fn may_pass(error: &KafkaError) -> bool {
    let unknown = error.rdkafka_error_code() == Some(Code::UnknownPartition);
    unknown || Class::of(error) == Class::Retriable
}

/// The class of every code that librdkafka can give, `None` for one that is not in the table.
fn class(code: Code) -> Option<Class> {
    Some(match code {
        Code::BrokerTransportFailure
        | Code::BrokerDestroy
        | Code::DestroyBroker
        | Code::Resolve
        | Code::MessageTimedOut
        | Code::PartitionEOF
        | Code::AllBrokersDown
        | Code::OperationTimedOut
        | Code::QueueFull
        | Code::ISRInsufficient
        | Code::NodeUpdate
        | Code::SSL
        | Code::WaitingForCoordinator
        | Code::InProgress
        | Code::PreviousInProgress
        | Code::NoOffset
        | Code::Outdated
        | Code::TimedOutQueue
        | Code::WaitCache
        | Code::Interrupted
        | Code::Partial
        | Code::Retry
        | Code::UnknownBroker
        | Code::Noop
        | Code::NoError
        | Code::UnknownTopicOrPartition
        | Code::UnknownTopicId
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::RequestTimedOut
        | Code::BrokerNotAvailable
        | Code::ReplicaNotAvailable
        | Code::NetworkException
        | Code::CoordinatorLoadInProgress
        | Code::CoordinatorNotAvailable
        | Code::NotCoordinator
        | Code::NotEnoughReplicas
        | Code::NotEnoughReplicasAfterAppend
        | Code::NotController
        | Code::ConcurrentTransactions
        | Code::KafkaStorageError
        | Code::ReassignmentInProgress
        | Code::FetchSessionIdNotFound
        | Code::InvalidFetchSessionEpoch
        | Code::ListenerNotFound
        | Code::FencedLeaderEpoch
        | Code::UnknownLeaderEpoch
        | Code::StaleBrokerEpoch
        | Code::StaleControllerEpoch
        | Code::OffsetNotAvailable
        | Code::MemberIdRequired
        | Code::PreferredLeaderNotAvailable
        | Code::EligibleLeadersNotAvailable
        | Code::UnstableOffsetCommit
        | Code::ThrottlingQuotaExceeded
        | Code::BadCompression
        | Code::BadMessage
        | Code::InvalidMessage
        | Code::RebootstrapRequired => Retriable,

        Code::AssignmentLost
        | Code::PollExceeded
        | Code::Fenced
        | Code::IllegalGeneration
        | Code::UnknownMemberId
        | Code::RebalanceInProgress
        | Code::InvalidProducerEpoch
        | Code::ProducerFenced
        | Code::TransactionCoordinatorFenced
        | Code::FencedInstanceId
        | Code::FencedMemberEpoch
        | Code::UnreleasedInstanceId
        | Code::StaleMemberEpoch
        | Code::UnknownGroup
        | Code::UnknownPartition
        | Code::State
        | Code::AssignPartitions
        | Code::RevokePartitions => Fenced,

        Code::MessageSizeTooLarge
        | Code::MessageBatchTooLarge
        | Code::InvalidMessageSize
        | Code::InvalidRecord
        | Code::InvalidTimestamp
        | Code::KeySerialization
        | Code::ValueSerialization
        | Code::KeyDeserialization
        | Code::ValueDeserialization => Poison,

        Code::Begin
        | Code::End
        | Code::EndAll
        | Code::Fail
        | Code::CriticalSystemResource
        | Code::FileSystem
        | Code::UnknownTopic
        | Code::InvalidArgument
        | Code::ExistingSubscription
        | Code::Conflict
        | Code::UnknownProtocol
        | Code::NotImplemented
        | Code::Authentication
        | Code::UnsupportedFeature
        | Code::ReadOnly
        | Code::NoEnt
        | Code::Underflow
        | Code::InvalidType
        | Code::PurgeQueue
        | Code::PurgeInflight
        | Code::Fatal
        | Code::Inconsistent
        | Code::GaplessGuarantee
        | Code::NotConfigured
        | Code::Application
        | Code::AutoOffsetReset
        | Code::LogTruncation
        | Code::InvalidDifferentRecord
        | Code::Unknown
        | Code::OffsetOutOfRange
        | Code::OffsetMetadataTooLarge
        | Code::InvalidTopic
        | Code::InvalidRequiredAcks
        | Code::InconsistentGroupProtocol
        | Code::InvalidGroupId
        | Code::InvalidSessionTimeout
        | Code::InvalidCommitOffsetSize
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::UnsupportedSASLMechanism
        | Code::IllegalSASLState
        | Code::UnsupportedVersion
        | Code::TopicAlreadyExists
        | Code::InvalidPartitions
        | Code::InvalidReplicationFactor
        | Code::InvalidReplicaAssignment
        | Code::InvalidConfig
        | Code::InvalidRequest
        | Code::UnsupportedForMessageFormat
        | Code::PolicyViolation
        | Code::OutOfOrderSequenceNumber
        | Code::DuplicateSequenceNumber
        | Code::InvalidTransactionalState
        | Code::InvalidProducerIdMapping
        | Code::InvalidTransactionTimeout
        | Code::TransactionalIdAuthorizationFailed
        | Code::SecurityDisabled
        | Code::OperationNotAttempted
        | Code::LogDirNotFound
        | Code::SaslAuthenticationFailed
        | Code::UnknownProducerId
        | Code::DelegationTokenAuthDisabled
        | Code::DelegationTokenNotFound
        | Code::DelegationTokenOwnerMismatch
        | Code::DelegationTokenRequestNotAllowed
        | Code::DelegationTokenAuthorizationFailed
        | Code::DelegationTokenExpired
        | Code::InvalidPrincipalType
        | Code::NonEmptyGroup
        | Code::GroupIdNotFound
        | Code::TopicDeletionDisabled
        | Code::UnsupportedCompressionType
        | Code::GroupMaxSizeReached
        | Code::ElectionNotNeeded
        | Code::NoReassignmentInProgress
        | Code::GroupSubscribedToTopic
        | Code::ResourceNotFound
        | Code::DuplicateResource
        | Code::UnacceptableCredential
        | Code::InconsistentVoterSet
        | Code::InvalidUpdateVersion
        | Code::FeatureUpdateFailed
        | Code::PrincipalDeserializationFailure
        | Code::UnsupportedAssignor
        | Code::UnknownSubscriptionId
        | Code::TelemetryTooLarge => Fatal,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::error::RDKafkaErrorCode;
    use rdkafka::types::RDKafkaRespErr;

    /// Every code that the bundled librdkafka can give.
    fn codes() -> Vec<RDKafkaErrorCode> {
        (-1000..1000).filter_map(|c| RDKafkaRespErr::try_from(c).ok()).map(Into::into).collect()
    }

    #[test]
    fn every_code_has_a_class() {
        let codes = codes();
        assert!(codes.len() > 150, "only {} codes were found", codes.len());
        let unclassed: Vec<_> = codes.into_iter().filter(|&c| class(c).is_none()).collect();
        assert!(unclassed.is_empty(), "no class for {unclassed:?}");
    }

    #[test]
    fn a_connection_that_is_lost_while_signing_in_is_not_a_refusal() {
        let turned_away =
            |reason: &str| is_turned_away(&KafkaError::Global(Code::Authentication), reason);
        for refusal in [
            "sasl_ssl://b:9092/1: SASL authentication error: Authentication failed during \
             authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 (after \
             6ms in state AUTH_REQ)",
            "sasl_ssl://b:9092/1: SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL \
             mechanism: broker's supported mechanisms: SCRAM-SHA-512 (after 2ms in state \
             AUTH_HANDSHAKE)",
        ] {
            assert!(turned_away(refusal), "{refusal}");
        }
        for fault in [
            "sasl_ssl://b:9092/1: SASL SCRAM-SHA-512 mechanism handshake failed: Local: Broker \
             transport failure: broker's supported mechanisms:  (after 3ms in state \
             AUTH_HANDSHAKE)",
            "sasl_plaintext://b:9092/1: SASL PLAIN mechanism handshake failed: Local: Timed out: \
             broker's supported mechanisms: ",
            "sasl_ssl://b:9092/1: Disconnected: hung up from peer in state AUTH_LEGACY",
        ] {
            assert!(!turned_away(fault), "{fault}");
        }
        assert!(!is_turned_away(&KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down"));
    }

    #[test]
    fn the_codes_that_decide_what_happens_to_data_are_where_they_belong() {
        for (code, expected) in [
            (Code::QueueFull, Retriable),
            (Code::AllBrokersDown, Retriable),
            (Code::RebalanceInProgress, Fenced),
            (Code::IllegalGeneration, Fenced),
            (Code::ProducerFenced, Fenced),
            (Code::MessageSizeTooLarge, Poison),
            (Code::Fatal, Fatal),
            (Code::OutOfOrderSequenceNumber, Fatal),
            (Code::PurgeQueue, Fatal),
            (Code::OffsetOutOfRange, Fatal),
        ] {
            assert_eq!(Class::of(&KafkaError::MessageProduction(code)), expected, "{code:?}");
        }
        for (error, expected) in [
            (KafkaError::Canceled, Fatal),
            (KafkaError::PartitionEOF(3), Retriable),
            (KafkaError::AdminOp(Code::NotController), Retriable),
            (KafkaError::AdminOp(Code::PolicyViolation), Fatal),
            // Another worker has the same name: this one is out for good.
            (KafkaError::MessageConsumptionFatal(Code::FencedInstanceId), Fatal),
            (KafkaError::MessageConsumption(Code::FencedInstanceId), Fenced),
        ] {
            assert_eq!(Class::of(&error), expected, "{error:?}");
        }
    }
}
