//! Random histories of compacted logs against a model that says record for record what must be left.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset, ProducerEpoch, ProducerId, split_batches};
use brooklet_storage::{Engine, NewTopic, PartitionLog, Storage, StorageConfig};
use common::{NOW, TestClock, append, block_on, config};
use proptest::prelude::*;

const DELETE_RETENTION_MS: i64 = 1000;

#[derive(Clone, Debug)]
enum Step {
    Append {
        /// Key, value (a length, or a tombstone) and time of each record.
        records: Vec<(u8, Option<usize>, i64)>,
        codec: i16,
        producer: Option<i64>,
    },
    Roll,
    Clean,
    Wait(i64),
    Restart {
        orderly: bool,
        with_index: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let value =
        prop_oneof![4 => (0..200usize).prop_map(Some), 1 => (5000..20_000usize).prop_map(Some), 3 => Just(None)];
    let record = (0..12u8, value, 0..1000i64);
    let records = proptest::collection::vec(record, 1..8);
    prop_oneof![
        8 => (records, 0..5i16, proptest::option::of(0..3i64))
            .prop_map(|(records, codec, producer)| Step::Append { records, codec, producer }),
        4 => Just(Step::Roll),
        4 => Just(Step::Clean),
        2 => (0..DELETE_RETENTION_MS * 2).prop_map(Step::Wait),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(orderly, with_index)| Step::Restart { orderly, with_index }),
    ]
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    offset: i64,
    timestamp: i64,
    key: u8,
    value: Option<Vec<u8>>,
}

/// What a log must hold.
#[derive(Default)]
struct Model {
    /// Batches with what is left of their records, and their delete horizons.
    batches: Vec<(i64, Vec<Row>, Option<i64>)>,
    end: i64,
    active: i64,
    cleaned_to: i64,
    /// What each key would be without any compaction.
    latest: BTreeMap<u8, Vec<u8>>,
    sequences: HashMap<i64, i32>,
}

impl Model {
    fn append(&mut self, records: &[(u8, Option<usize>, i64)]) {
        let rows = (self.end..).zip(records).map(|(offset, (key, length, timestamp))| Row {
            offset,
            timestamp: NOW + timestamp,
            key: *key,
            value: length.map(|length| value(offset, length)),
        });
        let rows: Vec<Row> = rows.collect();
        for row in &rows {
            match &row.value {
                Some(value) => drop(self.latest.insert(row.key, value.clone())),
                None => drop(self.latest.remove(&row.key)),
            }
        }
        self.batches.push((self.end, rows, None));
        self.end += records.len() as i64;
    }

    fn clean(&mut self, now: i64) {
        if self.cleaned_to >= self.active {
            return;
        }
        let closed = self.batches.iter().take_while(|(base, ..)| *base < self.active);
        let dirty = closed.flat_map(|(_, rows, _)| rows).filter(|row| row.offset >= self.cleaned_to);
        let last: HashMap<u8, i64> = dirty.map(|row| (row.key, row.offset)).collect();
        for (base, rows, horizon) in &mut self.batches {
            if *base >= self.active {
                break;
            }
            let drops_tombstones = horizon.is_some_and(|horizon| now >= horizon);
            rows.retain(|row| {
                let is_latest = last.get(&row.key).is_none_or(|last| row.offset >= *last);
                is_latest && (row.value.is_some() || !drops_tombstones)
            });
            if horizon.is_none() && rows.iter().any(|row| row.value.is_none()) {
                *horizon = Some(now + DELETE_RETENTION_MS);
            }
        }
        self.cleaned_to = self.active;
    }

    fn rows(&self) -> Vec<Row> {
        self.batches.iter().flat_map(|(_, rows, _)| rows).cloned().collect()
    }
}

fn value(offset: i64, length: usize) -> Vec<u8> {
    format!("{offset}:").bytes().chain(std::iter::repeat_n(b'v', length)).collect()
}

fn batch(rows: &[Row], codec: i16, producer: Option<(i64, i32)>) -> Batch {
    let mut builder = BatchBuilder::new();
    if let Some((id, sequence)) = producer {
        builder = builder.producer(ProducerId(id), ProducerEpoch(0), sequence);
    }
    for row in rows {
        builder.push(NewRecord {
            timestamp: row.timestamp,
            key: Some(&[row.key]),
            value: row.value.as_deref(),
            headers: &[(b"h", Some(b"v"))],
        });
    }
    let codec = Compression::from_attributes(codec).unwrap();
    Batch::parse(&builder.finish(codec).unwrap()).unwrap()
}

