//! What must be there again after an end of any kind: an orderly one, a kill, a lost index, a torn write.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use brooklet_model::{Offset, ProducerId};
use brooklet_storage::{
    AppendError, Engine, NewTopic, OpenError, PartitionLog, ReadError, Storage, StorageError, Table,
};
use common::{NOW, append, batch, block_on, copy_files, open, read_all, sequenced, timed};

/// How a run of the storage ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Shutdown,
    /// Nothing is written any more, as when the process is killed.
    Drop,
    /// As `Drop`, and the index is gone.
    DropIndex,
}

fn ends(engine: Engine) -> Vec<End> {
    // With the sled engine the folder holds the records themselves.
    if engine == Engine::Sled { vec![End::Shutdown, End::Drop] } else { vec![End::Shutdown, End::Drop, End::DropIndex] }
}

fn restart(storage: Arc<Storage>, folder: &Path, engine: Engine, end: End) -> Arc<Storage> {
    if end == End::Shutdown {
        block_on(storage.shutdown()).unwrap();
    }
    assert_eq!(Arc::strong_count(&storage), 1);
    drop(storage);
    if end == End::DropIndex {
        fs::remove_dir_all(folder.join("sled")).unwrap();
    }
    open(folder, engine)
}

fn overrides(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn values(table: &Table) -> Vec<(String, Vec<u8>)> {
    let mut values = Vec::new();
    table.for_each(&mut |key, value| values.push((String::from_utf8(key.to_vec()).unwrap(), value.to_vec()))).unwrap();
    values
}

fn everything_is_there_again(engine: Engine) {
    for end in ends(engine) {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = open(folder.path(), engine);
        let settings = overrides(&[("segment.bytes", "5000")]);
        let topic = NewTopic { overrides: settings.clone(), ..NewTopic::new("logs", 2) };
        let id = storage.create_topic(topic).unwrap().id;
        storage.create_topic(NewTopic::new("gone", 1)).unwrap();
        append(&storage.log("gone", 0).unwrap(), batch(&["gone"]));
        storage.delete_topic("gone").unwrap();
        let cluster = storage.cluster_id().to_owned();
        let mut expected = Vec::new();
        for round in 0..4 {
            let log = storage.log("logs", 1).unwrap();
            assert_eq!(
                read_all(&log, Offset(expected.len() as i64).min(Offset(10)), 3000)[..],
                expected[expected.len().min(10)..]
            );
            for index in 0..40 {
                let value = format!("{round}/{index}").repeat(20);
                let base = append(&log, batch(&[&value, "and more"]));
                expected.extend([(base.0, value), (base.0 + 1, "and more".to_owned())]);
            }
            let hidden = storage.hidden_log("__brooklet_state").unwrap();
            let table = storage.table(hidden).unwrap();
            let large = vec![round; 3000];
            let entry = |key: &str, value: Option<Vec<u8>>| (key.as_bytes().to_vec(), value);
            table
                .append(
                    NOW,
                    &[entry("large", Some(large)), entry(&format!("k{round}"), Some(b"v".to_vec())), entry("k0", None)],
                )
                .unwrap();
            drop((log, table));
            storage = restart(storage, folder.path(), engine, end);
            assert_eq!(storage.cluster_id(), cluster);
            assert_eq!(storage.topics().len(), 1);
            let topic = storage.topic_by_id(id).unwrap();
            assert_eq!((&topic.overrides, topic.config.segment_bytes), (&settings, 5000));
            let log = &topic.partitions[1];
            assert_eq!(log.high_watermark().0, expected.len() as i64);
            assert_eq!(read_all(log, Offset(0), 3000), expected);
            assert_eq!(topic.partitions[0].log_end_offset(), Offset(0));
            let table = storage.table(storage.hidden_log("__brooklet_state").unwrap()).unwrap();
            let mut left: Vec<_> = (1..=round).map(|round| (format!("k{round}"), b"v".to_vec())).collect();
            left.push(("large".to_owned(), vec![round; 3000]));
            assert_eq!(values(&table), left, "{end:?}");
        }
    }
}

fn producers_are_remembered(engine: Engine) {
    for end in ends(engine) {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(folder.path(), engine);
        let log = storage.create_topic(NewTopic::new("logs", 1)).unwrap().partitions[0].clone();
        for sequence in 0..7 {
            append(&log, sequenced(1, 3, sequence, &["x"]));
        }
        append(&log, sequenced(2, 0, 0, &["y", "z"]));
        drop(log);
        let storage = restart(storage, folder.path(), engine, end);
        let log = storage.log("logs", 0).unwrap();
        for sequence in 2..7 {
            let again = log.append(sequenced(1, 3, sequence, &["x"])).unwrap();
            assert_eq!((again.duplicate, again.base_offset.0), (true, i64::from(sequence)));
        }
        assert!(matches!(log.append(sequenced(1, 3, 1, &["x"])), Err(AppendError::OutOfOrderSequence(_))));
        assert!(matches!(log.append(sequenced(1, 2, 7, &["x"])), Err(AppendError::InvalidProducerEpoch(_))));
        assert!(!log.append(sequenced(1, 3, 7, &["x"])).unwrap().duplicate);
        assert_eq!(log.producer_state(ProducerId(2)).unwrap().last_offset, Offset(8));
    }
}

fn the_start_and_times_are_remembered(engine: Engine) {
    for end in ends(engine) {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(folder.path(), engine);
        let topic = NewTopic { overrides: overrides(&[("segment.bytes", "20000")]), ..NewTopic::new("logs", 1) };
        let log = storage.create_topic(topic).unwrap().partitions[0].clone();
        let filler = "f".repeat(4000);
        for time in 0..100 {
            append(&log, timed(&[(time * 10, &filler), (time * 10 + 5, "x")]));
        }
        log.delete_records_before(Offset(31)).unwrap();
        let size = log.size_bytes();
        drop(log);
        let storage = restart(storage, folder.path(), engine, end);
        let log = storage.log("logs", 0).unwrap();
        assert_eq!((log.log_start_offset(), log.size_bytes()), (Offset(31), size), "{end:?}");
        for time in (0..1000).step_by(5) {
            let offset = (time / 5).max(31);
            assert_eq!(log.offset_for_timestamp(time).unwrap(), Some((Offset(offset), offset * 5)), "{end:?}");
        }
        assert_eq!(log.offset_for_timestamp(996).unwrap(), None);
        assert_eq!(log.max_timestamp_offset().unwrap(), Some((Offset(199), 995)));
        // All is deleted: the start must hold although no record is left.
        log.delete_records_before(Offset(-1)).unwrap();
        drop(log);
        let storage = restart(storage, folder.path(), engine, end);
        let log = storage.log("logs", 0).unwrap();
        assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(200), Offset(200)), "{end:?}");
        assert_eq!(append(&log, batch(&["x"])), Offset(200));
    }
}

