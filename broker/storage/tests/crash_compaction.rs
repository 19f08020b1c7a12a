//! A process that writes to a compacted topic is killed again and again, in the middle of compactions: the latest
//! record of every key is there, and all that is there is what was written.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset, ProducerEpoch, ProducerId, split_batches};
use brooklet_storage::{Engine, Fsync, NewTopic, PartitionLog};
use common::killed::Place;
use common::{NOW, append};

/// Records of a batch.
const BATCH: i64 = 7;

/// Key and value of the record at `offset`: all that is read can be checked.
fn record(offset: i64) -> (i64, Option<String>) {
    let mixed = offset.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).cast_unsigned();
    let key = (mixed >> 40) % 40;
    let value = (!mixed.is_multiple_of(11)).then(|| format!("{offset}:{}", "v".repeat((mixed >> 20) as usize % 600)));
    (key as i64, value)
}

fn batch(base: i64) -> Batch {
    let codec = Compression::from_attributes((base / BATCH % 5) as i16).unwrap();
    let mut builder = BatchBuilder::new().producer(ProducerId(1), ProducerEpoch(0), base as i32);
    for offset in base..base + BATCH {
        let (key, value) = record(offset);
        let (key, value) = (key.to_be_bytes(), value.map(String::into_bytes));
        builder.push(NewRecord { timestamp: NOW, key: Some(&key), value: value.as_deref(), headers: &[] });
    }
    Batch::parse(&builder.finish(codec).unwrap()).unwrap()
}

/// The process that is killed: appends, and says what was acknowledged.
#[test]
#[ignore = "run by the tests below"]
fn child() {
    let storage = Place::of_child().open_busy();
    let log = storage.log("logs", 0).unwrap();
    let mut out = std::io::stdout();
    loop {
        let base = log.log_end_offset().0;
        append(&log, batch(base));
        out.write_all(format!("acknowledged {base}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

/// Offsets of the records that are there, each checked.
fn offsets(log: &PartitionLog) -> BTreeSet<i64> {
    let mut offsets = BTreeSet::new();
    let mut next = Offset(0);
    while next < log.high_watermark() {
        let bytes = log.read(next, 50_000).unwrap().into_bytes().unwrap();
        let before = next;
        for batch in split_batches(bytes) {
            let batch = batch.unwrap();
            batch.verify_checksum().unwrap();
            for found in batch.records(&mut Vec::new(), 1 << 20).unwrap() {
                let found = found.unwrap();
                let (key, value) = record(found.offset.0);
                assert_eq!(found.key, Some(key.to_be_bytes().as_slice()));
                assert_eq!(found.value, value.as_deref().map(str::as_bytes));
                offsets.insert(found.offset.0);
            }
            next = batch.header.next_offset();
        }
        assert!(next > before, "nothing at {next}");
    }
    offsets
}

fn the_latest_are_kept(engine: Engine, fsync: Fsync) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path(), engine, fsync);
    let storage = place.open_busy();
    let settings = [
        ("cleanup.policy", "compact"),
        ("segment.bytes", "20000"),
        ("min.cleanable.dirty.ratio", "0.1"),
        // Tombstones go with the first compaction after the one that met them.
        ("delete.retention.ms", "0"),
    ];
    let overrides = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    storage.create_topic(NewTopic { overrides, ..NewTopic::new("logs", 1) }).unwrap();
    drop(storage);
    let mut removed = 0;
    for round in 0..12 {
        let mut acknowledged = 0;
        place.run_and_kill(1 + (round * 7919) % 300, |words| match words {
            ["acknowledged", base] => {
                acknowledged = base.parse::<i64>().unwrap() + BATCH;
                true
            }
            _ => false,
        });
        if engine == Engine::Segments && round % 4 == 3 {
            fs::remove_dir_all(folder.path().join("sled")).unwrap();
        }
        let storage = place.open_busy();
        let log = storage.log("logs", 0).unwrap();
        let end = log.log_end_offset().0;
        assert!(end >= acknowledged, "{acknowledged} was acknowledged, the log ends at {end}");
        let there = offsets(&log);
        let latest: BTreeMap<i64, i64> = (0..end).map(|offset| (record(offset).0, offset)).collect();
        for (key, offset) in latest {
            let is_tombstone = record(offset).1.is_none();
            assert!(is_tombstone || there.contains(&offset), "the latest of {key}, {offset}, is gone");
            let is_back = !there.contains(&offset) && there.iter().any(|offset| record(*offset).0 == key);
            assert!(!is_back, "what the tombstone of {key} at {offset} removed is there again");
        }
        removed += end - there.len() as i64;
        let again = log.append(batch(end - BATCH)).unwrap();
        assert!(again.duplicate && again.last_offset.0 == end - 1);
    }
    assert!(removed > 1000, "{removed}");
}

#[test]
fn segments_keep_the_latest() {
    the_latest_are_kept(Engine::Segments, Fsync::Interval);
}

#[test]
fn synced_segments_keep_the_latest() {
    the_latest_are_kept(Engine::Segments, Fsync::Always);
}

#[test]
fn sled_keeps_the_latest() {
    the_latest_are_kept(Engine::Sled, Fsync::Interval);
}
