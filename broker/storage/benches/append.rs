//! How fast batches get into a log, engine by engine.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord};
use brooklet_storage::{Engine, NewTopic, Storage, StorageConfig};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A batch of records of 1,000 bytes.
fn batch(bytes: usize) -> Batch {
    let value = [b'x'; 1000];
    let mut builder = BatchBuilder::new();
    while builder.bytes() + value.len() < bytes {
        builder.push(NewRecord { timestamp: 1, value: Some(&value), ..NewRecord::default() });
    }
    Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()
}

fn append(criterion: &mut Criterion) {
    for engine in [Engine::Segments, Engine::Sled, Engine::Memory] {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageConfig {
            engine,
            retention_check_interval: Duration::from_millis(50),
            ..StorageConfig::new(folder.path())
        })
        .unwrap();
        // Little is kept, so that the disk does not fill.
        let settings = [("segment.bytes", "33554432"), ("retention.bytes", "67108864")];
        let overrides = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let log =
            storage.create_topic(NewTopic { overrides, ..NewTopic::new("logs", 1) }).unwrap().partitions[0].clone();
        let mut group = criterion.benchmark_group(format!("append/{engine}"));
        for bytes in [2 << 10, 16 << 10, 128 << 10] {
            let batch = batch(bytes);
            group.throughput(Throughput::Bytes(batch.header.size as u64));
            group.bench_with_input(BenchmarkId::from_parameter(bytes), &batch, |bencher, batch| {
                bencher.iter(|| log.append(batch.clone()).unwrap());
            });
        }
    }
}

criterion_group!(benches, append);
criterion_main!(benches);
