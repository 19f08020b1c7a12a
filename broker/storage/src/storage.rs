//! A data folder: its topics, its hidden logs, and the threads that look after them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use brooklet_model::{Offset, TopicId, TopicPartition};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::background::{self, Schedule, checkpoint};
use crate::catalogue::{CATALOGUE_ID, CATALOGUE_NAME, CATALOGUE_NUMBER, Catalogue, Contents, TopicRecord};
use crate::format::Format;
use crate::lock::Lock;
use crate::partition::PartitionLog;
use crate::shared::Shared;
use crate::sled_index::SledIndex;
use crate::store::{Stores, remove_leftovers};
use crate::{Engine, Fsync, LogConfig, OpenError, Settings, StorageConfig, StorageError, Table, Topic, Tuning};
use topics::{hidden_config, table_overrides};

mod cleaning;
mod resources;
mod topics;

use resources::Resources;

/// All logs of a data folder. One process has it at a time.
pub struct Storage {
    cluster_id: String,
    data_dir: PathBuf,
    /// The settings of topics where nobody has changed them.
    started_with: LogConfig,
    stores: Stores,
    shared: Arc<Shared>,
    catalogue: Arc<Catalogue>,
    /// What is there now; replaced as a whole.
    topics: RwLock<Topics>,
    /// Held by whoever changes what there is.
    records: Mutex<Records>,
    resources: RwLock<Resources>,
    changes: watch::Sender<u64>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    lock: Mutex<Option<Lock>>,
}

#[derive(Default)]
struct Topics {
    by_name: BTreeMap<Arc<str>, Arc<Topic>>,
    by_id: HashMap<TopicId, Arc<Topic>>,
    hidden: BTreeMap<String, Arc<PartitionLog>>,
}

/// What the catalogue says.
struct Records {
    topics: BTreeMap<String, TopicRecord>,
    hidden: BTreeMap<String, TopicRecord>,
    next_log: u32,
    topic_defaults: Settings,
}

