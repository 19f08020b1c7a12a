//! What all logs of a storage share.

use std::sync::atomic::AtomicBool;
use std::sync::{OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::background::WorkQueue;
use crate::catalogue::Catalogue;
use crate::sled_index::SledIndex;
use crate::{Clock, Engine, Fsync, StorageConfig, StorageError, Tuning};

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) fsync: Fsync,
    pub(crate) clock: Clock,
    producer_expiration: Duration,
    cleaner_backoff: Duration,
    pub(crate) cleaner_bytes_at_start: usize,
    /// What has been changed of these since.
    pub(crate) tuning: Mutex<Tuning>,
    /// None in memory.
    pub(crate) index: Option<SledIndex>,
    /// Logs that wait for a checkpoint.
    pub(crate) checkpoints: WorkQueue,
    /// Logs that wait for a group commit.
    pub(crate) commits: WorkQueue,
    /// Where the compaction thread waits; no log is put here.
    pub(crate) cleaning: WorkQueue,
    /// A compaction under way is to end.
    pub(crate) stops_cleaning: AtomicBool,
    /// Set once the catalogue's own log is open.
    pub(crate) catalogue: OnceLock<Weak<Catalogue>>,
}

impl Shared {
    pub(crate) fn new(config: &StorageConfig, index: Option<SledIndex>) -> Self {
        Self {
            engine: config.engine,
            fsync: config.fsync,
            clock: config.clock.clone(),
            producer_expiration: config.producer_expiration,
            cleaner_backoff: config.cleaner_backoff,
            cleaner_bytes_at_start: config.cleaner_bytes_max,
            tuning: Mutex::default(),
            index,
            checkpoints: WorkQueue::default(),
            commits: WorkQueue::default(),
            cleaning: WorkQueue::default(),
            stops_cleaning: AtomicBool::new(false),
            catalogue: OnceLock::new(),
        }
    }

    /// How long a producer that writes nothing is remembered.
    pub(crate) fn producer_expiration_ms(&self) -> i64 {
        let expiration = self.tuning.lock().producer_expiration.unwrap_or(self.producer_expiration);
        i64::try_from(expiration.as_millis()).unwrap_or(i64::MAX)
    }

    /// How long compaction rests.
    pub(crate) fn cleaner_backoff(&self) -> Duration {
        self.tuning.lock().cleaner_backoff.unwrap_or(self.cleaner_backoff)
    }

    /// Bytes that compaction may take for the keys of a log.
    pub(crate) fn cleaner_bytes_max(&self) -> usize {
        self.tuning.lock().cleaner_bytes_max.unwrap_or(self.cleaner_bytes_at_start)
    }

    /// Whether anything outlives the process.
    pub(crate) fn is_persistent(&self) -> bool {
        self.engine != Engine::Memory
    }

    /// Whether an append alone does not make a batch servable.
    pub(crate) fn commits_in_groups(&self) -> bool {
        match self.engine {
            Engine::Segments => self.fsync == Fsync::Always,
            Engine::Sled => true,
            Engine::Memory => false,
        }
    }

    /// Puts a log's start on record.
    pub(crate) fn record_log_start(&self, number: u32, start: i64) -> Result<(), StorageError> {
        match self.catalogue.get().and_then(Weak::upgrade) {
            Some(catalogue) => catalogue.record_log_start(number, start),
            None => Err(StorageError::Closed),
        }
    }
}
