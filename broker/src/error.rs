//! Every error of the log as the code that Kafka gives for it.

use std::borrow::Cow;

use brooklet_coordinator::groups::GroupError;
use brooklet_coordinator::transactions::TransactionError;
use brooklet_model::BatchError;
use brooklet_storage::{AppendError, ReadError, StorageError};
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::StrBytes;

use crate::coordinators::CoordinatorError;

/// Kafka's code for a batch that was not appended (`ReplicaManager.appendToLocalLog`, `UnifiedLog.append`).
pub(crate) fn of_append(error: &AppendError) -> ResponseError {
    match error {
        // A client splits what is too large.
        AppendError::TooLarge { .. } | AppendError::UnfoldsTooFar(_) => ResponseError::MessageTooLarge,
        AppendError::Corrupt(error) => of_batch(error),
        AppendError::InvalidRecord(_) => ResponseError::InvalidRecord,
        AppendError::OutOfOrderSequence { .. } => ResponseError::OutOfOrderSequenceNumber,
        AppendError::InvalidProducerEpoch { .. } => ResponseError::InvalidProducerEpoch,
        AppendError::Refused(records) if records.by_timestamp => ResponseError::InvalidTimestamp,
        AppendError::Refused(_) => ResponseError::InvalidRecord,
        AppendError::LargerThanSegment { .. } => ResponseError::RecordListTooLarge,
        AppendError::Unreadable(_) => ResponseError::UnknownServerError,
        AppendError::InvalidTxnState { .. } => ResponseError::InvalidTxnState,
        AppendError::CoordinatorFenced { .. } => ResponseError::TransactionCoordinatorFenced,
        AppendError::Storage(_) => ResponseError::KafkaStorageError,
    }
}

/// Kafka's code for bytes that are no batch it stores.
pub(crate) fn of_batch(error: &BatchError) -> ResponseError {
    match error {
        BatchError::Truncated { .. } | BatchError::Length(_) | BatchError::Crc { .. } => ResponseError::CorruptMessage,
        BatchError::Magic(_) | BatchError::Count { .. } => ResponseError::InvalidRecord,
    }
}

/// Kafka's code for a read that cannot be answered.
pub(crate) fn of_read(error: &ReadError) -> ResponseError {
    match error {
        ReadError::OutOfRange { .. } => ResponseError::OffsetOutOfRange,
        ReadError::Storage(_) => ResponseError::KafkaStorageError,
    }
}

/// Kafka's code for a log that cannot be used.
pub(crate) fn of_storage(error: &StorageError) -> ResponseError {
    match error {
        StorageError::Deleted => ResponseError::UnknownTopicOrPartition,
        _ => ResponseError::KafkaStorageError,
    }
}

/// Longest message in characters that is sent with a code; names from the request may stand in it, and in older
/// versions of the protocol a text has 32767 bytes at most.
const MESSAGE_LEN_MAX: usize = 8000;

/// A code and, where Kafka says more, its words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    kind: ResponseError,
    message: Option<Cow<'static, str>>,
}

impl ApiError {
    pub(crate) fn new(kind: ResponseError, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: Some(message.into()) }
    }

    /// With the message that Kafka has for the code where nobody said more (`org.apache.kafka.common.protocol.Errors`).
    pub(crate) fn with_kafkas_words(kind: ResponseError) -> Self {
        match kind {
            ResponseError::UnknownTopicOrPartition => {
                Self::new(kind, "This server does not host this topic-partition.")
            }
            ResponseError::UnknownTopicId => Self::new(kind, "This server does not host this topic ID."),
            ResponseError::InvalidRequest => Self::new(
                kind,
                "This most likely occurs because of a request being malformed by the client library or the message was \
                 sent to an incompatible broker. See the broker logs for more details.",
            ),
            _ => Self { kind, message: None },
        }
    }

    pub(crate) fn kind(&self) -> ResponseError {
        self.kind
    }

    pub(crate) fn code(&self) -> i16 {
        self.kind.code()
    }

    pub(crate) fn message(self) -> Option<StrBytes> {
        self.message.map(|message| match message {
            Cow::Borrowed(message) => StrBytes::from_static_str(message),
            Cow::Owned(message) => match message.char_indices().nth(MESSAGE_LEN_MAX) {
                Some((end, _)) => StrBytes::from_string(message.get(..end).unwrap_or_default().to_owned()),
                None => StrBytes::from_string(message),
            },
        })
    }
}

