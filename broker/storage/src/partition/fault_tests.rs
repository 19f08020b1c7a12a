//! What a log does when its engine fails.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset, TopicPartition, split_batches};

use super::PartitionLog;
use crate::background;
use crate::shared::Shared;
use crate::store::{MemoryStore, RecordStore};
use crate::{AppendError, Engine, Fsync, LogConfig, LogSlice, StorageConfig, StorageError};

/// Memory that outlives the log, and fails when told to.
#[derive(Clone, Default)]
struct Faulty {
    bytes: Arc<MemoryStore>,
    append_fails: Arc<AtomicBool>,
    sync_fails: Arc<AtomicBool>,
    sync_panics: Arc<AtomicBool>,
}

impl RecordStore for Faulty {
    fn segments(&self) -> io::Result<Vec<(i64, u64)>> {
        self.bytes.segments()
    }

    fn create(&self, base: i64) -> io::Result<()> {
        self.bytes.create(base)
    }

    fn append(&self, base: i64, position: u64, prefix: &[u8; 16], rest: &[u8]) -> io::Result<()> {
        if self.append_fails.load(Ordering::SeqCst) {
            self.bytes.append(base, position, prefix, &rest[..rest.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.append(base, position, prefix, rest)
    }

    fn read(&self, base: i64, position: u64, len: usize) -> io::Result<LogSlice> {
        self.bytes.read(base, position, len)
    }

    fn read_into(&self, base: i64, position: u64, out: &mut [u8]) -> io::Result<usize> {
        self.bytes.read_into(base, position, out)
    }

    fn truncate(&self, base: i64, len: u64) -> io::Result<()> {
        self.bytes.truncate(base, len)
    }

    fn remove(&self, base: i64, delay: Duration) -> io::Result<()> {
        self.bytes.remove(base, delay)
    }

    fn sync(&self, _base: i64) -> io::Result<()> {
        assert!(!self.sync_panics.load(Ordering::SeqCst), "as sled does");
        match self.sync_fails.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is gone")),
            false => Ok(()),
        }
    }

    fn destroy(&self, delay: Duration) -> io::Result<()> {
        self.bytes.destroy(delay)
    }

    fn begin_cleaned(&self, base: i64) -> io::Result<()> {
        self.bytes.begin_cleaned(base)
    }

    fn append_cleaned(&self, base: i64, position: u64, bytes: &[u8]) -> io::Result<()> {
        self.bytes.append_cleaned(base, position, bytes)
    }

    fn sync_cleaned(&self, base: i64) -> io::Result<()> {
        self.bytes.sync_cleaned(base)
    }

    fn drop_cleaned(&self, base: i64) -> io::Result<()> {
        self.bytes.drop_cleaned(base)
    }

    fn decide_swap(&self, base: i64, end: i64, sync: bool) -> io::Result<()> {
        self.bytes.decide_swap(base, end, sync)
    }

    fn finish_swap(&self, base: i64, end: i64, delay: Duration) -> io::Result<()> {
        self.bytes.finish_swap(base, end, delay)
    }

    fn generation(&self) -> i64 {
        self.bytes.generation()
    }

    fn compacted_to(&self) -> i64 {
        self.bytes.compacted_to()
    }
}

fn open(store: &Faulty, fsync: Fsync) -> Arc<PartitionLog> {
    let shared =
        Arc::new(Shared::new(&StorageConfig { engine: Engine::Segments, fsync, ..StorageConfig::new("") }, None));
    let id = TopicPartition::new("logs", 0);
    PartitionLog::open(id, 1, Box::new(store.clone()), shared, Arc::new(LogConfig::default()), 0).unwrap()
}

fn batch() -> Batch {
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { value: Some(&[7; 500]), ..NewRecord::default() });
    Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()
}

fn wait(future: impl Future<Output = Result<(), StorageError>>) -> Result<(), StorageError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn is_poisoned(error: &AppendError) -> bool {
    matches!(error, AppendError::Storage(StorageError::Poisoned(_)))
}

#[test]
fn after_a_failed_write_only_a_restart_helps() {
    let store = Faulty::default();
    let log = open(&store, Fsync::Interval);
    log.append(batch()).unwrap();
    store.append_fails.store(true, Ordering::SeqCst);
    assert!(is_poisoned(&log.append(batch()).unwrap_err()));
    store.append_fails.store(false, Ordering::SeqCst);
    assert!(is_poisoned(&log.append(batch()).unwrap_err()));
    assert!(matches!(log.roll(), Err(StorageError::Poisoned(_))));
    assert!(matches!(wait(log.durable(Offset(2))), Err(StorageError::Poisoned(_))));
    let served = split_batches(log.read(Offset(0), 1 << 20).unwrap().into_bytes().unwrap()).count();
    assert_eq!((served, log.high_watermark()), (1, Offset(1)));

    let log = open(&store, Fsync::Interval);
    assert_eq!(log.log_end_offset(), Offset(1));
    assert_eq!(log.append(batch()).unwrap().base_offset, Offset(1));
    let served = split_batches(log.read(Offset(0), 1 << 20).unwrap().into_bytes().unwrap()).count();
    assert_eq!(served, 2);
}

#[test]
fn what_was_not_synced_is_not_acknowledged() {
    let store = Faulty::default();
    let log = open(&store, Fsync::Always);
    let end = log.append(batch()).unwrap().last_offset.plus(1);
    assert_eq!((log.log_end_offset(), log.high_watermark()), (end, Offset(0)));
    assert!(log.read(Offset(0), 1 << 20).unwrap().is_empty());
    background::commit(log.shared(), std::slice::from_ref(&log));
    wait(log.durable(end)).unwrap();
    assert_eq!(log.high_watermark(), end);

    store.sync_fails.store(true, Ordering::SeqCst);
    let end = log.append(batch()).unwrap().last_offset.plus(1);
    background::commit(log.shared(), std::slice::from_ref(&log));
    assert!(matches!(wait(log.durable(end)), Err(StorageError::Poisoned(_))));
    store.sync_fails.store(false, Ordering::SeqCst);
    assert!(is_poisoned(&log.append(batch()).unwrap_err()));
    assert_eq!(log.high_watermark(), Offset(1));
}

#[test]
fn a_commit_that_panics_is_a_failed_one() {
    let store = Faulty::default();
    let log = open(&store, Fsync::Always);
    let shared = log.shared().clone();
    let commits = std::thread::spawn({
        let shared = shared.clone();
        move || background::run_commits(&shared)
    });
    let end = log.append(batch()).unwrap().last_offset.plus(1);
    wait(log.durable(end)).unwrap();
    store.sync_panics.store(true, Ordering::SeqCst);
    let end = log.append(batch()).unwrap().last_offset.plus(1);
    assert!(matches!(wait(log.durable(end)), Err(StorageError::Poisoned(_))));
    shared.commits.stop();
    commits.join().unwrap();
    assert_eq!(log.high_watermark(), Offset(1));
}
