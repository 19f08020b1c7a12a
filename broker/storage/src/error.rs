//! What can go wrong, one type an operation.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use brooklet_model::{BatchError, CompressionError, Offset, RecordError};

use crate::{LogConfigError, Topic};

/// A log that cannot be used, now or at all.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// A write or a sync failed before; the partition takes no more until a restart has looked at what is there.
    #[error("the partition refuses writes since one failed: {0}")]
    Poisoned(Arc<str>),
    /// Its topic is deleted.
    #[error("the log is deleted")]
    Deleted,
    /// The storage it belongs to is shut down.
    #[error("the storage is shut down")]
    Closed,
    /// The operating system refused.
    #[error("{0}")]
    Io(Arc<io::Error>),
    /// What is stored is not what was written.
    #[error("stored bytes are damaged: {0}")]
    Damaged(Arc<str>),
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl From<sled::Error> for StorageError {
    fn from(error: sled::Error) -> Self {
        Self::Io(Arc::new(io::Error::other(error)))
    }
}

/// Why a batch was not appended; nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Larger than `max.message.bytes`.
    #[error("the batch has {size} bytes, max.message.bytes is {max}")]
    TooLarge {
        /// Bytes of the batch.
        size: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// Its records unfold to more than is looked at.
    #[error("the batch unfolds to more than {0} bytes")]
    UnfoldsTooFar(usize),
    /// Checksum or counts do not fit.
    #[error(transparent)]
    Corrupt(#[from] BatchError),
    /// Whole, but not to be stored in this log.
    #[error("{0}")]
    InvalidRecord(String),
    /// The sequence does not follow the producer's last one.
    #[error("{0}")]
    OutOfOrderSequence(String),
    /// A newer instance of the producer has written.
    #[error("{0}")]
    InvalidProducerEpoch(String),
    /// Not part of the transaction that it would have to be part of.
    #[error("{0}")]
    InvalidTxnState(String),
    /// A newer coordinator has ended a transaction of the producer.
    #[error("{0}")]
    CoordinatorFenced(String),
    /// Some of its records may not be stored in this log.
    #[error("{0}")]
    Refused(RefusedRecords),
    /// Larger than `segment.bytes`.
    #[error("the batch has {size} bytes, segment.bytes is {max}")]
    LargerThanSegment {
        /// Bytes of the batch as it would be stored.
        size: usize,
        /// The most that is allowed.
        max: u64,
    },
    /// Its records had to be looked at and do not unfold.
    #[error("{0}")]
    Unreadable(String),
    /// The log cannot take writes.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<RecordError> for AppendError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Compression(CompressionError::TooLarge(max)) => Self::UnfoldsTooFar(max),
            RecordError::Codec(_) | RecordError::Compression(_) => Self::Unreadable(error.to_string()),
            RecordError::Malformed | RecordError::Trailing(_) => Self::InvalidRecord(error.to_string()),
        }
    }
}

/// Refused records that are told one by one; a batch may have millions.
const REFUSED_MAX: usize = 10_000;

/// Records of a batch that may not be stored, and why not
/// (`org.apache.kafka.storage.internals.log.RecordValidationException`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusedRecords {
    /// Index in the batch and reason of each; of many the first.
    pub records: Vec<(i32, String)>,
    /// How many they are.
    pub count: usize,
    /// Whether the timestamp of any is the reason.
    pub by_timestamp: bool,
}

impl RefusedRecords {
    pub(crate) fn add(&mut self, index: i32, by_timestamp: bool, why: impl FnOnce() -> String) {
        self.count += 1;
        self.by_timestamp |= by_timestamp;
        if self.records.len() < REFUSED_MAX {
            self.records.push((index, why()));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl std::fmt::Display for RefusedRecords {
    /// In Kafka's words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.by_timestamp {
            return f.write_str("One or more records have been rejected due to invalid timestamp");
        }
        let told = self.records.iter().take(3);
        let told: Vec<_> =
            told.map(|(index, why)| format!("RecordError(batchIndex={index}, message='{why}')")).collect();
        write!(
            f,
            "One or more records have been rejected due to {} record errors in total, and only showing the first three \
             errors at most: [{}]",
            self.count,
            told.join(", ")
        )
    }
}

/// Why a log was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The offset is not in the log.
    #[error("the log holds the offsets from {start} to {end}")]
    OutOfRange {
        /// The first offset there is.
        start: Offset,
        /// The log's end.
        end: Offset,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a data folder was not opened. Each is one line.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by the process {pid}", path = path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who has it; 0 when that process has not said.
        pid: u32,
    },
    /// Made by something else.
    #[error("{path} is not brooklet's; take another folder", path = path.display())]
    Foreign {
        /// The file that says so.
        path: PathBuf,
    },
    /// Made by another, later version.
    #[error("{path} has the format version {version}, this brooklet reads {known}", path = path.display())]
    UnknownFormat {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        version: String,
        /// What this brooklet reads.
        known: u32,
    },
    /// Made with another engine.
    #[error("{path} was made with --storage {existing}, not {wanted}", path = path.display())]
    OtherEngine {
        /// The folder.
        path: PathBuf,
        /// The folder's engine.
        existing: String,
        /// The engine asked for.
        wanted: String,
    },
    /// The operating system refused.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// What was to be opened, made or read.
        path: PathBuf,
        /// Why that failed.
        error: io::Error,
    },
    /// A log of brooklet's own cannot be used.
    #[error("{log}: {error}")]
    Log {
        /// The log.
        log: String,
        /// Why.
        error: StorageError,
    },
}

impl OpenError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}

/// Why a topic was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateTopicError {
    /// There is one of that name.
    #[error("topic {} exists", .0.name)]
    Exists(Arc<Topic>),
    /// Not a legal name (`org.apache.kafka.common.internals.Topic`), or one of brooklet's own.
    #[error("`{0}` is not a legal topic name")]
    InvalidName(String),
    /// Fewer than one partition.
    #[error("a topic has at least one partition, not {0}")]
    InvalidPartitions(i32),
    /// An override that cannot be.
    #[error(transparent)]
    Config(#[from] LogConfigError),
    /// It could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a topic was not changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum AlterTopicError {
    /// There is none of that name.
    #[error("there is no topic {0}")]
    Unknown(String),
    /// Partitions can only become more.
    #[error("topic {name} has {partitions} partitions already")]
    InvalidPartitions {
        /// The topic.
        name: String,
        /// How many it has.
        partitions: i32,
    },
    /// An override that cannot be.
    #[error(transparent)]
    Config(#[from] LogConfigError),
    /// It could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why the settings of a resource were not changed.
#[derive(Debug, thiserror::Error)]
pub enum AlterResourceError {
    /// One more would have settings of its own than may.
    #[error("more than {0} resources would have settings of their own")]
    TooMany(usize),
    /// All settings together would take more bytes than they may.
    #[error("the settings of all resources would take more than {0} bytes")]
    TooLarge(usize),
    /// A default for topics that cannot be.
    #[error(transparent)]
    Config(#[from] LogConfigError),
    /// It could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<AppendError> for StorageError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Storage(error) => error,
            other => Self::Io(Arc::new(io::Error::other(other.to_string()))),
        }
    }
}

impl From<ReadError> for StorageError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Storage(error) => error,
            other => Self::Io(Arc::new(io::Error::other(other.to_string()))),
        }
    }
}

/// Why a topic was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteTopicError {
    /// There is none of that name.
    #[error("there is no topic {0}")]
    Unknown(String),
    /// It could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
