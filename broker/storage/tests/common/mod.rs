//! What the tests of the storage share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod killed;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset, ProducerEpoch, ProducerId, split_batches};
use brooklet_storage::{Clock, Engine, Fsync, PartitionLog, Storage, StorageConfig};

/// The time at which tests begin.
pub const NOW: i64 = 1_700_000_000_000;

/// A clock that a test moves.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }

    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let now = self.0.clone();
        Clock::new(move || now.load(Ordering::SeqCst))
    }
}

pub fn config(folder: &Path, engine: Engine) -> StorageConfig {
    StorageConfig {
        engine,
        fsync: Fsync::Never,
        clock: TestClock::new().clock(),
        checkpoint_interval: Duration::from_millis(1),
        checkpoint_bytes: 0,
        ..StorageConfig::new(folder)
    }
}

pub fn open(folder: &Path, engine: Engine) -> Arc<Storage> {
    Storage::open(config(folder, engine)).unwrap()
}

/// An uncompressed batch of those values at `NOW`.
pub fn batch(values: &[&str]) -> Batch {
    timed(&values.iter().map(|value| (NOW, *value)).collect::<Vec<_>>())
}

pub fn timed(records: &[(i64, &str)]) -> Batch {
    let mut builder = BatchBuilder::new();
    for (timestamp, value) in records {
        builder.push(NewRecord { timestamp: *timestamp, value: Some(value.as_bytes()), ..NewRecord::default() });
    }
    Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()
}

pub fn sequenced(producer: i64, epoch: i16, sequence: i32, values: &[&str]) -> Batch {
    let mut builder = BatchBuilder::new().producer(ProducerId(producer), ProducerEpoch(epoch), sequence);
    for value in values {
        builder.push(NewRecord { timestamp: NOW, value: Some(value.as_bytes()), ..NewRecord::default() });
    }
    Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()
}

/// Every record from `from` on that is served, by reads of at most `bytes_max`.
pub fn read_all(log: &PartitionLog, from: Offset, bytes_max: usize) -> Vec<(i64, String)> {
    let mut records = Vec::new();
    let mut next = from;
    while next < log.high_watermark() {
        let bytes = log.read(next, bytes_max).unwrap().into_bytes().unwrap();
        assert!(!bytes.is_empty(), "nothing at {next}, below the high watermark {}", log.high_watermark());
        for batch in split_batches(bytes) {
            let batch = batch.unwrap();
            batch.verify_checksum().unwrap();
            let mut scratch = Vec::new();
            for record in batch.records(&mut scratch, 1 << 20).unwrap() {
                let record = record.unwrap();
                if record.offset >= next {
                    let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
                    records.push((record.offset.0, value));
                }
            }
            next = batch.header.next_offset();
        }
    }
    records
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Appends and waits until it is served.
pub fn append(log: &PartitionLog, batch: Batch) -> Offset {
    let appended = log.append(batch).unwrap();
    block_on(log.durable(appended.last_offset.plus(1))).unwrap();
    appended.base_offset
}

/// Copies the files of a folder and of those in it.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
