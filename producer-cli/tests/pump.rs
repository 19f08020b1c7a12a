//! The pump against librdkafka's own mock broker: everything sent is accounted for.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

use std::io::{self, BufReader, Read};
use std::time::Duration;

use brooklet_producer::{ClientOptions, Lines, LogGenerator, Pump, PumpOptions, RecordSource, Summary};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

fn cluster() -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("logs", 1, 1).unwrap();
    cluster
}

fn options(broker: String) -> PumpOptions {
    PumpOptions {
        client: ClientOptions { delivery_timeout: Duration::from_secs(20), ..ClientOptions::new(broker) },
        topic: "logs".to_owned(),
        rate: None,
        connect_timeout: Duration::from_secs(20),
    }
}

fn pump(options: &PumpOptions, source: impl RecordSource + 'static) -> (Summary, io::Result<bool>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pump = Pump::start(options, source).unwrap();
    runtime.block_on(pump.source_done());
    pump.finish()
}

#[test]
fn every_generated_record_is_acknowledged_also_through_a_small_queue() {
    let cluster = cluster();
    let mut options = options(cluster.bootstrap_servers());
    for records_queued_max in [100_000, 100] {
        options.client.records_queued_max = records_queued_max;
        let (summary, read) = pump(&options, LogGenerator::new(5000, Some(200), 1));
        assert!(read.unwrap(), "read to its end");
        assert_eq!((summary.records, summary.bytes, summary.failed), (5000, 1_000_000, 0));
        assert!(summary.seconds > 0.0 && summary.ack_us_p50 > 0 && summary.ack_us_p99 >= summary.ack_us_p50);
    }
}

#[test]
fn records_that_no_broker_may_take_are_counted_with_their_reason() {
    let cluster = cluster();
    let mut options = options(cluster.bootstrap_servers());
    options.client.properties.push(("message.max.bytes".to_owned(), "2000".to_owned()));
    let lines = ["short".to_owned(), "x".repeat(5000), "y".repeat(2100), "last".to_owned()].join("\n");
    let source = Lines::new(BufReader::new(io::Cursor::new(lines)), None, 2500);
    let (summary, read) = pump(&options, source);
    read.unwrap();
    assert_eq!((summary.records, summary.bytes, summary.failed), (2, 9, 2));
    let failure = summary.failure().unwrap();
    assert!(failure.contains("2 records not delivered"), "{failure}");
    assert!(failure.contains("1 × line longer than message.max.bytes"), "{failure}");
    assert!(failure.contains("MessageSizeTooLarge"), "{failure}");
}

#[test]
fn what_was_read_before_the_input_failed_is_delivered() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    let cluster = cluster();
    let input = BufReader::new(io::Cursor::new("one\ntwo\nthr").chain(Broken));
    let (summary, read) = pump(&options(cluster.bootstrap_servers()), Lines::new(input, None, 100));
    assert_eq!(summary.records, 2);
    assert_eq!(read.unwrap_err().to_string(), "the disk is on fire");
}

#[test]
fn a_stopped_pump_accounts_for_all_it_sent() {
    let cluster = cluster();
    let mut options = options(cluster.bootstrap_servers());
    options.rate = "0.001".parse().ok();
    let pump = Pump::start(&options, LogGenerator::new(u64::MAX, None, 1)).unwrap();
    let (summary, read) = pump.finish();
    assert!(!read.unwrap(), "there was more to read");
    assert!(summary.records <= 1 && summary.failed == 0, "{summary:?}");
}

#[test]
fn a_broker_that_goes_away_ends_the_sending() {
    let cluster = cluster();
    let mut options = options(cluster.bootstrap_servers());
    options.client.delivery_timeout = Duration::from_secs(1);
    options.client.records_queued_max = 10;
    let pump = Pump::start(&options, LogGenerator::new(u64::MAX, None, 1)).unwrap();
    drop(cluster);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(pump.source_done());
    let (summary, read) = pump.finish();
    assert!(!read.unwrap(), "there was more to read");
    assert!(summary.failed >= 1 && summary.failed <= 10, "{summary:?}");
    assert!(summary.failure().unwrap().contains("timed out"), "{summary:?}");
}

#[test]
fn no_broker_is_an_error_with_its_reason() {
    // Taken, so that no other test gets it, and nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = taken.local_addr().unwrap();
    let mut options = options(address.to_string());
    options.connect_timeout = Duration::from_secs(2);
    let error = Pump::start(&options, LogGenerator::new(1, None, 1)).err().unwrap().to_string();
    assert!(error.starts_with(&format!("no broker at {address}: ")) && error.contains("refused"), "{error}");
}
