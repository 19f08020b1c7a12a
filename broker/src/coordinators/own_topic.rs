//! The internal topic that a coordinator keeps its records in: made when first needed, in one partition.

use std::sync::Arc;

use brooklet_storage::{AppendError, CreateTopicError, NewTopic, Storage, StorageError, Table};

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

/// A coordinator's topic, and the table of it once that is open.
pub(super) struct OwnTopic {
    storage: Arc<Storage>,
    name: &'static str,
    /// Its `compression.type`.
    compression: &'static str,
    table: Option<Arc<Table>>,
}

impl OwnTopic {
    pub(super) fn new(storage: Arc<Storage>, name: &'static str, compression: &'static str) -> Self {
        Self { storage, name, compression, table: None }
    }

    /// Opens the table anew; a broker whose coordinator was never needed has no such topic yet.
    pub(super) fn open(&mut self) -> Result<Option<Arc<Table>>, OwnTopicError> {
        self.table = match self.storage.log(self.name, 0) {
            Some(log) => Some(self.storage.table(log)?),
            None => None,
        };
        Ok(self.table.clone())
    }

    /// The table, if it was opened or made before.
    pub(super) fn known(&self) -> Option<&Arc<Table>> {
        self.table.as_ref()
    }

    /// The table, made with its topic if it was not there.
    pub(super) fn table(&mut self) -> Result<Arc<Table>, OwnTopicError> {
        match &self.table {
            Some(table) => Ok(table.clone()),
            None => self.create(),
        }
    }

    /// To be opened anew before it is used again.
    pub(super) fn forget(&mut self) {
        self.table = None;
    }

    fn create(&mut self) -> Result<Arc<Table>, OwnTopicError> {
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
        let table = self.storage.table(log.clone())?;
        self.table = Some(table.clone());
        Ok(table)
    }
}