impl Storage {
    /// Opens the folder, or makes it; takes its lock, brings every log to its last whole batch.
    pub fn open(config: StorageConfig) -> Result<Arc<Self>, OpenError> {
        let persistent = config.engine != Engine::Memory;
        let (mut lock, mut format, mut index) = (None, Format::fresh(), None);
        if persistent {
            fs::create_dir_all(&config.data_dir).map_err(OpenError::io(&config.data_dir))?;
            lock = Some(Lock::take(&config.data_dir)?);
            format = Format::open(&config.data_dir, config.engine, config.fsync == Fsync::Always)?;
            index = Some(SledIndex::open_or_rebuild(&config.data_dir, config.engine, format.is_new)?);
        }
        let shared = Arc::new(Shared::new(&config, index));
        let records = shared.index.as_ref().and_then(SledIndex::records);
        let stores = Stores::new(config.engine, config.data_dir.clone(), records);
        let opener = Opener { stores: &stores, shared: &shared };

        let log_error = |error| OpenError::Log { log: CATALOGUE_NAME.to_owned(), error };
        let settings = hidden_config(CATALOGUE_NAME, &table_overrides());
        let opened = opener.open(CATALOGUE_NAME, 0, CATALOGUE_NUMBER, CATALOGUE_ID, settings, 0);
        let catalogue_log = opened.map_err(log_error)?;
        let table = Table::open(catalogue_log).map_err(log_error)?;
        let catalogue = Arc::new(Catalogue::new(table));
        // Only ever empty before this.
        let _ = shared.catalogue.set(Arc::downgrade(&catalogue));
        let contents = catalogue.contents().map_err(log_error)?;
        if config.engine == Engine::Segments {
            remove_leftovers(&config.data_dir).map_err(OpenError::io(&config.data_dir))?;
        }

        let storage = Self {
            cluster_id: format.cluster_id,
            data_dir: std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone()),
            started_with: config.log.clone(),
            catalogue,
            topics: RwLock::default(),
            records: Mutex::new(Records {
                topics: contents.topics.clone(),
                hidden: contents.hidden.clone(),
                next_log: contents.next_log,
                topic_defaults: contents.topic_defaults.clone(),
            }),
            resources: RwLock::new(contents.resources.clone()),
            changes: watch::Sender::new(0),
            threads: Mutex::default(),
            lock: Mutex::new(lock),
            stores,
            shared,
        };
        storage.finish_deletions(&contents);
        storage.open_logs(&contents)?;
        let storage = Arc::new(storage);
        storage.start_threads(&config).map_err(OpenError::io(&config.data_dir))?;
        Ok(storage)
    }

    fn opener(&self) -> Opener<'_> {
        Opener { stores: &self.stores, shared: &self.shared }
    }

    fn open_logs(&self, contents: &Contents) -> Result<(), OpenError> {
        let start = |number: &u32| contents.starts.get(number).copied().unwrap_or(0);
        let mut topics = self.topics.write();
        let defaults = self.started_with.with_overrides(&contents.topic_defaults).unwrap_or_else(|error| {
            tracing::warn!(%error, "topics go on with the settings that the broker was started with");
            self.started_with.clone()
        });
        for (name, record) in &contents.topics {
            let config = topic_config(name, &defaults, &record.overrides);
            let name: Arc<str> = name.as_str().into();
            let mut partitions = Vec::with_capacity(record.logs.len());
            for (partition, number) in (0..).zip(&record.logs) {
                let opened =
                    self.opener().open(name.clone(), partition, *number, record.id, config.clone(), start(number));
                partitions.push(opened.map_err(|error| OpenError::Log { log: format!("{name}-{partition}"), error })?);
            }
            topics.put(Topic {
                name,
                id: record.id,
                internal: record.internal,
                overrides: record.overrides.clone(),
                config: Arc::new(config),
                partitions,
            });
        }
        for (name, record) in &contents.hidden {
            for number in &record.logs {
                let opened = self.opener().open(
                    name.as_str(),
                    0,
                    *number,
                    record.id,
                    hidden_config(name, &record.overrides),
                    start(number),
                );
                let log = opened.map_err(|error| OpenError::Log { log: name.clone(), error })?;
                topics.hidden.insert(name.clone(), log);
            }
        }
        Ok(())
    }

    fn start_threads(self: &Arc<Self>, config: &StorageConfig) -> std::io::Result<()> {
        let mut threads = self.threads.lock();
        let schedule = Schedule {
            interval: config.checkpoint_interval,
            bytes: config.checkpoint_bytes,
            retention_interval: config.retention_check_interval,
        };
        let (shared, storage) = (self.shared.clone(), Arc::downgrade(self));
        let retention = move || {
            if let Some(storage) = storage.upgrade() {
                storage.enforce_retention();
            }
        };
        let checkpoints = std::thread::Builder::new().name("storage-checkpoint".into());
        let run = move || background::run_checkpoints(&shared, schedule, retention);
        threads.push(checkpoints.spawn(run)?);
        threads.push(self.start_cleaner()?);
        if self.shared.engine == Engine::Segments {
            let deletions = self.stores.deletions().clone();
            let thread = std::thread::Builder::new().name("storage-delete".into());
            threads.push(thread.spawn(move || deletions.run())?);
        }
        if self.shared.commits_in_groups() {
            let shared = self.shared.clone();
            let commits = std::thread::Builder::new().name("storage-commit".into());
            threads.push(commits.spawn(move || background::run_commits(&shared))?);
        }
        Ok(())
    }

    /// The cluster's id, made once for a data folder.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The end of the log in which topics and partitions are on record.
    pub fn metadata_end_offset(&self) -> Offset {
        self.catalogue.log().log_end_offset()
    }

    /// The data folder, from the root; the memory engine has none but its name.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Bytes of the disk that the folder is on, and those that are left of it; `None` for the memory engine, and where
    /// the system does not say.
    pub fn disk_bytes(&self) -> Option<(u64, u64)> {
        if self.shared.engine == Engine::Memory {
            return None;
        }
        match rustix::fs::statvfs(&self.data_dir) {
            Ok(disk) => {
                Some((disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize)))
            }
            Err(error) => {
                tracing::warn!(%error, "the size of the disk is not known");
                None
            }
        }
    }

    /// Changes what can be changed while it is open.
    pub fn tune(&self, tuning: Tuning) {
        *self.shared.tuning.lock() = tuning;
    }

    /// [`StorageConfig::cleaner_bytes_max`] as the storage was opened with it.
    pub fn cleaner_bytes_at_start(&self) -> usize {
        self.shared.cleaner_bytes_at_start
    }

    /// Changes whenever topics or partitions come or go.
    pub fn topics_changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The latest values of a log whose records are updates by key. The same table for all who ask.
    pub fn table(&self, log: Arc<PartitionLog>) -> Result<Arc<Table>, StorageError> {
        Table::open(log)
    }

    /// Removes what the settings of each topic no longer keep; done in the background each
    /// [`StorageConfig::retention_check_interval`]. Returns how many segments went.
    pub fn enforce_retention(&self) -> usize {
        let mut count = 0;
        for log in self.logs() {
            match log.enforce_retention() {
                Ok(removed) => count += removed,
                Err(StorageError::Deleted | StorageError::Closed) => {}
                Err(error) => tracing::warn!(log = %log.id(), %error, "retention failed"),
            }
        }
        count
    }

    /// Every log there is, the catalogue's last.
    fn logs(&self) -> Vec<Arc<PartitionLog>> {
        let topics = self.topics.read();
        let partitions = topics.by_name.values().flat_map(|topic| topic.partitions.iter().cloned());
        partitions.chain(topics.hidden.values().cloned()).chain([self.catalogue.log().clone()]).collect()
    }

    /// Brings everything to the disk, makes the next start a short one, and lets go of the folder. Logs still held
    /// refuse reads and writes from now on. The error is that of a log that had failed before.
    pub async fn shutdown(&self) -> Result<(), StorageError> {
        // On this thread: it is the last that the process does, and bounded by what a second of appends left.
        self.stop_threads();
        let logs = self.logs();
        if self.shared.commits_in_groups() {
            background::commit(&self.shared, &logs);
        }
        let behind: Vec<_> = logs.iter().filter(|log| log.needs_checkpoint()).cloned().collect();
        checkpoint(&self.shared, &behind);
        let mut result = Ok(());
        for log in logs {
            match log.check_writable() {
                Ok(()) | Err(StorageError::Closed | StorageError::Deleted) => {}
                Err(error) => result = Err(error),
            }
            log.close();
        }
        self.lock.lock().take();
        result
    }

    fn stop_threads(&self) {
        self.shared.checkpoints.stop();
        self.shared.commits.stop();
        self.stores.deletions().stop();
        self.shared.stops_cleaning.store(true, Ordering::Relaxed);
        self.shared.cleaning.stop();
        for thread in self.threads.lock().drain(..) {
            // The retention thread may be the one that drops the last handle.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a background thread of the storage panicked");
            }
        }
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").field("cluster_id", &self.cluster_id).finish_non_exhaustive()
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.stop_threads();
        self.logs().iter().for_each(|log| log.close());
    }
}

/// A topic's own settings over those that hold for all.
fn topic_config(name: &str, defaults: &LogConfig, overrides: &Settings) -> LogConfig {
    defaults.with_overrides(overrides).unwrap_or_else(|error| {
        tracing::warn!(topic = name, %error, "the topic goes on with the broker's settings");
        defaults.clone()
    })
}

/// What it takes to open a log.
struct Opener<'a> {
    stores: &'a Stores,
    shared: &'a Arc<Shared>,
}

impl Opener<'_> {
    fn open(
        &self,
        topic: impl Into<Arc<str>>,
        partition: i32,
        number: u32,
        topic_id: TopicId,
        config: LogConfig,
        start: i64,
    ) -> Result<Arc<PartitionLog>, StorageError> {
        let id = TopicPartition::new(topic, partition);
        let store = self.stores.open(&id, number, topic_id)?;
        PartitionLog::open(id, number, store, self.shared.clone(), Arc::new(config), start)
    }
}
