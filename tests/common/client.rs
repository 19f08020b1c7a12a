//! librdkafka as the client.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::DEADLINE;

/// Key and value of a record.
pub(crate) type KeyValue = (Option<String>, Option<String>);

/// Sends records that carry a number and tells which of them were acknowledged.
pub(crate) type Producer = ThreadedProducer<Acknowledgements>;

/// The number of a record, and whether it was acknowledged.
pub(crate) struct Acknowledgements(mpsc::SyncSender<(usize, bool)>);

impl ClientContext for Acknowledgements {
    fn log(&self, _: rdkafka::config::RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: rdkafka::error::KafkaError, _: &str) {}
}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        // Nobody may be interested any more.
        let _ = self.0.send((number, result.is_ok()));
    }
}

pub(crate) fn config(address: SocketAddr) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address.to_string()).set("broker.address.family", "v4");
    config
}

/// A producer, and what becomes of its records; `bound` outcomes may wait to be looked at.
pub(crate) fn producer(config: &ClientConfig, bound: usize) -> (Producer, mpsc::Receiver<(usize, bool)>) {
    let (tell, told) = mpsc::sync_channel(bound);
    (config.create_with_context(Acknowledgements(tell)).unwrap(), told)
}

/// What a broker says of itself and of a topic, or of all. librdkafka may drop the request when it leaves the
/// bootstrap address for the one that is advertised.
pub(crate) fn metadata(address: SocketAddr, topic: Option<&str>) -> Metadata {
    let (producer, _) = producer(&config(address), 1);
    let until = Instant::now() + DEADLINE;
    loop {
        match producer.client().fetch_metadata(topic, DEADLINE) {
            Ok(metadata) => return metadata,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
    }
}

/// Sends values without keys to partition 0 of a topic, in one batch; all are acknowledged when it returns.
pub(crate) fn send(address: SocketAddr, topic: &str, values: &[&str]) {
    let mut config = config(address);
    // The batch is full when it has them all and waits for nothing else, however slowly they come.
    config
        .set("acks", "all")
        .set("batch.num.messages", values.len().to_string())
        .set("linger.ms", "900000")
        .set("message.timeout.ms", "1000000");
    let (producer, told) = producer(&config, values.len());
    for (number, value) in values.iter().enumerate() {
        let record: BaseRecord<'_, (), str, usize> = BaseRecord::with_opaque_to(topic, number).payload(value);
        producer.send(record.partition(0)).map_err(|(error, _)| error).unwrap();
    }
    for _ in values {
        assert!(told.recv_timeout(DEADLINE).unwrap().1, "not acknowledged");
    }
}

/// A consumer of partition 0 of a topic from its beginning, in no group.
pub(crate) fn consumer(config: &mut ClientConfig, topic: &str) -> BaseConsumer {
    config.set("group.id", "unused").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();
    consumer
}

/// All records that partition 0 of a topic has now, in order.
pub(crate) fn read_all(address: SocketAddr, topic: &str) -> Vec<KeyValue> {
    let consumer = consumer(&mut config(address), topic);
    let (low, high) = consumer.fetch_watermarks(topic, 0, DEADLINE).unwrap();
    let text = |bytes: Option<&[u8]>| bytes.map(|it| String::from_utf8(it.to_vec()).unwrap());
    let mut records = Vec::new();
    let until = Instant::now() + DEADLINE;
    while (records.len() as i64) < high - low {
        assert!(Instant::now() < until, "{} of {} records read", records.len(), high - low);
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message.unwrap();
            assert_eq!(message.offset(), low + records.len() as i64, "offsets have no gaps");
            records.push((text(message.key()), text(message.payload())));
        }
    }
    records
}

/// Reads a topic until the latest value of each key is as expected; keys and values as text.
pub(crate) fn wait_for_table(address: SocketAddr, topic: &str, expected: &BTreeMap<String, String>) -> Vec<KeyValue> {
    let until = Instant::now() + DEADLINE;
    loop {
        let records = read_all(address, topic);
        let table: BTreeMap<String, String> =
            records.iter().map(|(key, value)| (key.clone().unwrap(), value.clone().unwrap())).collect();
        if table == *expected {
            return records;
        }
        assert!(Instant::now() < until, "{topic} holds\n{table:?}\nnot\n{expected:?}");
    }
}

/// Waits until partition 0 of a topic has at least so many records.
pub(crate) fn wait_for_records(address: SocketAddr, topic: &str, records: i64) {
    let mut config = config(address);
    config.set("group.id", "unused");
    let consumer: BaseConsumer = config.create().unwrap();
    let until = Instant::now() + DEADLINE;
    // The topic may not be there yet.
    while !consumer.fetch_watermarks(topic, 0, DEADLINE).is_ok_and(|(_, high)| high >= records) {
        assert!(Instant::now() < until, "{topic} does not get {records} records");
    }
}
