//! Transactions in a log, on every engine: the stable end, aborted ranges, fencing, and all of it after a restart,
//! also without the sled folder.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use brooklet_model::{Batch, BatchBuilder, Compression, EndMarker, NewRecord, Offset, ProducerEpoch, ProducerId};
use brooklet_storage::{AppendError, Engine, Fsync, NewTopic, PartitionLog, Storage, StorageConfig};
use common::{NOW, batch, block_on, config, open, sequenced};
use proptest::prelude::*;

const COMMIT: EndMarker = EndMarker { commit: true, coordinator_epoch: 0 };
const ABORT: EndMarker = EndMarker { commit: false, coordinator_epoch: 0 };

fn in_transaction(producer: i64, epoch: i16, sequence: i32, values: &[&str]) -> Batch {
    let mut builder =
        BatchBuilder::new().producer(ProducerId(producer), ProducerEpoch(epoch), sequence).transactional();
    for value in values {
        builder.push(NewRecord { timestamp: NOW, value: Some(value.as_bytes()), ..NewRecord::default() });
    }
    Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()
}

/// Appends as a producer whose transaction was looked up.
fn write(log: &PartitionLog, batch: Batch) -> Offset {
    let verified = log.begin_transaction(batch.header.producer_id, batch.header.producer_epoch);
    let appended = log.append_in_transaction(batch, verified).unwrap();
    block_on(log.durable(appended.last_offset.plus(1))).unwrap();
    appended.base_offset
}

fn end(log: &PartitionLog, producer: i64, epoch: i16, marker: EndMarker) {
    let appended = log.end_transaction(ProducerId(producer), ProducerEpoch(epoch), marker, false).unwrap();
    block_on(log.durable(appended.last_offset.plus(1))).unwrap();
}

/// Producer, first and last offset of each aborted transaction that a read from `from` tells of, and how far it goes.
fn aborted(log: &PartitionLog, from: i64) -> Vec<(i64, i64, i64)> {
    let (_, aborted) = log.read_committed(Offset(from), 1 << 20).unwrap();
    aborted.iter().map(|known| (known.producer_id.0, known.first_offset.0, known.last_offset.0)).collect()
}

fn engines(test: impl Fn(&Path, Engine)) {
    for engine in [Engine::Segments, Engine::Sled, Engine::Memory] {
        let folder = tempfile::tempdir().unwrap();
        test(folder.path(), engine);
    }
}

fn topic(storage: &Storage) -> Arc<PartitionLog> {
    storage.create_topic(NewTopic::new("t", 1)).unwrap().partitions[0].clone()
}

#[test]
fn the_stable_end_waits_for_the_oldest_transaction() {
    engines(|folder, engine| {
        let storage = open(folder, engine);
        let log = topic(&storage);
        common::append(&log, batch(&["a"]));
        write(&log, in_transaction(1, 0, 0, &["b", "c"]));
        write(&log, in_transaction(2, 0, 0, &["d"]));
        common::append(&log, batch(&["e"]));
        assert_eq!((log.last_stable_offset().0, log.high_watermark().0), (1, 5));
        let (slice, _) = log.read_committed(Offset(0), 1 << 20).unwrap();
        let first = log.read(Offset(0), 1).unwrap().len();
        assert_eq!((slice.len(), log.stable_bytes(Offset(0))), (first, first as u64));
        assert!(log.read_committed(Offset(1), 1 << 20).unwrap().0.is_empty());
        end(&log, 2, 0, ABORT);
        assert_eq!(log.last_stable_offset().0, 1);
        end(&log, 1, 0, COMMIT);
        assert_eq!((log.last_stable_offset().0, log.high_watermark().0), (7, 7));
        assert_eq!(aborted(&log, 0), [(2, 3, 5)]);
        assert_eq!(aborted(&log, 6), []);
    });
}

#[test]
fn a_transaction_that_was_not_looked_up_does_not_begin() {
    engines(|folder, engine| {
        let storage = open(folder, engine);
        let log = topic(&storage);
        let refused = |batch| matches!(log.append(batch), Err(AppendError::InvalidTxnState(_)));
        assert!(refused(in_transaction(1, 0, 0, &["a"])));
        // Looked up, and ended before its first batch came.
        let verified = log.begin_transaction(ProducerId(1), ProducerEpoch(0));
        end(&log, 1, 0, ABORT);
        let late = log.append_in_transaction(in_transaction(1, 0, 0, &["a"]), verified);
        assert!(matches!(late, Err(AppendError::InvalidTxnState(_))));
        write(&log, in_transaction(1, 0, 0, &["a"]));
        assert_eq!(log.begin_transaction(ProducerId(1), ProducerEpoch(0)), None);
        log.append(in_transaction(1, 0, 1, &["b"])).unwrap();
        assert!(refused(sequenced(1, 0, 2, &["outside"])));
    });
}