fn an_emptied_log_goes_on_at_its_end(engine: Engine) {
    for end in ends(engine) {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(folder.path(), engine);
        let topic = NewTopic { overrides: overrides(&[("retention.bytes", "0")]), ..NewTopic::new("logs", 1) };
        let log = storage.create_topic(topic).unwrap().partitions[0].clone();
        append(&log, batch(&["a", "b", "c"]));
        assert_eq!(storage.enforce_retention(), 1);
        assert_eq!((log.log_start_offset(), log.size_bytes()), (Offset(3), 0));
        drop(log);
        let storage = restart(storage, folder.path(), engine, end);
        let log = storage.log("logs", 0).unwrap();
        assert_eq!((log.log_start_offset(), log.high_watermark()), (Offset(3), Offset(3)), "{end:?}");
        assert_eq!(append(&log, batch(&["d"])), Offset(3));
        assert_eq!(read_all(&log, Offset(3), 1), [(3, "d".to_owned())]);
    }
}

macro_rules! persistent_engines {
    ($($test:ident),+ $(,)?) => {
        mod segments {
            $(#[test] fn $test() { super::$test(super::Engine::Segments); })+
        }
        mod sled {
            $(#[test] fn $test() { super::$test(super::Engine::Sled); })+
        }
    };
}

persistent_engines!(
    everything_is_there_again,
    producers_are_remembered,
    the_start_and_times_are_remembered,
    an_emptied_log_goes_on_at_its_end,
);

/// One partition in segment files; its first segment's path.
fn segment_log(folder: &Path) -> (Arc<Storage>, Arc<PartitionLog>, PathBuf) {
    let storage = open(folder, Engine::Segments);
    let log = match storage.log("logs", 0) {
        Some(log) => log,
        None => storage.create_topic(NewTopic::new("logs", 1)).unwrap().partitions[0].clone(),
    };
    (storage, log, folder.join("logs-0/00000000000000000000.log"))
}

#[test]
fn a_torn_tail_is_cut_wherever_it_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, log, path) = segment_log(folder.path());
    append(&log, batch(&["first", "second"]));
    let kept = log.size_bytes();
    append(&log, batch(&["the last batch"]));
    drop((log, storage));
    let whole = fs::read(&path).unwrap();
    let (sled, sled_then) = (folder.path().join("sled"), tempfile::tempdir().unwrap());
    copy_files(&sled, sled_then.path());
    for with_index in [true, false] {
        for len in kept..whole.len() as u64 {
            fs::write(&path, &whole[..len as usize]).unwrap();
            // Not as the round before left it: that may know a batch of its own where this file has half of another.
            fs::remove_dir_all(&sled).unwrap();
            if with_index {
                copy_files(sled_then.path(), &sled);
            }
            let (storage, log, _) = segment_log(folder.path());
            assert_eq!((log.log_end_offset(), log.size_bytes()), (Offset(2), kept));
            assert_eq!(fs::metadata(&path).unwrap().len(), kept);
            assert_eq!(append(&log, batch(&["again"])), Offset(2));
            assert_eq!(read_all(&log, Offset(0), 1).len(), 3);
            drop((log, storage));
        }
    }
}

