//! What every engine must do, as a client of the storage sees it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;

use brooklet_model::{Offset, ProducerId};
use brooklet_storage::{AppendError, CreateTopicError, Engine, NewTopic, ReadError, Storage, StorageError};
use common::{NOW, TestClock, append, batch, block_on, config, open, read_all, sequenced, timed};

fn topic_with(name: &str, overrides: &[(&str, &str)]) -> NewTopic {
    let overrides: BTreeMap<_, _> = overrides.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    NewTopic { overrides, ..NewTopic::new(name, 1) }
}

fn offsets(records: &[(i64, String)]) -> Vec<i64> {
    records.iter().map(|(offset, _)| *offset).collect()
}

fn what_is_appended_is_read(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let log = storage.create_topic(NewTopic::new("logs", 1)).unwrap().partitions[0].clone();
    let mut expected = Vec::new();
    for round in 0..300 {
        let values: Vec<String> = (0..round % 7 + 1).map(|index| format!("{round}/{index}").repeat(round)).collect();
        let base = append(&log, batch(&values.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(base.0, expected.len() as i64);
        expected.extend(values);
    }
    let expected: Vec<(i64, String)> = (0..).zip(expected).collect();
    for bytes_max in [0, 1, 5000, 1 << 20] {
        assert_eq!(read_all(&log, Offset(0), bytes_max), expected);
    }
    for from in (0..expected.len()).step_by(97) {
        assert_eq!(read_all(&log, Offset(from as i64), 70_000), expected[from..]);
    }
    assert_eq!(log.log_end_offset().0, expected.len() as i64);
    assert_eq!(log.high_watermark(), log.log_end_offset());
    assert!(log.read(log.high_watermark(), 100).unwrap().is_empty());
    assert!(matches!(log.read(Offset(100_000), 1), Err(ReadError::OutOfRange { start: Offset(0), .. })));
    assert!(matches!(log.read(Offset(-1), 1), Err(ReadError::OutOfRange { .. })));
}

fn topics_come_and_go(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let mut changes = storage.topics_changed();
    let made = storage.create_topic(NewTopic::new("a", 3)).unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert_eq!(made.partitions.len(), 3);
    let again = storage.create_topic(NewTopic::new("a", 1)).unwrap_err();
    assert!(matches!(again, CreateTopicError::Exists(topic) if topic.id == made.id));
    for name in ["", ".", "..", "a/b", "a b", "__brooklet_x", &"x".repeat(250)] {
        assert!(
            matches!(storage.create_topic(NewTopic::new(name, 1)), Err(CreateTopicError::InvalidName(_))),
            "{name}"
        );
    }
    assert!(matches!(storage.create_topic(NewTopic::new("b", 0)), Err(CreateTopicError::InvalidPartitions(0))));
    storage.create_topic(NewTopic::new("B.x_y-z", 1)).unwrap();
    let names: Vec<_> = storage.topics().iter().map(|topic| topic.name.to_string()).collect();
    assert_eq!(names, ["B.x_y-z", "a"]);
    assert_eq!(storage.topic_by_id(made.id).unwrap().name, made.name);
    assert!(storage.log("a", 2).is_some() && storage.log("a", 3).is_none() && storage.log("a", -1).is_none());

    let log = made.partitions[0].clone();
    append(&log, batch(&["x"]));
    let grown = storage.create_partitions("a", 5).unwrap();
    assert_eq!((grown.partitions.len(), grown.id), (5, made.id));
    assert_eq!(read_all(&storage.log("a", 0).unwrap(), Offset(0), 100).len(), 1);

    changes.mark_unchanged();
    storage.delete_topic("a").unwrap();
    assert!(changes.has_changed().unwrap());
    assert!(log.is_deleted() && storage.topic("a").is_none() && storage.topic_by_id(made.id).is_none());
    assert!(matches!(log.append(batch(&["y"])), Err(AppendError::Storage(StorageError::Deleted))));
    assert!(matches!(log.read(Offset(0), 1), Err(ReadError::Storage(StorageError::Deleted))));
    assert!(storage.delete_topic("a").is_err());
    let second = storage.create_topic(NewTopic::new("a", 1)).unwrap();
    assert_ne!(second.id, made.id);
    assert_eq!(second.partitions[0].log_end_offset(), Offset(0));
}

fn a_batch_that_is_wrong_is_refused_whole(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let log = storage.create_topic(topic_with("logs", &[("max.message.bytes", "100")])).unwrap().partitions[0].clone();
    let mut bytes = batch(&["x"]).bytes.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let torn = brooklet_model::Batch::parse(&bytes.into()).unwrap();
    assert!(matches!(log.append(torn), Err(AppendError::Corrupt(_))));
    let (fits, large) = (batch(&["12345678901234567890123456789012"]), batch(&["123456789012345678901234567890123"]));
    assert_eq!((fits.bytes.len(), large.bytes.len()), (100, 101));
    assert!(matches!(log.append(large), Err(AppendError::TooLarge { size: 101, max: 100 })));
    let late = timed(&[(NOW + 3_600_001, "x")]);
    assert!(matches!(log.append(late), Err(AppendError::Refused(refused)) if refused.by_timestamp));
    assert_eq!(log.log_end_offset(), Offset(0));
    append(&log, fits);
    storage.alter_topic_config("logs", BTreeMap::from([("cleanup.policy".into(), "compact".into())])).unwrap();
    assert!(matches!(log.append(batch(&["keyless"])), Err(AppendError::Refused(refused)) if !refused.by_timestamp));
    assert_eq!(log.log_end_offset(), Offset(1));
}

fn log_append_time_is_the_clocks(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let topic = topic_with("logs", &[("message.timestamp.type", "LogAppendTime")]);
    let log = storage.create_topic(topic).unwrap().partitions[0].clone();
    let appended = log.append(timed(&[(5, "x"), (9, "y")])).unwrap();
    assert_eq!(appended.log_append_time, NOW);
    block_on(log.durable(Offset(2))).unwrap();
    assert_eq!(log.offset_for_timestamp(NOW).unwrap(), Some((Offset(0), NOW)));
    assert_eq!(read_all(&log, Offset(0), 1).len(), 2);
}

fn offsets_are_found_by_time(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let log = storage.create_topic(topic_with("logs", &[("segment.bytes", "300")])).unwrap().partitions[0].clone();
    assert_eq!(log.max_timestamp_offset().unwrap(), None);
    for times in [[10, 30], [20, 20], [40, 25], [90, 15], [50, 60], [70, 90]] {
        append(&log, timed(&times.map(|time| (time, "some value that fills the segment"))));
    }
    let all = [10, 30, 20, 20, 40, 25, 90, 15, 50, 60, 70, 90];
    for target in 0..100 {
        let first = all.iter().position(|time| *time >= target);
        let expected = first.map(|at| (Offset(at as i64), all[at]));
        assert_eq!(log.offset_for_timestamp(target).unwrap(), expected, "{target}");
    }
    assert_eq!(log.max_timestamp_offset().unwrap(), Some((Offset(6), 90)));
    log.delete_records_before(Offset(7)).unwrap();
    assert_eq!(log.max_timestamp_offset().unwrap(), Some((Offset(11), 90)));
    assert_eq!(log.offset_for_timestamp(0).unwrap(), Some((Offset(7), 15)));
}

fn a_producer_writes_each_batch_once(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let log = storage.create_topic(NewTopic::new("logs", 1)).unwrap().partitions[0].clone();
    let first = log.append(sequenced(7, 0, 0, &["a", "b"])).unwrap();
    let second = log.append(sequenced(7, 0, 2, &["c"])).unwrap();
    let again = log.append(sequenced(7, 0, 0, &["a", "b"])).unwrap();
    assert!(again.duplicate && !second.duplicate);
    assert_eq!((again.base_offset, again.last_offset), (first.base_offset, first.last_offset));
    assert!(matches!(log.append(sequenced(7, 0, 4, &["gap"])), Err(AppendError::OutOfOrderSequence(_))));
    assert!(matches!(log.append(sequenced(7, 1, 3, &["new"])), Err(AppendError::OutOfOrderSequence(_))));
    log.append(sequenced(7, 1, 0, &["new"])).unwrap();
    assert!(matches!(log.append(sequenced(7, 0, 3, &["old"])), Err(AppendError::InvalidProducerEpoch(_))));
    log.append(sequenced(8, 0, 55, &["unknown producer"])).unwrap();
    let known = log.producer_state(ProducerId(8)).unwrap();
    assert_eq!((known.last_sequence, known.last_offset), (55, Offset(4)));
    assert!(log.producer_state(ProducerId(9)).is_none());
    assert_eq!(log.log_end_offset(), Offset(5));
}

fn retention_keeps_what_it_must(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let time = TestClock::new();
    let storage =
        Storage::open(brooklet_storage::StorageConfig { clock: time.clock(), ..config(folder.path(), engine) })
            .unwrap();
    let settings = [("segment.bytes", "100"), ("retention.bytes", "150"), ("retention.ms", "1000")];
    let log = storage.create_topic(topic_with("logs", &settings)).unwrap().partitions[0].clone();
    for _ in 0..5 {
        append(&log, batch(&["one segment each"]));
    }
    let size = log.size_bytes() / 5;
    assert!((70..105).contains(&size), "{size}");
    assert_eq!(storage.enforce_retention(), 3);
    assert_eq!((log.log_start_offset(), log.size_bytes()), (Offset(3), 2 * size));
    assert!(matches!(log.read(Offset(2), 1), Err(ReadError::OutOfRange { start: Offset(3), end: Offset(5) })));
    assert_eq!(offsets(&read_all(&log, Offset(3), 1)), [3, 4]);
    time.advance(1000);
    assert_eq!(storage.enforce_retention(), 0);
    time.advance(1);
    assert_eq!(storage.enforce_retention(), 2);
    assert_eq!((log.log_start_offset(), log.log_end_offset(), log.size_bytes()), (Offset(5), Offset(5), 0));
    assert_eq!(append(&log, batch(&["goes on"])), Offset(5));
    assert_eq!(offsets(&read_all(&log, Offset(5), 1)), [5]);
}

fn deleted_records_are_gone(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let log = storage.create_topic(topic_with("logs", &[("segment.bytes", "250")])).unwrap().partitions[0].clone();
    for _ in 0..10 {
        append(&log, batch(&["a", "b"]));
    }
    let before = log.size_bytes();
    assert_eq!(log.delete_records_before(Offset(9)).unwrap(), Offset(9));
    assert_eq!(log.delete_records_before(Offset(3)).unwrap(), Offset(9));
    assert!(log.size_bytes() < before);
    assert!(matches!(log.read(Offset(8), 1), Err(ReadError::OutOfRange { start: Offset(9), .. })));
    assert_eq!(offsets(&read_all(&log, Offset(9), 1)), (9..20).collect::<Vec<_>>());
    assert!(matches!(log.delete_records_before(Offset(21)), Err(ReadError::OutOfRange { .. })));
    assert_eq!(log.delete_records_before(Offset(-1)).unwrap(), Offset(20));
    assert_eq!(log.size_bytes(), 0);
    assert_eq!(append(&log, batch(&["next"])), Offset(20));
}

fn readers_are_woken(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let log = storage.create_topic(NewTopic::new("logs", 1)).unwrap().partitions[0].clone();
    block_on(async {
        let notify = std::sync::Arc::new(tokio::sync::Notify::new());
        log.wake_on_advance(&notify);
        log.append(batch(&["x"])).unwrap();
        notify.notified().await;
        assert_eq!(log.high_watermark(), Offset(1));
        assert_eq!(log.readable_bytes(Offset(0)), log.size_bytes());
        assert_eq!(log.readable_bytes(Offset(1)), 0);
        log.wake_on_advance(&notify);
        storage.delete_topic("logs").unwrap();
        notify.notified().await;
        log.wake_on_advance(&notify);
        notify.notified().await;
    });
}

fn many_write_and_read_at_once(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let log = storage.create_topic(topic_with("logs", &[("segment.bytes", "20000")])).unwrap().partitions[0].clone();
    let total = 4 * 150 * 3;
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let log = log.clone();
            scope.spawn(move || {
                for index in 0..150 {
                    let value = format!("{writer}/{index}").repeat(20);
                    log.append(batch(&[&value, &value, &value])).unwrap();
                }
            });
        }
        for bytes_max in [1, 9000] {
            let log = log.clone();
            scope.spawn(move || {
                let mut read = Vec::new();
                while read.len() < total {
                    let next = Offset(read.len() as i64);
                    block_on(log.durable(next.plus(1))).unwrap();
                    read.extend(read_all(&log, next, bytes_max));
                }
                // Each writer's batches are whole and in the order in which it wrote them.
                for writer in 0..4 {
                    let own = format!("{writer}/");
                    let of_writer = read.iter().filter(|(_, value)| value.starts_with(&own)).map(|(_, value)| value);
                    let written = (0..450).map(|index| format!("{writer}/{}", index / 3).repeat(20));
                    assert!(of_writer.cloned().eq(written));
                }
                assert_eq!(offsets(&read), (0..total as i64).collect::<Vec<_>>());
            });
        }
    });
}

