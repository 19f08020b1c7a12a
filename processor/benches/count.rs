//! The count's way of a record, step by step and whole: records of about 100 bytes, eight levels, one core.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use brooklet_model::{BatchBuilder, Compression, NewRecord, split_batches};
use brooklet_processor::{GroupTable, Scanner};
use bytes::{Bytes, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const RECORDS: usize = 100_000;
const RECORDS_PER_BATCH: usize = 1_000;
const LEVELS: [&str; 8] = ["INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR", "TRACE", "FATAL"];

/// A log line in one of the shapes that producers send.
fn record(shape: &str, number: usize) -> String {
    // A multiplicative step, so that the levels follow no pattern that a branch predictor learns.
    let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let level = LEVELS[mixed as usize % LEVELS.len()];
    match shape {
        "two_fields" => {
            format!(
                r#"{{"level":"{level}","message":"user {mixed:>10} logged in from 10.1.2.3 after two attempts, ok"}}"#
            )
        }
        "six_fields" => format!(
            r#"{{"ts":{},"host":"web-{}","level":"{level}","status":{},"ok":true,"msg":"GET /cart/{mixed:>10} 12ms"}}"#,
            1_700_000_000_000u64 + mixed,
            mixed % 10,
            200 + mixed % 300,
        ),
        _ => format!(
            r#"{{"message":"réseau coupé: \"{mixed:>10}\" après 3 essais","level":"{level}","tags":["a",{{"b":1.5}}]}}"#
        ),
    }
}

const SHAPES: [&str; 3] = ["two_fields", "six_fields", "escapes_and_nesting"];

/// A log's bytes: batches one after the other.
fn log_slice(shape: &str) -> Bytes {
    let records: Vec<String> = (0..RECORDS).map(|number| record(shape, number)).collect();
    let mut log = BytesMut::new();
    for batch in records.chunks(RECORDS_PER_BATCH) {
        let mut builder = BatchBuilder::new();
        for value in batch {
            builder.push(NewRecord { value: Some(value.as_bytes()), ..NewRecord::default() });
        }
        log.extend_from_slice(&builder.finish(Compression::None).unwrap());
    }
    log.freeze()
}

fn for_each_value(log: &Bytes, mut each: impl FnMut(Option<&[u8]>)) {
    let mut scratch = Vec::new();
    for batch in split_batches(log.clone()) {
        let batch = batch.unwrap();
        for record in batch.records(&mut scratch, 1 << 20).unwrap() {
            each(record.unwrap().value);
        }
    }
}

fn count(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("count");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for shape in SHAPES {
        let log = log_slice(shape);
        group.bench_function(BenchmarkId::new("records", shape), |bencher| {
            bencher.iter(|| {
                let mut bytes = 0;
                for_each_value(&log, |value| bytes += value.map_or(0, <[u8]>::len));
                black_box(bytes)
            });
        });

        let values: Vec<String> = (0..RECORDS).map(|number| record(shape, number)).collect();
        group.bench_function(BenchmarkId::new("scan", shape), |bencher| {
            let mut scanner = Scanner::new(&["level"]);
            bencher.iter(|| {
                for value in &values {
                    black_box(scanner.scan(Some(value.as_bytes())).column(0));
                }
            });
        });

        group.bench_function(BenchmarkId::new("end_to_end", shape), |bencher| {
            let mut scanner = Scanner::new(&["level"]);
            let mut table = GroupTable::new(1);
            bencher.iter(|| {
                table.begin_batch();
                for_each_value(&log, |value| {
                    table.count_one(scanner.scan(value).columns()).unwrap();
                });
                black_box(table.len())
            });
        });
    }
    group.finish();
}

fn group_by(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("group_by");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for groups in [8, 100_000] {
        let keys: Vec<String> = (0..RECORDS).map(|n| format!("key-{}", n.wrapping_mul(7919) % groups)).collect();
        group.bench_function(BenchmarkId::new("one_column", groups), |bencher| {
            let mut table = GroupTable::new(1);
            bencher.iter(|| {
                for key in &keys {
                    black_box(table.count_one([Some(key.as_bytes())]).unwrap());
                }
            });
        });
        group.bench_function(BenchmarkId::new("two_columns", groups), |bencher| {
            let mut table = GroupTable::new(2);
            bencher.iter(|| {
                for key in &keys {
                    black_box(table.count_one([Some(key.as_bytes()), None]).unwrap());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, count, group_by);
criterion_main!(benches);
