//! kill -9 while a consumer commits: an offset that was acknowledged is there after the restart.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its set-up fails")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::Brooklet;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

/// However slow the machine, it does not take this long.
const PATIENCE: Duration = Duration::from_secs(60);
const KILLS: u64 = 5;

fn consumer(address: &str) -> BaseConsumer {
    ClientConfig::new().set("bootstrap.servers", address).set("group.id", "g").create().unwrap()
}

fn at(offset: i64) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("t", 0, Offset::Offset(offset)).unwrap();
    list
}

fn committed(address: &str) -> Option<i64> {
    let found = consumer(address).committed_offsets(at(0), PATIENCE).unwrap();
    match found.elements()[0].offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

fn commits_survive(engine: &str) {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--data-dir", folder.path().to_str().unwrap(), "--storage", engine];
    let mut last = 0;
    for kill in 0..KILLS {
        let (brooklet, address) = Brooklet::serve(&args);
        let address = address.to_string();
        let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &address).create().unwrap();
        producer.send(BaseRecord::<(), _>::to("t").partition(0).payload("x")).unwrap();
        producer.flush(PATIENCE).unwrap();
        if last > 0 {
            let found = committed(&address).expect("an acknowledged offset is gone");
            assert!(found >= last, "{found} is committed, {last} was acknowledged");
            last = found;
        }
        let acknowledged = Arc::new(AtomicI64::new(last));
        let told = acknowledged.clone();
        let start = last;
        // Not joined: librdkafka waits without end for a coordinator that is gone.
        thread::spawn(move || {
            let consumer = consumer(&address);
            for offset in start + 1.. {
                if consumer.commit(&at(offset), CommitMode::Sync).is_err() {
                    return;
                }
                told.store(offset, Ordering::SeqCst);
            }
        });
        let until = Instant::now() + PATIENCE;
        while acknowledged.load(Ordering::SeqCst) == start {
            assert!(Instant::now() < until, "no commit is acknowledged");
            thread::yield_now();
        }
        // Not to wait for anything but a beginning: the kill is to come at any point of a commit.
        thread::sleep(Duration::from_micros(kill * 1733));
        brooklet.kill();
        last = acknowledged.load(Ordering::SeqCst);
    }
}

#[test]
fn commits_survive_kills_in_segments() {
    commits_survive("segments");
}

#[test]
fn commits_survive_kills_in_sled() {
    commits_survive("sled");
}