fn a_table_has_the_latest_values(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), engine);
    let log = storage.hidden_log("__brooklet_things").unwrap();
    assert!(storage.topics().is_empty() && storage.topic("__brooklet_things").is_none());
    let table = storage.table(log.clone()).unwrap();
    let large = vec![9; 100_000];
    let entry = |key: &str, value: Option<&[u8]>| (key.as_bytes().to_vec(), value.map(<[u8]>::to_vec));
    table.append(NOW, &[entry("a", Some(b"1")), entry("b", Some(&large)), entry("c", Some(b"3"))]).unwrap();
    table.append(NOW, &[entry("a", Some(b"2")), entry("c", None)]).unwrap();
    let expected = vec![(b"a".to_vec(), b"2".to_vec()), (b"b".to_vec(), large)];
    let values = |table: &brooklet_storage::Table| {
        let mut values = Vec::new();
        table.for_each(&mut |key, value| values.push((key.to_vec(), value.to_vec()))).unwrap();
        values
    };
    assert_eq!(values(&table), expected);
    assert_eq!(values(&storage.table(log).unwrap()), expected);
    assert!(storage.remove_hidden_log("__brooklet_things").unwrap());
    assert!(!storage.remove_hidden_log("__brooklet_things").unwrap());
    let empty = storage.table(storage.hidden_log("__brooklet_things").unwrap()).unwrap();
    assert_eq!(values(&empty), []);
}

macro_rules! every_engine {
    ($($test:ident),+ $(,)?) => {
        every_engine!(@ segments, Engine::Segments, $($test),+);
        every_engine!(@ sled, Engine::Sled, $($test),+);
        every_engine!(@ memory, Engine::Memory, $($test),+);
    };
    (@ $module:ident, $engine:expr, $($test:ident),+) => {
        mod $module {
            use brooklet_storage::Engine;
            $(
                #[test]
                fn $test() {
                    super::$test($engine);
                }
            )+
        }
    };
}

every_engine!(
    what_is_appended_is_read,
    topics_come_and_go,
    a_batch_that_is_wrong_is_refused_whole,
    log_append_time_is_the_clocks,
    offsets_are_found_by_time,
    a_producer_writes_each_batch_once,
    retention_keeps_what_it_must,
    deleted_records_are_gone,
    readers_are_woken,
    many_write_and_read_at_once,
    a_table_has_the_latest_values,
);
