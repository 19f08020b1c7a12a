//! What the tests of the runtime share: a storage, a producer, a reader of an output topic, and kills.

use std::io::{self, Write};
use std::sync::Arc;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset, split_batches};
use brooklet_storage::{Engine, NewTopic, PartitionLog, Storage, StorageConfig, Topic};
use parking_lot::Mutex;

pub(crate) fn memory() -> Arc<Storage> {
    Storage::open(StorageConfig { engine: Engine::Memory, ..StorageConfig::default() }).unwrap()
}

pub(crate) fn segments(folder: &std::path::Path) -> Arc<Storage> {
    Storage::open(StorageConfig { engine: Engine::Segments, ..StorageConfig::new(folder) }).unwrap()
}

pub(crate) fn topic(storage: &Storage, name: &str, partitions: i32) -> Arc<Topic> {
    storage.create_topic(NewTopic::new(name, partitions)).unwrap()
}

/// Appends values as one batch.
pub(crate) fn send<V: AsRef<[u8]>>(storage: &Storage, topic: &str, partition: i32, values: &[V]) {
    send_compressed(storage, topic, partition, values, Compression::None);
}

pub(crate) fn send_compressed<V: AsRef<[u8]>>(
    storage: &Storage,
    topic: &str,
    partition: i32,
    values: &[V],
    codec: Compression,
) {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.push(NewRecord { timestamp: 1, value: Some(value.as_ref()), ..NewRecord::default() });
    }
    let batch = Batch::parse(&builder.finish(codec).unwrap()).unwrap();
    storage.log(topic, partition).unwrap().append(batch).unwrap();
}

/// Appends a record with a key, or one that ends the key's row.
pub(crate) fn put(storage: &Storage, topic: &str, partition: i32, key: &str, value: Option<&str>) {
    let mut builder = BatchBuilder::new();
    let value = value.map(str::as_bytes);
    builder.push(NewRecord { timestamp: 1, key: Some(key.as_bytes()), value, ..NewRecord::default() });
    let batch = Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap();
    storage.log(topic, partition).unwrap().append(batch).unwrap();
}

/// A record with this level.
pub(crate) fn level(level: &str) -> String {
    format!("{{\"level\":{}}}", serde_json::to_string(level).unwrap())
}

pub(crate) type Pair = (Option<String>, Option<String>);

/// Keys and values of a log, in order.
pub(crate) fn records(log: &PartitionLog) -> Vec<Pair> {
    let mut at = log.log_start_offset();
    let mut pairs = Vec::new();
    while at < log.high_watermark() {
        for batch in split_batches(log.read(at, 1 << 20).unwrap().into_bytes().unwrap()) {
            let batch = batch.unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            for record in batch.records(&mut Vec::new(), 1 << 24).unwrap() {
                let record = record.unwrap();
                if record.offset >= at {
                    pairs.push((record.key.map(text), record.value.map(text)));
                }
            }
            at = batch.header.next_offset().max(Offset(at.0));
        }
    }
    pairs
}

/// A console whose text can be read.
#[derive(Clone, Default)]
pub(crate) struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Headers of a log's records, in order, as texts.
pub(crate) fn headers(log: &PartitionLog) -> Vec<Vec<(String, String)>> {
    let mut all = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    for batch in split_batches(log.read(log.log_start_offset(), 1 << 20).unwrap().into_bytes().unwrap()) {
        for record in batch.unwrap().records(&mut Vec::new(), 1 << 24).unwrap() {
            let headers = record.unwrap().headers.iter().map(|header| header.unwrap());
            all.push(headers.map(|(name, value)| (text(name), value.map_or(String::new(), text))).collect());
        }
    }
    all
}
