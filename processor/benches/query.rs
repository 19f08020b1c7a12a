//! A whole query over a log: records counted a second, and how long an appended record takes to be printed.

#![allow(clippy::unwrap_used, missing_docs)]

use std::io::{self, Write};
use std::sync::{Arc, mpsc};

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord};
use brooklet_processor::{Query, QueryOptions, StartFrom, Trigger, plan};
use brooklet_storage::{Engine, NewTopic, Storage, StorageConfig};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const RECORDS: usize = 1_000_000;
const RECORDS_PER_BATCH: usize = 1_000;
const LEVELS: [&str; 5] = ["INFO", "DEBUG", "WARN", "ERROR", "TRACE"];
const COUNT: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";

fn append(storage: &Storage, numbers: std::ops::Range<usize>) {
    let mut builder = BatchBuilder::new();
    for number in numbers {
        // A multiplicative step, so that the levels follow no pattern that a branch predictor learns.
        let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let level = LEVELS[mixed as usize % LEVELS.len()];
        let value =
            format!(r#"{{"level":"{level}","message":"user {mixed:>10} logged in from 10.1.2.3 after two attempts"}}"#);
        builder.push(NewRecord { value: Some(value.as_bytes()), ..NewRecord::default() });
    }
    let batch = Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap();
    storage.log("logs", 0).unwrap().append(batch).unwrap();
}

fn count(c: &mut Criterion) {
    let mut group = c.benchmark_group("query");
    group.throughput(Throughput::Elements(RECORDS as u64)).sample_size(10);
    for engine in [Engine::Segments, Engine::Memory] {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageConfig { engine, ..StorageConfig::new(folder.path()) }).unwrap();
        storage.create_topic(NewTopic::new("logs", 1)).unwrap();
        for first in (0..RECORDS).step_by(RECORDS_PER_BATCH) {
            append(&storage, first..first + RECORDS_PER_BATCH);
        }
        let mut runs = 0;
        let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
        group.bench_function(format!("count/{engine}"), |b| {
            b.iter(|| {
                runs += 1;
                let options = QueryOptions {
                    name: Some(format!("run-{runs}")),
                    from: StartFrom::Earliest,
                    trigger: Trigger::AvailableNow,
                    ..QueryOptions::default()
                };
                let mut query =
                    Query::start(storage.clone(), plan(COUNT).unwrap(), options, Box::new(io::sink())).unwrap();
                executor.block_on(query.wait()).unwrap();
                assert_eq!(query.progress().records_in, RECORDS as u64);
            });
        });
    }
    group.finish();
}

/// Tells of each batch that was printed.
struct Printed(mpsc::Sender<()>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.send(()).map_err(io::Error::other)
    }
}

fn latency(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let storage: Arc<Storage> =
        Storage::open(StorageConfig { engine: Engine::Segments, ..StorageConfig::new(folder.path()) }).unwrap();
    let (sender, printed) = mpsc::channel();
    let _query =
        Query::start(storage.clone(), plan(COUNT).unwrap(), QueryOptions::default(), Box::new(Printed(sender)))
            .unwrap();
    printed.recv().unwrap();
    c.bench_function("query/append_to_printed", |b| {
        b.iter(|| {
            append(&storage, 0..1);
            printed.recv().unwrap();
        });
    });
}

criterion_group!(benches, count, latency);
criterion_main!(benches);
