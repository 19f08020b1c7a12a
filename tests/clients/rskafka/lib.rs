//! Drives a broker with rskafka, which knows no groups and no transactions.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use rskafka::client::consumer::{StartOffset, StreamConsumerBuilder};
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::producer::{BatchProducerBuilder, aggregator::RecordAggregator};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;

const WAIT_MS: i32 = 30_000;
static NAMES: AtomicUsize = AtomicUsize::new(0);

/// A name that no other test, and no other run on the same broker, has used.
fn fresh() -> String {
    let now = Utc::now().timestamp_millis();
    format!("rsk-{}-{now}-{}", std::process::id(), NAMES.fetch_add(1, Ordering::Relaxed))
}

fn bootstrap() -> String {
    std::env::var("BOOTSTRAP").expect("BOOTSTRAP is host:port")
}

async fn client() -> Client {
    ClientBuilder::new(vec![bootstrap()]).client_id("brooklet-rskafka").build().await.unwrap()
}

/// Makes a topic, and waits until the broker leads it.
async fn topic(client: &Client, partitions: i32) -> String {
    let name = fresh();
    client.controller_client().unwrap().create_topic(&name, partitions, 1, WAIT_MS).await.unwrap();
    for partition in 0..partitions {
        let one = client.partition_client(&name, partition, UnknownTopicHandling::Retry).await.unwrap();
        assert_eq!(one.get_offset(OffsetAt::Latest).await.unwrap(), 0);
    }
    name
}

async fn only(client: &Client) -> PartitionClient {
    let name = topic(client, 1).await;
    client.partition_client(name, 0, UnknownTopicHandling::Retry).await.unwrap()
}

fn at(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap()
}

fn record(n: usize) -> Record {
    let text = n.to_string().into_bytes();
    let headers = BTreeMap::from([("n".to_owned(), text.clone())]);
    Record { key: Some(text.clone()), value: Some(text), headers, timestamp: at(1000 * (n as i64 + 1)) }
}

fn records(count: usize) -> Vec<Record> {
    (0..count).map(record).collect()
}

/// The partition from an offset on, until so many records came, and its end.
async fn read(partition: &PartitionClient, from: i64, count: usize) -> (Vec<Record>, i64) {
    let (mut found, mut end) = (Vec::new(), 0);
    while found.len() < count {
        let next = from + found.len() as i64;
        let (some, watermark) = partition.fetch_records(next, 1..1_000_000, 1000).await.unwrap();
        assert!(
            !some.is_empty() || watermark < from + count as i64,
            "nothing at {next}, though it ends at {watermark}"
        );
        for (n, each) in some.into_iter().enumerate() {
            assert_eq!(each.offset, next + n as i64);
            found.push(each.record);
        }
        end = watermark;
    }
    (found, end)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, expected: ProtocolError) {
    match outcome {
        Err(Error::ServerError { protocol_error, .. }) => assert_eq!(protocol_error, expected),
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

#[tokio::test]
async fn each_codec_comes_back_as_it_went() {
    let client = client().await;
    let codecs =
        [Compression::NoCompression, Compression::Gzip, Compression::Lz4, Compression::Snappy, Compression::Zstd];
    for codec in codecs {
        let partition = only(&client).await;
        let mut sent = records(1000);
        sent.push(Record { key: None, value: None, headers: BTreeMap::new(), timestamp: at(1_234_567) });
        let offsets = partition.produce(sent.clone(), codec).await.unwrap();
        assert_eq!(offsets, (0..1001).collect::<Vec<i64>>());
        let (found, end) = read(&partition, 0, 1001).await;
        assert_eq!((found, end), (sent, 1001));
    }
}

#[tokio::test]
async fn batches_that_a_producer_gathers_come_in_order() {
    let client = client().await;
    let partition = Arc::new(only(&client).await);
    let producer = BatchProducerBuilder::new(Arc::clone(&partition))
        .with_linger(Duration::from_millis(20))
        .with_compression(Compression::Zstd)
        .build(RecordAggregator::new(10_000));
    let offsets = futures::future::join_all(records(500).into_iter().map(|each| producer.produce(each))).await;
    assert_eq!(offsets.into_iter().map(Result::unwrap).collect::<Vec<_>>(), (0..500).collect::<Vec<i64>>());
    assert_eq!(read(&partition, 0, 500).await.0, records(500));
}

#[tokio::test]
async fn a_stream_waits_at_the_end() {
    let client = client().await;
    let partition = Arc::new(only(&client).await);
    partition.produce(records(10), Compression::NoCompression).await.unwrap();
    let mut stream =
        StreamConsumerBuilder::new(Arc::clone(&partition), StartOffset::At(8)).with_max_wait_ms(500).build();
    for n in 8..10 {
        assert_eq!(stream.next().await.unwrap().unwrap().0.record, record(n));
    }
    let writer = tokio::spawn(async move { partition.produce(vec![record(10)], Compression::NoCompression).await });
    assert_eq!(stream.next().await.unwrap().unwrap().0.record, record(10));
    assert_eq!(writer.await.unwrap().unwrap(), [10]);
}

#[tokio::test]
async fn offsets_by_time_and_after_records_were_deleted() {
    let client = client().await;
    let partition = only(&client).await;
    partition.produce(records(5), Compression::NoCompression).await.unwrap();
    let offset = async |at| partition.get_offset(at).await.unwrap();
    assert_eq!((offset(OffsetAt::Earliest).await, offset(OffsetAt::Latest).await), (0, 5));
    assert_eq!(offset(OffsetAt::Timestamp(at(2500))).await, 2);
    assert_eq!(offset(OffsetAt::Timestamp(at(9000))).await, -1);
    partition.delete_records(3, WAIT_MS).await.unwrap();
    assert_eq!((offset(OffsetAt::Earliest).await, offset(OffsetAt::Latest).await), (3, 5));
    refused(partition.fetch_records(0, 1..1000, 100).await, ProtocolError::OffsetOutOfRange);
    refused(partition.delete_records(50, WAIT_MS).await, ProtocolError::OffsetOutOfRange);
    assert_eq!(read(&partition, 3, 2).await.0, [record(3), record(4)]);
}

#[tokio::test]
async fn topics_are_listed_and_deleted_and_what_cannot_be_has_its_error() {
    let client = client().await;
    let controller = client.controller_client().unwrap();
    let name = topic(&client, 3).await;
    let listed = client.list_topics().await.unwrap().into_iter().find(|each| each.name == name).unwrap();
    assert_eq!(listed.partitions.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
    refused(controller.create_topic(&name, 1, 1, WAIT_MS).await, ProtocolError::TopicAlreadyExists);
    refused(controller.create_topic("no/good", 1, 1, WAIT_MS).await, ProtocolError::InvalidTopicException);
    refused(controller.create_topic(fresh(), 0, 1, WAIT_MS).await, ProtocolError::InvalidPartitions);
    refused(controller.create_topic(fresh(), 1, 7, WAIT_MS).await, ProtocolError::InvalidReplicationFactor);
    controller.delete_topic(&name, WAIT_MS).await.unwrap();
    while client.list_topics().await.unwrap().iter().any(|each| each.name == name) {}
    refused(controller.delete_topic(&name, WAIT_MS).await, ProtocolError::UnknownTopicOrPartition);
}
