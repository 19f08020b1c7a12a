//! kill -9 while a producer commits and aborts: what was acknowledged as committed is read, what was not committed is
//! not, and a transaction is in all of its partitions or in none.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its set-up fails")]

mod common;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::client::config;
use common::{Brooklet, DEADLINE};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Message as _, Offset, TopicPartitionList};

const KILLS: u64 = 6;
const TOPICS: [&str; 2] = ["t", "u"];

/// Whether a transaction is to be committed: two of three.
fn commits(number: u64) -> bool {
    number % 3 != 1
}

/// Runs transactions from `start` on until the broker is gone; the last one whose end was acknowledged is told.
fn run(address: SocketAddr, start: u64, told: &AtomicU64) -> Result<(), KafkaError> {
    let mut config = config(address);
    config.set("transactional.id", "x").set("transaction.timeout.ms", "60000").set("linger.ms", "0");
    let producer: BaseProducer = config.create()?;
    producer.init_transactions(DEADLINE)?;
    for number in start.. {
        producer.begin_transaction()?;
        for topic in TOPICS {
            let payload = number.to_string();
            producer.send(BaseRecord::<(), _>::to(topic).partition(0).payload(&payload)).map_err(|(error, _)| error)?;
        }
        if commits(number) {
            producer.commit_transaction(DEADLINE)?;
        } else {
            producer.flush(DEADLINE)?;
            producer.abort_transaction(DEADLINE)?;
        }
        told.store(number, Ordering::SeqCst);
    }
    Ok(())
}

/// The numbers that a reader of committed records finds in a topic, in order.
fn read_committed(address: SocketAddr, topic: &str) -> Vec<u64> {
    let mut config = config(address);
    config.set("group.id", "unused").set("isolation.level", "read_committed").set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();
    let mut numbers = Vec::new();
    let until = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < until, "no end of {topic}");
        match consumer.poll(Duration::from_millis(100)) {
            None => {}
            Some(Ok(message)) => {
                numbers.push(std::str::from_utf8(message.payload().unwrap()).unwrap().parse().unwrap())
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return numbers,
            Some(Err(error)) => panic!("{topic}: {error}"),
        }
    }
}

fn transactions_survive(engine: &str) {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--data-dir", folder.path().to_str().unwrap(), "--storage", engine];
    let mut start = 1;
    let mut acknowledged = BTreeSet::new();
    for kill in 0..KILLS {
        let (brooklet, address) = Brooklet::serve(&args);
        let told = Arc::new(AtomicU64::new(start - 1));
        let heard = told.clone();
        // Not joined: librdkafka waits for a coordinator that is gone.
        thread::spawn(move || run(address, start, &heard));
        let until = Instant::now() + DEADLINE;
        while told.load(Ordering::SeqCst) < start + 3 {
            assert!(Instant::now() < until, "no transaction comes to its end");
            thread::yield_now();
        }
        // Not to wait for anything but a beginning: the kill is to come at any point of a transaction.
        thread::sleep(Duration::from_micros(kill * 1733));
        brooklet.kill();
        let last = told.load(Ordering::SeqCst);
        acknowledged.extend((start..=last).filter(|number| commits(*number)));
        // Numbers are not used twice; those in between belong to nobody.
        start = last + 10;

        let (brooklet, address) = Brooklet::serve(&args);
        // A new producer ends what the old one left open.
        let mut config = config(address);
        let producer: BaseProducer = config.set("transactional.id", "x").create().unwrap();
        producer.init_transactions(DEADLINE).unwrap();
        let read = TOPICS.map(|topic| read_committed(address, topic));
        assert_eq!(read[0], read[1], "a transaction is in one topic alone");
        let once: BTreeSet<u64> = read[0].iter().copied().collect();
        assert_eq!(once.len(), read[0].len(), "a transaction is there twice");
        assert!(once.iter().all(|number| commits(*number)), "an aborted transaction is read");
        let lost: Vec<_> = acknowledged.difference(&once).collect();
        assert!(lost.is_empty(), "acknowledged, and gone: {lost:?}");
        drop(producer);
        brooklet.kill();
    }
}

#[test]
fn transactions_survive_kills_in_segments() {
    transactions_survive("segments");
}

#[test]
fn transactions_survive_kills_in_sled() {
    transactions_survive("sled");
}
