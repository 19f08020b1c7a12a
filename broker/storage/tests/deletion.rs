//! What is no part of a log any more stays as a file for `file.delete.delay.ms`, and never comes back: not after a crash
//! either, wherever that comes.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset};
use brooklet_storage::{Engine, NewTopic, PartitionLog, Storage, StorageConfig};
use common::{NOW, append, batch, block_on, config, copy_files, read_all};

/// However slow the machine, it does not take this long.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(folder: &Path) -> Arc<Storage> {
    let hour = Duration::from_secs(3600);
    let config = StorageConfig { cleaner_backoff: hour, checkpoint_interval: hour, ..config(folder, Engine::Segments) };
    Storage::open(config).unwrap()
}

fn settings(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn topic(storage: &Storage, overrides: &[(&str, &str)]) -> Arc<PartitionLog> {
    let new = NewTopic { overrides: settings(overrides), ..NewTopic::new("logs", 1) };
    storage.create_topic(new).unwrap().partitions[0].clone()
}

/// Three segments of a record each.
fn fill(log: &PartitionLog) {
    for value in ["a", "b", "c"] {
        append(log, batch(&[value]));
        log.roll().unwrap();
    }
}

/// Names of files and folders below `folder` that end so.
fn ending(folder: &Path, suffix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        // A thread may remove what is listed.
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(suffix) {
            found.push(name);
        }
    }
    found.sort();
    found
}

fn until_gone(folder: &Path, suffix: &str) {
    let begun = std::time::Instant::now();
    while !ending(folder, suffix).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{:?} stay", ending(folder, suffix));
        std::thread::yield_now();
    }
}

const DELETED: [&str; 2] = ["00000000000000000000.log.deleted", "00000000000000000001.log.deleted"];

#[test]
fn segments_past_their_retention_stay_as_files_for_the_delay_and_go_at_the_next_start() {
    let (folder, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let storage = open(folder.path());
    let log = topic(&storage, &[]);
    fill(&log);
    assert_eq!(log.delete_records_before(Offset(2)).unwrap(), Offset(2));
    let partition = folder.path().join("logs-0");
    assert_eq!(ending(&partition, ".deleted"), DELETED);
    assert_eq!(ending(&partition, "0.log"), Vec::<String>::new());
    assert_eq!(read_all(&log, Offset(2), 1 << 20), [(2, "c".to_owned())]);
    // As a kill would leave it.
    copy_files(folder.path(), killed.path());

    block_on(storage.shutdown()).unwrap();
    drop((log, storage));
    assert_eq!(ending(&partition, ".deleted"), DELETED);
    for folder in [folder.path(), killed.path()] {
        let storage = open(folder);
        assert_eq!(ending(&folder.join("logs-0"), ".deleted"), Vec::<String>::new());
        let log = storage.log("logs", 0).unwrap();
        assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(2), Offset(3)));
        assert_eq!(read_all(&log, Offset(2), 1 << 20), [(2, "c".to_owned())]);
    }
}

#[test]
fn the_delay_may_be_none_and_is_changed_as_any_setting() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    let log = topic(&storage, &[("retention.bytes", "0"), ("file.delete.delay.ms", "0")]);
    let partition = folder.path().join("logs-0");
    fill(&log);
    assert_eq!(storage.enforce_retention(), 3);
    until_gone(&partition, ".deleted");
    storage.alter_topic_config("logs", settings(&[("retention.bytes", "0")])).unwrap();
    fill(&log);
    assert_eq!(storage.enforce_retention(), 3);
    assert_eq!(ending(&partition, ".deleted").len(), 3);
    // A read that began before goes on in the file that it has.
    append(&log, batch(&["d"]));
    log.roll().unwrap();
    storage.alter_topic_config("logs", settings(&[("retention.bytes", "0"), ("file.delete.delay.ms", "1")])).unwrap();
    let slice = log.read(Offset(6), 1).unwrap();
    assert_eq!(storage.enforce_retention(), 1);
    until_gone(&partition, "6.log.deleted");
    assert_eq!(Batch::parse(&slice.into_bytes().unwrap()).unwrap().header.base_offset, Offset(6));
}

#[test]
fn a_deleted_topic_stays_as_a_folder_for_the_delay_and_its_name_is_free_at_once() {
    let (folder, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let storage = open(folder.path());
    fill(&topic(&storage, &[]));
    storage.delete_topic("logs").unwrap();
    assert_eq!(ending(folder.path(), "-delete").len(), 1);
    let log = topic(&storage, &[("file.delete.delay.ms", "0")]);
    append(&log, batch(&["new"]));
    drop(log);
    copy_files(folder.path(), killed.path());
    storage.delete_topic("logs").unwrap();
    let begun = std::time::Instant::now();
    while ending(folder.path(), "-delete").len() > 1 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    block_on(storage.shutdown()).unwrap();
    drop(storage);

    let storage = open(folder.path());
    assert!(storage.topic("logs").is_none() && ending(folder.path(), "-delete").is_empty());
    let storage_of_killed = open(killed.path());
    assert!(ending(killed.path(), "-delete").is_empty());
    let log = storage_of_killed.log("logs", 0).unwrap();
    assert_eq!(read_all(&log, Offset(0), 1 << 20), [(0, "new".to_owned())]);
}

#[test]
fn segments_that_compaction_replaced_stay_for_the_delay() {
    let (folder, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let storage = open(folder.path());
    let log = topic(&storage, &[("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0")]);
    for value in ["a", "b"] {
        let mut builder = BatchBuilder::new();
        builder.push(NewRecord { timestamp: NOW, key: Some(b"k"), value: Some(value.as_bytes()), headers: &[] });
        append(&log, Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap());
        log.roll().unwrap();
    }
    let partition = folder.path().join("logs-0");
    assert_eq!(storage.clean(), 1);
    assert_eq!(ending(&partition, ".deleted"), DELETED);
    copy_files(folder.path(), killed.path());
    let storage = open(killed.path());
    assert_eq!(ending(&killed.path().join("logs-0"), ".deleted"), Vec::<String>::new());
    assert_eq!(read_all(&storage.log("logs", 0).unwrap(), Offset(0), 1 << 20), [(1, "b".to_owned())]);
}
