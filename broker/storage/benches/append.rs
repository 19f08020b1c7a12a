//! How fast batches get into a log, engine by engine.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, ProducerEpoch, ProducerId};
use brooklet_storage::{Engine, NewTopic, Storage, StorageConfig};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A batch of so many bytes, of records with values of `size` bytes.
fn batch(mut builder: BatchBuilder, bytes: usize, size: usize) -> Batch {
    let value = vec![b'x'; size];
    while builder.bytes() + size < bytes {
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
            let batch = batch(BatchBuilder::new(), bytes, 1000);
            group.throughput(Throughput::Bytes(batch.header.size as u64));
            group.bench_with_input(BenchmarkId::from_parameter(bytes), &batch, |bencher, batch| {
                bencher.iter(|| log.append(batch.clone()).unwrap());
            });
        }
    }
}

/// What checking a batch costs, of few records and of many: each but the first is there already, and not written.
fn check(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig { engine: Engine::Memory, ..StorageConfig::new(folder.path()) }).unwrap();
    let topic = storage.create_topic(NewTopic::new("logs", 4)).unwrap();
    let mut group = criterion.benchmark_group("append/check");
    for (log, size) in topic.partitions.iter().zip([10_000, 1000, 100, 10]) {
        let batch = batch(BatchBuilder::new().producer(ProducerId(1), ProducerEpoch(0), 0), 128 << 10, size);
        group.throughput(Throughput::Elements(batch.header.record_count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &batch, |bencher, batch| {
            bencher.iter(|| log.append(batch.clone()).unwrap());
        });
    }
}

criterion_group!(benches, append, check);
criterion_main!(benches);
