//! How fast a log is compacted: bytes of its records read, judged, and written anew, by the time that a core spends on
//! it.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord};
use brooklet_storage::{Engine, Fsync, NewTopic, Storage, StorageConfig};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BATCHES: u64 = 8192;
const RECORDS: u64 = 16;
const VALUE_LEN: usize = 1000;

/// Records of a KiB; of two with the same key, one is to stay.
fn batch(first: u64, codec: Compression) -> Batch {
    let value: Vec<u8> = (0..VALUE_LEN).map(|at| b'a' + (at * 7 % 26) as u8).collect();
    let mut builder = BatchBuilder::new();
    for index in first..first + RECORDS {
        let key = (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (BATCHES * RECORDS / 2)).to_string();
        builder.push(NewRecord { timestamp: 1, key: Some(key.as_bytes()), value: Some(&value), headers: &[] });
    }
    Batch::parse(&builder.finish(codec).unwrap()).unwrap()
}

/// How long one pass over a new log takes.
fn pass(codec: Compression) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let config = StorageConfig { engine: Engine::Segments, fsync: Fsync::Never, ..StorageConfig::new(folder.path()) };
    let storage = Storage::open(config).unwrap();
    let settings = [("cleanup.policy", "compact"), ("segment.bytes", "67108864")];
    let overrides = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let topic = storage.create_topic(NewTopic { overrides, ..NewTopic::new("logs", 1) }).unwrap();
    for index in 0..BATCHES {
        topic.partitions[0].append(batch(index * RECORDS, codec)).unwrap();
    }
    topic.partitions[0].roll().unwrap();
    let begun = core_time();
    assert_eq!(storage.clean(), 1);
    core_time() - begun
}

/// How long this thread has been on a core, by Linux.
fn core_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

fn cleaner(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cleaner");
    group.sample_size(10).throughput(Throughput::Bytes(BATCHES * RECORDS * 1024));
    for (name, codec) in [("uncompressed", Compression::None), ("lz4", Compression::Lz4), ("zstd", Compression::Zstd)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|passes| (0..passes).map(|_| pass(codec)).sum());
        });
    }
}

criterion_group!(benches, cleaner);
criterion_main!(benches);