impl From<ResponseError> for ApiError {
    fn from(kind: ResponseError) -> Self {
        Self { kind, message: None }
    }
}

/// Kafka's code for what a group refuses: the error of the same name.
pub(crate) fn of_group(error: GroupError) -> ResponseError {
    match error {
        GroupError::InvalidGroupId => ResponseError::InvalidGroupId,
        GroupError::InvalidSessionTimeout => ResponseError::InvalidSessionTimeout,
        GroupError::UnknownMemberId => ResponseError::UnknownMemberId,
        GroupError::PendingMemberIsDynamic => ResponseError::UnknownServerError,
        GroupError::MemberIdRequired => ResponseError::MemberIdRequired,
        GroupError::FencedInstanceId => ResponseError::FencedInstanceId,
        GroupError::IllegalGeneration => ResponseError::IllegalGeneration,
        GroupError::RebalanceInProgress => ResponseError::RebalanceInProgress,
        GroupError::InconsistentGroupProtocol => ResponseError::InconsistentGroupProtocol,
        GroupError::GroupMaxSizeReached => ResponseError::GroupMaxSizeReached,
        GroupError::GroupIdNotFound => ResponseError::GroupIdNotFound,
        GroupError::NonEmptyGroup => ResponseError::NonEmptyGroup,
        GroupError::GroupSubscribedToTopic => ResponseError::GroupSubscribedToTopic,
        GroupError::OffsetMetadataTooLarge => ResponseError::OffsetMetadataTooLarge,
    }
}

/// Kafka's code for a coordinator that did not do as asked; on a storage error a client looks for it again
/// (`GroupMetadataManager.appendGroupMetadataErrorToResponseError`).
pub(crate) fn of_coordinator(error: &CoordinatorError) -> ResponseError {
    match error {
        CoordinatorError::Refused(error) => of_group(*error),
        CoordinatorError::TransactionRefused(error) => of_transaction(*error),
        CoordinatorError::InvalidProducerEpoch => ResponseError::InvalidProducerEpoch,
        CoordinatorError::Unavailable => ResponseError::NotCoordinator,
    }
}

/// Kafka's code for what a transaction refuses: the error of the same name.
fn of_transaction(error: TransactionError) -> ResponseError {
    match error {
        TransactionError::InvalidRequest => ResponseError::InvalidRequest,
        TransactionError::InvalidTransactionTimeout => ResponseError::InvalidTransactionTimeout,
        TransactionError::InvalidProducerIdMapping => ResponseError::InvalidProducerIdMapping,
        TransactionError::ProducerFenced => ResponseError::ProducerFenced,
        TransactionError::ConcurrentTransactions => ResponseError::ConcurrentTransactions,
        TransactionError::InvalidTxnState => ResponseError::InvalidTxnState,
        TransactionError::TransactionAbortable => ResponseError::TransactionAbortable,
        TransactionError::ProducerIdNeeded => ResponseError::CoordinatorLoadInProgress,
    }
}

/// As [`of_coordinator`], for clients that may be too old to know of PRODUCER_FENCED: `knows_fenced` is the first
/// version of the API that does.
pub(crate) fn of_transaction_for(error: &CoordinatorError, version: i16, knows_fenced: i16) -> ResponseError {
    match of_coordinator(error) {
        ResponseError::ProducerFenced if version < knows_fenced => ResponseError::InvalidProducerEpoch,
        error => error,
    }
}