#[test]
fn a_marker_fences_older_epochs_and_older_coordinators() {
    engines(|folder, engine| {
        let storage = open(folder, engine);
        let log = topic(&storage);
        write(&log, in_transaction(1, 3, 0, &["a"]));
        let end_as = |epoch, coordinator_epoch, outdates| {
            let marker = EndMarker { commit: false, coordinator_epoch };
            log.end_transaction(ProducerId(1), ProducerEpoch(epoch), marker, outdates)
        };
        assert!(matches!(end_as(2, 0, false), Err(AppendError::InvalidProducerEpoch(_))));
        assert!(matches!(end_as(3, 0, true), Err(AppendError::InvalidProducerEpoch(_))));
        end_as(4, 5, true).unwrap();
        end_as(4, 5, true).unwrap();
        assert!(matches!(end_as(4, 4, true), Err(AppendError::CoordinatorFenced(_))));
        let old = log.append(sequenced(1, 3, 1, &["b"]));
        assert!(matches!(old, Err(AppendError::InvalidProducerEpoch(_))));
        let not_first = log.append(sequenced(1, 4, 1, &["b"]));
        assert!(matches!(not_first, Err(AppendError::OutOfOrderSequence(_))));
        log.append(sequenced(1, 4, 0, &["b"])).unwrap();
        let described = log.producers();
        let described = described.first().unwrap();
        assert_eq!((described.epoch.0, described.last_sequence, described.coordinator_epoch), (4, 0, 5));
        assert_eq!(described.transaction_start, None);
    });
}

#[test]
fn a_marker_is_served_once_it_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let config = StorageConfig { fsync: Fsync::Always, ..config(folder.path(), Engine::Segments) };
    let storage = Storage::open(config).unwrap();
    let log = topic(&storage);
    for (sequence, marker) in [(0, COMMIT), (1, ABORT), (2, COMMIT)] {
        write(&log, in_transaction(1, 0, sequence, &["a"]));
        assert_eq!(log.last_stable_offset().0, i64::from(sequence) * 2);
        end(&log, 1, 0, marker);
        assert_eq!(log.last_stable_offset(), log.high_watermark());
    }
}

#[test]
fn deleted_records_do_not_hold_the_stable_end_back() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), Engine::Segments);
    let log = topic(&storage);
    write(&log, in_transaction(1, 0, 0, &["a"]));
    log.roll().unwrap();
    common::append(&log, batch(&["b", "c"]));
    log.delete_records_before(Offset(2)).unwrap();
    assert_eq!(log.last_stable_offset().0, 2);
    end(&log, 1, 0, ABORT);
    assert_eq!(log.last_stable_offset().0, 4);
}

#[derive(Clone, Debug)]
enum Act {
    Write { producer: i64, records: u8 },
    Plain,
    End { producer: i64, commit: bool },
    Roll,
    Checkpoint,
    Restart { without_sled: bool },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1i64..4, 1u8..4).prop_map(|(producer, records)| Act::Write { producer, records }),
        2 => Just(Act::Plain),
        4 => (1i64..4, any::<bool>()).prop_map(|(producer, commit)| Act::End { producer, commit }),
        1 => Just(Act::Roll),
        1 => Just(Act::Checkpoint),
        1 => any::<bool>().prop_map(|without_sled| Act::Restart { without_sled }),
    ]
}