#[test]
fn a_flipped_bit_in_what_is_read_again_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, log, path) = segment_log(folder.path());
    append(&log, batch(&["first", "second"]));
    let kept = log.size_bytes() as usize;
    append(&log, batch(&["the last batch"]));
    drop((log, storage));
    let whole = fs::read(&path).unwrap();
    for at in kept..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).unwrap();
        fs::remove_dir_all(folder.path().join("sled")).unwrap();
        let (storage, log, _) = segment_log(folder.path());
        assert_eq!((log.log_end_offset(), log.size_bytes()), (Offset(2), kept as u64), "byte {at}");
        drop((log, storage));
    }
}

#[test]
fn an_index_that_does_not_open_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, log, _) = segment_log(folder.path());
    append(&log, batch(&["first", "second"]));
    block_on(storage.shutdown()).unwrap();
    drop((log, storage));
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    fs::write(folder.path().join("sled"), "not a database").unwrap();
    let (_storage, log, _) = segment_log(folder.path());
    assert_eq!(read_all(&log, Offset(0), 1).len(), 2);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_str().unwrap().starts_with("sled.damaged-")));
}

#[test]
fn a_folder_of_another_topic_is_never_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, log, path) = segment_log(folder.path());
    append(&log, batch(&["of the old topic"]));
    let files = folder.path().join("kept");
    fs::create_dir(&files).unwrap();
    fs::copy(&path, files.join("log")).unwrap();
    fs::copy(path.with_file_name("partition.metadata"), files.join("metadata")).unwrap();
    drop(log);
    storage.delete_topic("logs").unwrap();
    assert!(!path.exists());
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::copy(files.join("log"), &path).unwrap();
    fs::copy(files.join("metadata"), path.with_file_name("partition.metadata")).unwrap();
    let log = storage.create_topic(NewTopic::new("logs", 1)).unwrap().partitions[0].clone();
    assert_eq!(log.log_end_offset(), Offset(0));
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_str().unwrap().ends_with("-stray")));
}

#[test]
fn leftovers_of_a_deletion_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, log, path) = segment_log(folder.path());
    append(&log, batch(&["x"]));
    drop((log, storage));
    let leftover = folder.path().join("other-0.0123-delete");
    fs::create_dir(&leftover).unwrap();
    fs::copy(&path, leftover.join("00000000000000000000.log")).unwrap();
    let (_storage, log, _) = segment_log(folder.path());
    assert!(!leftover.exists());
    assert_eq!(log.log_end_offset(), Offset(1));
}

#[test]
fn the_folder_is_laid_out_as_kafkas() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, log, path) = segment_log(folder.path());
    append(&log, batch(&["a", "b"]));
    log.roll().unwrap();
    append(&log, batch(&["c"]));
    assert!(path.exists() && path.with_file_name("00000000000000000002.log").exists());
    let metadata = fs::read_to_string(path.with_file_name("partition.metadata")).unwrap();
    let id = metadata.strip_prefix("version: 0\ntopic_id: ").unwrap();
    assert_eq!(id.len(), 22);
    let bytes = fs::read(path).unwrap();
    assert_eq!(
        bytes.len() as u64 + fs::metadata(folder.path().join("logs-0/00000000000000000002.log")).unwrap().len(),
        log.size_bytes()
    );
    drop(storage);
}

#[test]
fn a_folder_in_use_says_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, log, _) = segment_log(folder.path());
    let error = Storage::open(common::config(folder.path(), Engine::Segments)).unwrap_err();
    assert!(matches!(&error, OpenError::Locked { pid, .. } if *pid == std::process::id()), "{error}");
    block_on(storage.shutdown()).unwrap();
    block_on(storage.shutdown()).unwrap();
    assert!(matches!(log.append(batch(&["late"])), Err(AppendError::Storage(StorageError::Closed))));
    assert!(matches!(log.read(Offset(0), 1), Err(ReadError::Storage(StorageError::Closed))));
    drop((storage, log));
    segment_log(folder.path());
}
