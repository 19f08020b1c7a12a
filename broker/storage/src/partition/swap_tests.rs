//! Compactions that end at any of the points where they change a file, and what a start makes of that.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset, split_batches};

use super::PartitionLog;
use crate::store::fault;
use crate::{Engine, Fsync, NewTopic, Storage, StorageConfig};

fn open(folder: &Path, fsync: Fsync) -> Arc<Storage> {
    let hour = std::time::Duration::from_secs(3600);
    let config = StorageConfig {
        engine: Engine::Segments,
        fsync,
        cleaner_backoff: hour,
        checkpoint_interval: hour,
        ..StorageConfig::new(folder)
    };
    Storage::open(config).unwrap()
}

fn batch(keys: &[u8], value: u8) -> Batch {
    let mut builder = BatchBuilder::new();
    for key in keys {
        let value = if value == 0 { None } else { Some(vec![value; 300]) };
        builder.push(NewRecord { timestamp: 1, key: Some(&[*key]), value: value.as_deref(), headers: &[] });
    }
    Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()
}

/// Offsets and values by key; `None` is a tombstone.
fn rows(log: &PartitionLog) -> Vec<(i64, u8, Option<u8>)> {
    let mut rows = Vec::new();
    let mut next = Offset(0);
    while next < log.high_watermark() {
        let bytes = log.read(next, 1).unwrap().into_bytes().unwrap();
        let batch = split_batches(bytes).next().unwrap().unwrap();
        batch.verify_checksum().unwrap();
        for record in batch.records(&mut Vec::new(), 1 << 20).unwrap() {
            let record = record.unwrap();
            rows.push((record.offset.0, record.key.unwrap()[0], record.value.map(|value| value[0])));
        }
        assert!(batch.header.next_offset() > next);
        next = batch.header.next_offset();
    }
    rows
}

fn latest(rows: &[(i64, u8, Option<u8>)]) -> BTreeMap<u8, Option<u8>> {
    rows.iter().map(|(_, key, value)| (*key, *value)).collect()
}

/// Five segments that become two.
fn fill(storage: &Storage) -> Arc<PartitionLog> {
    let settings = [("cleanup.policy", "compact"), ("segment.bytes", "4000")];
    let overrides = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let topic = storage.create_topic(NewTopic { overrides, ..NewTopic::new("logs", 1) }).unwrap();
    let log = topic.partitions[0].clone();
    for round in 1..6 {
        log.append(batch(&[1, 2, round + 10], round)).unwrap();
        log.append(batch(&[1, 3], if round == 4 { 0 } else { round + 100 })).unwrap();
        log.append(batch(&[round + 20], round)).unwrap();
        log.roll().unwrap();
    }
    log
}

fn ends_anywhere(fsync: Fsync) {
    for points in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(folder.path(), fsync);
        let log = fill(&storage);
        crate::background::commit(log.shared(), std::slice::from_ref(&log));
        let before = rows(&log);
        fault::set(Some(points));
        storage.clean();
        fault::set(None);
        let came_to_its_end = log.compaction.to() == log.log_end_offset().0;
        if came_to_its_end {
            // As many points as there are were passed.
            assert!(points > 10, "{points}");
            return;
        }
        drop((log, storage));
        for with_index in [true, false] {
            if !with_index {
                std::fs::remove_dir_all(folder.path().join("sled")).unwrap();
            }
            let storage = open(folder.path(), fsync);
            let log = storage.log("logs", 0).unwrap();
            let after = rows(&log);
            assert_eq!(latest(&after), latest(&before), "{points}");
            assert!(after.iter().all(|row| before.contains(row)), "{points}");
            assert_eq!(log.log_end_offset(), Offset(30));
            drop((log, storage));
        }
        // And what is left can be compacted to its end.
        let storage = open(folder.path(), fsync);
        let log = storage.log("logs", 0).unwrap();
        assert_eq!(storage.clean(), 1, "{points}");
        let cleaned = rows(&log);
        let mut keys: Vec<u8> = cleaned.iter().map(|(_, key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((keys.len(), latest(&cleaned)), (cleaned.len(), latest(&before)), "{points}");
        let names = std::fs::read_dir(folder.path().join("logs-0")).unwrap();
        let names: Vec<String> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
        let is_left = |name: &String| name.ends_with(".cleaned") || name.ends_with(".swap") || name.ends_with(".tmp");
        assert!(!names.iter().any(is_left), "{names:?}");
    }
}

#[test]
fn a_compaction_may_end_at_any_point() {
    ends_anywhere(Fsync::Interval);
}

#[test]
fn a_synced_compaction_may_end_at_any_point() {
    ends_anywhere(Fsync::Always);
}