#[derive(Default)]
struct Expected {
    end: i64,
    sequences: BTreeMap<i64, i32>,
    open: BTreeMap<i64, i64>,
    aborted: Vec<(i64, i64, i64)>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever happens, also over restarts with and without the sled folder, the log knows of its transactions what
    /// a plain list of them says.
    #[test]
    fn transactions_survive_restarts(acts in proptest::collection::vec(act(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = open(folder.path(), Engine::Segments);
        let mut log = topic(&storage);
        let mut expected = Expected::default();
        for act in acts {
            match act {
                Act::Write { producer, records } => {
                    let sequence = *expected.sequences.get(&producer).unwrap_or(&0);
                    let values = vec!["x"; records.into()];
                    let base = write(&log, in_transaction(producer, 0, sequence, &values));
                    prop_assert_eq!(base.0, expected.end);
                    expected.open.entry(producer).or_insert(base.0);
                    expected.sequences.insert(producer, sequence + i32::from(records));
                    expected.end += i64::from(records);
                }
                Act::Plain => {
                    common::append(&log, batch(&["plain"]));
                    expected.end += 1;
                }
                Act::End { producer, commit } => {
                    end(&log, producer, 0, EndMarker { commit, coordinator_epoch: 0 });
                    expected.sequences.entry(producer).or_insert(0);
                    if let Some(first) = expected.open.remove(&producer) && !commit {
                        expected.aborted.push((producer, first, expected.end));
                    }
                    expected.end += 1;
                }
                Act::Roll => log.roll().unwrap(),
                Act::Checkpoint => {
                    block_on(storage.shutdown()).unwrap();
                    drop((log, storage));
                    storage = open(folder.path(), Engine::Segments);
                    log = storage.log("t", 0).unwrap();
                }
                Act::Restart { without_sled } => {
                    drop((log, storage));
                    if without_sled {
                        std::fs::remove_dir_all(folder.path().join("sled")).unwrap();
                    }
                    storage = open(folder.path(), Engine::Segments);
                    log = storage.log("t", 0).unwrap();
                }
            }
            let stable = expected.open.values().copied().min().unwrap_or(expected.end);
            prop_assert_eq!(log.last_stable_offset().0, stable);
            let overlapping: Vec<_> = expected.aborted.iter().filter(|(_, first, _)| *first < stable).copied().collect();
            let mut told: Vec<(i64, i64, i64)> = Vec::new();
            let mut from = 0;
            while from < stable {
                let (slice, aborted) = log.read_committed(Offset(from), 1).unwrap();
                let header = brooklet_model::BatchHeader::parse(&slice.into_bytes().unwrap()).unwrap();
                for known in aborted {
                    let known = (known.producer_id.0, known.first_offset.0, known.last_offset.0);
                    if !told.contains(&known) { told.push(known); }
                }
                from = header.next_offset().0;
                prop_assert!(from <= stable);
            }
            told.sort_by_key(|(_, _, last)| *last);
            prop_assert_eq!(told, overlapping);
            for described in log.producers() {
                prop_assert_eq!(described.transaction_start.map(|start| start.0), expected.open.get(&described.id.0).copied());
            }
        }
    }
}

/// Once compaction has taken an abort's marker, nothing may name its transaction: what the producer commits later would
/// be taken for aborted.
#[test]
fn an_aborted_transaction_that_was_compacted_away_is_not_told_of() {
    engines(|folder, engine| {
        let storage = open(folder, engine);
        let settings =
            [("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0"), ("delete.retention.ms", "0")];
        let overrides = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let topic = storage.create_topic(NewTopic { overrides, ..NewTopic::new("t", 1) }).unwrap();
        let log = &topic.partitions[0];
        let keyed = |sequence, key: &str| {
            let mut builder = BatchBuilder::new().producer(ProducerId(1), ProducerEpoch(0), sequence).transactional();
            builder.push(NewRecord { timestamp: NOW, key: Some(key.as_bytes()), value: Some(b"v"), headers: &[] });
            Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()
        };
        write(log, keyed(0, "aborted"));
        end(log, 1, 0, ABORT);
        assert_eq!(aborted(log, 0), [(1, 0, 1)]);
        let mut told = Vec::new();
        for round in 1..5 {
            write(log, keyed(round, "committed"));
            end(log, 1, 0, COMMIT);
            log.roll().unwrap();
            assert_eq!(storage.clean(), 1);
            // The marker at 1 goes with the third pass: one removes the record, one gives the marker its horizon.
            let first = brooklet_model::split_batches(log.read(Offset(0), 1).unwrap().into_bytes().unwrap()).next();
            told.push((first.unwrap().unwrap().header.base_offset.0 == 1, !aborted(log, 0).is_empty()));
        }
        assert_eq!(told, [(true, true), (true, false), (false, false), (false, false)], "{engine}");
    });
}
