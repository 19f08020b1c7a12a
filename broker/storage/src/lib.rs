//! The partition log and all that hangs on it: topics, indexes, producers, tables.
//!
//! The log is the truth. sled holds what can be made again from it: the index, what is known of producers, the
//! latest values of tables, each up to some offset of the log. This is the only crate that names sled or a path of
//! the data folder:
//!
//! ```text
//! DATA/.lock                       held by the one process that has the folder
//! DATA/meta.properties             format version, engine, cluster id
//! DATA/TOPIC-PARTITION/*.log       record batches, as Kafka lays them out (engine `segments`)
//! DATA/TOPIC-PARTITION/*.deleted   no part of the log any more, about to be removed
//! DATA/TOPIC-PARTITION/partition.metadata
//! DATA/sled/                       the index; with the engine `sled`, the record batches too
//! ```

mod background;
mod catalogue;
mod cleaner;
mod config;
mod deletions;
mod error;
mod format;
mod keys;
mod lock;
mod log_config;
mod partition;
mod producers;
mod replay;
mod shared;
mod sled_index;
mod slice;
mod storage;
mod store;
mod table;
mod topic;

pub use config::{Clock, Engine, Fsync, StorageConfig, Tuning, UnknownName};
pub use error::{
    AlterResourceError, AlterTopicError, AppendError, CreateTopicError, DeleteTopicError, OpenError, ReadError,
    RefusedRecords, StorageError,
};
pub use log_config::{CleanupPolicy, LogConfig, LogConfigError, Settings, StoredCompression};
pub use partition::{AbortedTransaction, Appended, PartitionLog, Verified};
pub use producers::{ProducerDescription, ProducerEntry};
pub use replay::{Replayed, Update};
pub use slice::{LogSlice, SlicePart};
pub use storage::Storage;
pub use table::Table;
pub use topic::{NewTopic, Topic, is_legal_topic_name};