fn read(log: &PartitionLog, from: i64, bytes_max: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut next = Offset(from);
    while next < log.high_watermark() {
        let bytes = log.read(next, bytes_max).unwrap().into_bytes().unwrap();
        assert!(!bytes.is_empty(), "nothing at {next}, below {}", log.high_watermark());
        let before = next;
        for batch in split_batches(bytes) {
            let batch = batch.unwrap();
            batch.verify_checksum().unwrap();
            let mut scratch = Vec::new();
            for record in batch.records(&mut scratch, 1 << 20).unwrap() {
                let record = record.unwrap();
                if record.offset.0 >= from {
                    rows.push(Row {
                        offset: record.offset.0,
                        timestamp: record.timestamp,
                        key: record.key.unwrap()[0],
                        value: record.value.map(<[u8]>::to_vec),
                    });
                }
            }
            next = batch.header.next_offset();
        }
        assert!(next > before);
    }
    rows
}

fn open(folder: &std::path::Path, engine: Engine, clock: &TestClock) -> (Arc<Storage>, Arc<PartitionLog>) {
    let config = StorageConfig {
        clock: clock.clock(),
        checkpoint_interval: Duration::from_secs(3600),
        cleaner_backoff: Duration::from_secs(3600),
        ..config(folder, engine)
    };
    let storage = Storage::open(config).unwrap();
    let settings = [("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0"), ("delete.retention.ms", "1000")];
    let overrides = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let log = storage.log("logs", 0).unwrap_or_else(|| {
        storage.create_topic(NewTopic { overrides, ..NewTopic::new("logs", 1) }).unwrap().partitions[0].clone()
    });
    (storage, log)
}

fn check(log: &PartitionLog, model: &Model) {
    let expected = model.rows();
    let rows = read(log, 0, 1 << 20);
    assert_eq!(rows, expected);
    let mut latest = BTreeMap::new();
    for row in rows {
        match row.value {
            Some(value) => drop(latest.insert(row.key, value)),
            None => drop(latest.remove(&row.key)),
        }
    }
    assert_eq!(latest, model.latest);
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(0), Offset(model.end)));
    for from in [model.end / 3, model.end / 2] {
        let expected: Vec<_> = expected.iter().filter(|row| row.offset >= from).cloned().collect();
        assert_eq!(read(log, from, 1000), expected);
    }
    for target in [NOW, NOW + 300, NOW + 900] {
        let first = expected.iter().find(|row| row.timestamp >= target);
        assert_eq!(log.offset_for_timestamp(target).unwrap(), first.map(|row| (Offset(row.offset), row.timestamp)));
    }
    for (producer, next) in &model.sequences {
        assert_eq!(log.producer_state(ProducerId(*producer)).unwrap().last_sequence, next - 1);
    }
}

fn run(engine: Engine, steps: &[Step]) {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let mut now = NOW;
    let (mut storage, mut log) = open(folder.path(), engine, &clock);
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append { records, codec, producer } => {
                model.append(records);
                let producer = producer.map(|id| {
                    let next = model.sequences.entry(id).or_default();
                    *next += records.len() as i32;
                    (id, *next - records.len() as i32)
                });
                append(&log, batch(&model.batches.last().unwrap().1, *codec, producer));
            }
            Step::Roll => {
                log.roll().unwrap();
                model.active = model.end;
            }
            Step::Clean => {
                let passes = storage.clean();
                assert_eq!(passes, usize::from(model.cleaned_to < model.active));
                model.clean(now);
                check(&log, &model);
            }
            Step::Wait(ms) => {
                clock.advance(*ms);
                now += ms;
            }
            Step::Restart { .. } if engine == Engine::Memory => {}
            Step::Restart { orderly, with_index } => {
                if *orderly {
                    block_on(storage.shutdown()).unwrap();
                }
                drop((log, storage));
                if !with_index && engine == Engine::Segments {
                    fs::remove_dir_all(folder.path().join("sled")).unwrap();
                    // Where it was compacted up to is lost as well: all of it is looked at again.
                    model.cleaned_to = 0;
                }
                (storage, log) = open(folder.path(), engine, &clock);
                check(&log, &model);
            }
        }
    }
    check(&log, &model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn segments_keep_what_compaction_must_keep(steps in proptest::collection::vec(step(), 1..60)) {
        run(Engine::Segments, &steps);
    }

    #[test]
    fn sled_keeps_what_compaction_must_keep(steps in proptest::collection::vec(step(), 1..60)) {
        run(Engine::Sled, &steps);
    }

    #[test]
    fn memory_keeps_what_compaction_must_keep(steps in proptest::collection::vec(step(), 1..60)) {
        run(Engine::Memory, &steps);
    }
}

