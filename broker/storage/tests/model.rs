//! Random histories of one log against a list of what was appended.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use brooklet_model::Offset;
use brooklet_storage::{Engine, NewTopic, PartitionLog, ReadError, Storage, StorageConfig};
use common::{append, block_on, config, read_all, timed};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// The lengths of a batch's values, and their times.
    Append(Vec<(usize, i64)>),
    Roll,
    /// Up to this share of the log, in hundredths.
    DeleteRecords(i64),
    Restart {
        orderly: bool,
        with_index: bool,
    },
    ReadFrom(i64, usize),
    TimeOf(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let record = (prop_oneof![4 => 0..50usize, 1 => 0..9000usize], 0..1000i64);
    prop_oneof![
        8 => proptest::collection::vec(record, 1..6).prop_map(Step::Append),
        1 => Just(Step::Roll),
        1 => (0..=100i64).prop_map(Step::DeleteRecords),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(orderly, with_index)| Step::Restart { orderly, with_index }),
        3 => (0..=100i64, 0..30_000usize).prop_map(|(from, max)| Step::ReadFrom(from, max)),
        2 => (0..1001i64).prop_map(Step::TimeOf),
    ]
}

fn open(folder: &std::path::Path, engine: Engine) -> (Arc<Storage>, Arc<PartitionLog>) {
    // Checkpoints come with restarts alone, so that much is replayed.
    let config = StorageConfig { checkpoint_interval: Duration::from_secs(3600), ..config(folder, engine) };
    let storage = Storage::open(config).unwrap();
    let overrides = [("segment.bytes".to_owned(), "50000".to_owned())].into();
    let log = match storage.log("logs", 0) {
        Some(log) => log,
        None => {
            let topic = NewTopic { overrides, ..NewTopic::new("logs", 1) };
            storage.create_topic(topic).unwrap().partitions[0].clone()
        }
    };
    (storage, log)
}

fn run(engine: Engine, steps: &[Step]) {
    let folder = tempfile::tempdir().unwrap();
    let (mut storage, mut log) = open(folder.path(), engine);
    let mut model: Vec<(i64, i64, String)> = Vec::new();
    let mut start = 0;
    for step in steps {
        let end = model.len() as i64;
        match step {
            Step::Append(records) => {
                let values: Vec<(i64, String)> = (end..)
                    .zip(records)
                    .map(|(offset, (len, time))| (*time, format!("{offset}{}", "x".repeat(*len))))
                    .collect();
                append(&log, timed(&values.iter().map(|(time, value)| (*time, value.as_str())).collect::<Vec<_>>()));
                model.extend((end..).zip(values).map(|(offset, (time, value))| (offset, time, value)));
            }
            Step::Roll => log.roll().unwrap(),
            Step::DeleteRecords(share) => {
                let before = start + (end - start) * share / 100;
                assert_eq!(log.delete_records_before(Offset(before)).unwrap(), Offset(before));
                start = before;
            }
            Step::Restart { .. } if engine == Engine::Memory => {}
            Step::Restart { orderly, with_index } => {
                if *orderly {
                    block_on(storage.shutdown()).unwrap();
                }
                drop((log, storage));
                if !with_index && engine == Engine::Segments {
                    fs::remove_dir_all(folder.path().join("sled")).unwrap();
                }
                (storage, log) = open(folder.path(), engine);
            }
            Step::ReadFrom(share, bytes_max) => {
                let from = start + (end - start) * share / 100;
                let read = read_all(&log, Offset(from), *bytes_max);
                let expected: Vec<_> =
                    model[from as usize..].iter().map(|(offset, _, value)| (*offset, value.clone())).collect();
                assert_eq!(read, expected);
            }
            Step::TimeOf(time) => {
                let found = model[start as usize..].iter().find(|(_, at, _)| at >= time);
                let expected = found.map(|(offset, at, _)| (Offset(*offset), *at));
                assert_eq!(log.offset_for_timestamp(*time).unwrap(), expected);
            }
        }
        assert_eq!(log.log_start_offset(), Offset(start));
        assert_eq!(log.high_watermark(), Offset(model.len() as i64));
        if start > 0 {
            assert!(matches!(log.read(Offset(start - 1), 1), Err(ReadError::OutOfRange { .. })));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn segments_hold_what_was_appended(steps in proptest::collection::vec(step(), 1..60)) {
        run(Engine::Segments, &steps);
    }

    #[test]
    fn sled_holds_what_was_appended(steps in proptest::collection::vec(step(), 1..60)) {
        run(Engine::Sled, &steps);
    }

    #[test]
    fn memory_holds_what_was_appended(steps in proptest::collection::vec(step(), 1..60)) {
        run(Engine::Memory, &steps);
    }
}
