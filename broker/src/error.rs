//! Every error of the log as the code that Kafka gives for it.

use brooklet_model::BatchError;
use brooklet_storage::{AppendError, ReadError};
use kafka_protocol::ResponseError;

/// Kafka's code for a batch that was not appended (`ReplicaManager.appendToLocalLog`, `UnifiedLog.append`).
pub(crate) fn of_append(error: &AppendError) -> ResponseError {
    match error {
        AppendError::TooLarge { .. } => ResponseError::MessageTooLarge,
        AppendError::Corrupt(error) => of_batch(error),
        AppendError::InvalidRecord(_) => ResponseError::InvalidRecord,
        AppendError::OutOfOrderSequence { .. } => ResponseError::OutOfOrderSequenceNumber,
        AppendError::InvalidProducerEpoch { .. } => ResponseError::InvalidProducerEpoch,
        AppendError::InvalidTimestamp { .. } => ResponseError::InvalidTimestamp,
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