/// Keys of a log with what is stored under each, in the order of their offsets.
fn keys(log: &PartitionLog) -> Vec<u8> {
    read(log, log.log_start_offset().0, 1 << 20).iter().map(|row| row.key).collect()
}

fn one(key: u8, timestamp: i64) -> Batch {
    batch(&[Row { offset: 0, timestamp, key, value: Some(vec![key]) }], 0, None)
}

#[test]
fn more_keys_than_fit_take_several_passes() {
    for engine in [Engine::Segments, Engine::Sled, Engine::Memory] {
        let folder = tempfile::tempdir().unwrap();
        // Room for the fewest keys that there may be, 1,024 less a tenth.
        let config = StorageConfig { cleaner_bytes_max: 0, ..config(folder.path(), engine) };
        let storage = Storage::open(config).unwrap();
        let settings = [("cleanup.policy", "compact"), ("segment.bytes", "20000"), ("min.cleanable.dirty.ratio", "0")];
        let overrides = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let topic = storage.create_topic(NewTopic { overrides, ..NewTopic::new("logs", 1) }).unwrap();
        let log = &topic.partitions[0];
        for round in 0..3 {
            for chunk in (0..2500u32).collect::<Vec<_>>().chunks(100) {
                let mut builder = BatchBuilder::new();
                for key in chunk {
                    let value = [round];
                    let key = key.to_be_bytes();
                    builder.push(NewRecord { timestamp: 1, key: Some(&key), value: Some(&value), headers: &[] });
                }
                append(log, Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap());
            }
        }
        log.roll().unwrap();
        assert!(storage.clean() > 3);
        let mut left = BTreeMap::new();
        let mut next = Offset(0);
        while next < log.high_watermark() {
            for batch in split_batches(log.read(next, 1 << 20).unwrap().into_bytes().unwrap()) {
                let batch = batch.unwrap();
                for record in batch.records(&mut Vec::new(), 1 << 20).unwrap().map(Result::unwrap) {
                    let earlier = left.insert(record.key.unwrap().to_vec(), record.value.unwrap()[0]);
                    assert!(earlier.is_none(), "{engine}");
                }
                next = batch.header.next_offset();
            }
        }
        assert!(left.len() == 2500 && left.values().all(|round| *round == 2), "{engine}");
    }
}

#[test]
fn settings_hold_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (storage, log) = open(folder.path(), Engine::Memory, &clock);
    let alter = |settings: &[(&str, &str)]| {
        let overrides = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        storage.alter_topic_config("logs", overrides).unwrap();
    };
    alter(&[("cleanup.policy", "delete"), ("retention.ms", "-1")]);
    for key in [1, 2, 1] {
        append(&log, one(key, NOW));
    }
    log.roll().unwrap();
    assert_eq!(storage.clean(), 0);
    alter(&[("cleanup.policy", "compact"), ("min.compaction.lag.ms", "5000")]);
    assert_eq!(storage.clean(), 0, "too young");
    clock.advance(5001);
    assert_eq!(storage.clean(), 1);
    assert_eq!(keys(&log), [2, 1]);
    // The ratio of what is dirty is too small, until it is too old.
    append(&log, one(1, NOW + 5001));
    log.roll().unwrap();
    assert_eq!(storage.clean(), 0);
    alter(&[("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "1"), ("max.compaction.lag.ms", "2000")]);
    assert_eq!(storage.clean(), 0);
    clock.advance(2001);
    assert_eq!(storage.clean(), 1);
    assert_eq!(keys(&log), [2, 1]);
    // The active segment is closed by then as well.
    append(&log, one(3, NOW + 10_000));
    append(&log, one(3, NOW + 12_001));
    clock.advance(10_000);
    assert_eq!(storage.clean(), 1);
    assert_eq!(keys(&log), [2, 1, 3, 3], "what is active stays");
    // Both policies: the old go by time as well.
    alter(&[("cleanup.policy", "compact,delete"), ("retention.ms", "10000")]);
    assert_eq!(storage.enforce_retention(), 0);
    clock.advance(4000);
    assert_eq!(storage.enforce_retention(), 1);
    assert_eq!(keys(&log), [3]);
}
