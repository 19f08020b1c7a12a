//! How fast batches come out of a log: at its tail, and anywhere in it.

#![allow(clippy::unwrap_used)]

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset};
use brooklet_storage::{Engine, Fsync, NewTopic, Storage, StorageConfig};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BATCHES: i64 = 20_000;
const RECORDS: i64 = 16;

fn batch() -> Batch {
    let mut builder = BatchBuilder::new();
    for _ in 0..RECORDS {
        builder.push(NewRecord { timestamp: 1, value: Some(&[b'x'; 1000]), ..NewRecord::default() });
    }
    Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()
}

fn read(criterion: &mut Criterion) {
    for engine in [Engine::Segments, Engine::Memory] {
        let folder = tempfile::tempdir().unwrap();
        let config = StorageConfig { engine, fsync: Fsync::Never, ..StorageConfig::new(folder.path()) };
        let storage = Storage::open(config).unwrap();
        let log = storage.create_topic(NewTopic::new("logs", 1)).unwrap().partitions[0].clone();
        for _ in 0..BATCHES {
            log.append(batch()).unwrap();
        }
        let end = log.high_watermark();
        let mut group = criterion.benchmark_group(format!("read/{engine}"));
        group.bench_function("locate the last batch", |bencher| {
            bencher.iter(|| log.read(Offset(end.0 - 1), 1 << 20).unwrap());
        });
        let mut from = 0;
        group.bench_function("locate any batch", |bencher| {
            bencher.iter(|| {
                from = (from + 7_919 * RECORDS) % end.0;
                log.read(Offset(from), 1 << 20).unwrap()
            });
        });
        group.throughput(Throughput::Bytes(1 << 20));
        group.bench_function("a MiB into a buffer", |bencher| {
            bencher.iter(|| {
                from = (from + 7_919 * RECORDS) % (end.0 / 2);
                log.read(Offset(from), 1 << 20).unwrap().into_bytes().unwrap()
            });
        });
    }
}

criterion_group!(benches, read);
criterion_main!(benches);
