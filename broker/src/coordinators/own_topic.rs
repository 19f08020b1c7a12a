//! The internal topic that a coordinator keeps its records in: made when first needed, in one partition.

use std::sync::Arc;

use brooklet_storage::{AppendError, CreateTopicError, NewTopic, PartitionLog, Storage, StorageError};

/// Why a coordinator cannot keep its records.
#[derive(Debug, thiserror::Error)]
pub(super) enum OwnTopicError {
    #[error("topic {0} cannot be created: {1}")]
    Create(&'static str, CreateTopicError),
    #[error("topic {0} has no partition 0")]
    NoPartition(&'static str),
    #[error("the topic cannot be used: {0}")]
    Storage(#[from] StorageError),
    #[error("the topic cannot be written: {0}")]
    Append(#[from] AppendError),
}

/// A coordinator's topic, and the log of it once that is known.
pub(super) struct OwnTopic {
    storage: Arc<Storage>,
    name: &'static str,
    /// Its `compression.type`.
    compression: &'static str,
    log: Option<Arc<PartitionLog>>,
}

impl OwnTopic {
    pub(super) fn new(storage: Arc<Storage>, name: &'static str, compression: &'static str) -> Self {
        Self { storage, name, compression, log: None }
    }

    /// The log; a broker whose coordinator was never needed has no such topic yet.
    pub(super) fn existing(&mut self) -> Option<Arc<PartitionLog>> {
        if self.log.is_none() {
            self.log = self.storage.log(self.name, 0);
        }
        self.log.clone()
    }

    /// The log, made with its topic if it was not there.
    pub(super) fn log(&mut self) -> Result<Arc<PartitionLog>, OwnTopicError> {
        match self.existing() {
            Some(log) => Ok(log),
            None => self.create(),
        }
    }

    /// To be looked for anew before it is used again.
    pub(super) fn forget(&mut self) {
        self.log = None;
    }

    fn create(&mut self) -> Result<Arc<PartitionLog>, OwnTopicError> {
        // As Kafka makes it, but that a record of a large group or transaction is never too large.
        let overrides = [
            ("cleanup.policy", "compact"),
            ("compression.type", self.compression),
            ("max.message.bytes", "2147483647"),
            ("segment.bytes", "104857600"),
        ];
        let topic = NewTopic {
            name: self.name.into(),
            partitions: 1,
            overrides: overrides.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            internal: true,
        };
        let topic = match self.storage.create_topic(topic) {
            Ok(topic) | Err(CreateTopicError::Exists(topic)) => topic,
            Err(error) => return Err(OwnTopicError::Create(self.name, error)),
        };
        let log = topic.partitions.first().ok_or(OwnTopicError::NoPartition(self.name))?;
        self.log = Some(log.clone());
        Ok(log.clone())
    }
}
