//! What a topic's settings do to what is produced, as a client sees it; each answer as Apache Kafka 4.2 gives it.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, TimestampType, split_batches};
use brooklet_storage::LogSlice;
use bytes::Bytes;
use common::{Client, TestBroker};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{FetchRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

const VERSION: i16 = 8;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

async fn produce(client: &mut Client, topic: &str, records: Bytes) -> PartitionProduceResponse {
    let partition = PartitionProduceData::default().with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
        .with_partition_data(vec![partition]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(1000).with_topic_data(vec![topic]);
    client.call(request, VERSION).await.responses[0].partition_responses[0].clone()
}

/// Code, record errors, message.
fn refusal(response: &PartitionProduceResponse) -> (i16, Vec<(i32, String)>, Option<String>) {
    assert_eq!((response.base_offset, response.log_append_time_ms), (-1, -1));
    let errors = response.record_errors.iter();
    let errors = errors.map(|it| (it.batch_index, it.batch_index_error_message.as_ref().unwrap().to_string()));
    (response.error_code, errors.collect(), response.error_message.as_ref().map(ToString::to_string))
}

fn build(records: &[(i64, Option<&str>, &str)], codec: Compression) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (timestamp, key, value) in records {
        let (key, value) = (key.map(str::as_bytes), Some(value.as_bytes()));
        builder.push(NewRecord { timestamp: *timestamp, key, value, headers: &[] });
    }
    builder.finish(codec).unwrap()
}

fn stored(slice: LogSlice) -> Vec<Batch> {
    let batches: Vec<_> = split_batches(slice.into_bytes().unwrap()).map(Result::unwrap).collect();
    batches.iter().for_each(|batch| batch.verify_checksum().unwrap());
    batches
}

#[tokio::test]
async fn a_compacted_topic_takes_records_with_keys_alone() {
    let broker = TestBroker::start().await;
    broker.topic("c", 1, &[("cleanup.policy", "compact")]);
    let mut client = broker.client().await;
    let why = "Compacted topic cannot accept message without key in topic partition c-0";
    for codec in [Compression::None, Compression::Gzip] {
        let records = [(0, Some("k"), "v"), (0, None, "v"), (0, Some(""), "v")];
        let response = produce(&mut client, "c", build(&records, codec)).await;
        let text = format!(
            "One or more records have been rejected due to 1 record errors in total, and only showing the first three \
             errors at most: [RecordError(batchIndex=1, message='{why}')]"
        );
        assert_eq!(refusal(&response), (87, vec![(1, why.to_owned())], Some(text)));
        assert_eq!(response.log_start_offset, 0);
    }
    assert_eq!(produce(&mut client, "c", build(&[(0, Some("k"), "v")], Compression::None)).await.error_code, 0);
    broker.stop().await;
}

#[tokio::test]
async fn times_out_of_range_are_told_record_by_record() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[("message.timestamp.before.max.ms", "100000")]);
    let mut client = broker.client().await;
    let begun = now();
    let records = [(begun, None, "v"), (begun + 3_800_000, None, "v"), (begun - 200_000, None, "v"), (-1, None, "v")];
    let response = produce(&mut client, "t", build(&records, Compression::Zstd)).await;
    let (code, errors, message) = refusal(&response);
    assert_eq!((code, response.log_start_offset), (32, 0));
    assert_eq!(message.unwrap(), "One or more records have been rejected due to invalid timestamp");
    assert_eq!(errors.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2]);
    let told = format!("Timestamp {} of message with offset 1 is out of range.", begun + 3_800_000);
    assert!(errors[0].1.starts_with(&told), "{errors:?}");
    broker.stop().await;
}

#[tokio::test]
async fn the_brokers_time_is_kept_where_the_topic_says_so() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[("message.timestamp.type", "LogAppendTime")]);
    let log = &topic.partitions[0];
    let mut client = broker.client().await;
    let begun = now();
    let response = produce(&mut client, "t", build(&[(5, None, "v")], Compression::None)).await;
    assert_eq!(response.error_code, 0);
    assert!(response.log_append_time_ms >= begun);
    let batch = &stored(log.read(log.log_start_offset(), 1000).unwrap())[0];
    assert_eq!((batch.header.base_timestamp, batch.header.max_timestamp), (5, response.log_append_time_ms));
    // A producer may not say so itself, but its batch is taken where the topic keeps the producer's time.
    let of_append = Batch::parse(&build(&[(begun, None, "v")], Compression::None)).unwrap();
    let of_append = of_append.with_max_timestamp(TimestampType::LogAppendTime, begun).bytes;
    let (code, errors, _) = refusal(&produce(&mut client, "t", of_append.clone()).await);
    let why = format!(
        "Invalid timestamp type in message DefaultRecord(offset=0, timestamp={begun}, key=0 bytes, value=1 bytes). \
         Producer should not set timestamp type to LogAppendTime."
    );
    assert_eq!((code, errors), (32, vec![(0, why)]));
    // A change of the setting holds at once.
    broker.storage.alter_topic_config("t", [].into()).unwrap();
    assert_eq!(produce(&mut client, "t", of_append).await.base_offset, 1);
    let batch = &stored(log.read(brooklet_model::Offset(1), 1000).unwrap())[0];
    assert_eq!((batch.header.timestamp_type(), batch.header.max_timestamp), (TimestampType::CreateTime, begun));
    broker.stop().await;
}

#[tokio::test]
async fn batches_are_stored_in_the_topics_codec() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let all = [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    for (target, name) in all.into_iter().zip(["uncompressed", "gzip", "snappy", "lz4", "zstd"]) {
        let topic = broker.topic(name, 1, &[("compression.type", name)]);
        let log = &topic.partitions[0];
        for codec in all {
            let records = [(7, Some("k"), "value"), (9, None, "other")];
            let begin = log.log_end_offset();
            assert_eq!(produce(&mut client, name, build(&records, codec)).await.error_code, 0);
            let batch = &stored(log.read(begin, 1000).unwrap())[0];
            assert_eq!(batch.header.compression(), Ok(target));
            assert_eq!((batch.header.base_offset, batch.header.max_timestamp), (begin, 9));
            let mut scratch = Vec::new();
            let read = batch.records(&mut scratch, 1000).unwrap().map(Result::unwrap);
            let read: Vec<_> = read.map(|record| (record.timestamp, record.key, record.value)).collect();
            assert_eq!(read, [(7, Some(&b"k"[..]), Some(&b"value"[..])), (9, None, Some(&b"other"[..]))]);
        }
        // What does not unfold cannot be stored in another codec, and Kafka has no better code for it.
        let mut broken = Batch::parse(&build(&[(7, None, "v")], Compression::None)).unwrap();
        let codec = if target == Compression::Gzip { Compression::Zstd } else { Compression::Gzip };
        broken.header.attributes = codec as i16;
        let broken = broken.with_max_timestamp(TimestampType::CreateTime, 7).bytes;
        assert_eq!(refusal(&produce(&mut client, name, broken).await), (-1, vec![], None));
    }
    broker.stop().await;
}

#[tokio::test]
async fn batches_have_bounds() {
    let broker = TestBroker::start().await;
    broker.topic("m", 1, &[("max.message.bytes", "100"), ("compression.type", "gzip")]);
    broker.topic("s", 1, &[("segment.bytes", "1048576")]);
    broker.topic("i", 1, &[("min.insync.replicas", "2")]);
    let mut client = broker.client().await;
    // It would fit as it would be stored, but not as it comes.
    let response = produce(&mut client, "m", build(&[(1, None, &"v".repeat(100))], Compression::None)).await;
    assert_eq!((refusal(&response), response.log_start_offset), ((10, vec![], None), -1));
    let batch = |bytes: usize| build(&[(1, None, &"v".repeat(bytes - 72))], Compression::None);
    assert_eq!(batch(1 << 20).len(), 1 << 20);
    assert_eq!(produce(&mut client, "s", batch(1 << 20)).await.error_code, 0);
    let response = produce(&mut client, "s", batch((1 << 20) + 1)).await;
    assert_eq!((refusal(&response), response.log_start_offset), ((18, vec![], None), -1));
    // There are never fewer replicas in sync than there are replicas.
    assert_eq!(produce(&mut client, "i", batch(100)).await.error_code, 0);
    broker.stop().await;
}

#[tokio::test]
async fn a_fetch_where_records_were_compacted_away_gets_the_next() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0")]);
    let mut client = broker.client().await;
    for key in ["a", "b", "a", "b", "c"] {
        assert_eq!(produce(&mut client, "t", build(&[(1, Some(key), key)], Compression::None)).await.error_code, 0);
    }
    topic.partitions[0].roll().unwrap();
    assert_eq!(broker.storage.clean(), 1);
    let mut first = Vec::new();
    for offset in 0..5 {
        let partition = FetchPartition::default().with_fetch_offset(offset).with_partition_max_bytes(1);
        let asked = FetchTopic::default()
            .with_topic(TopicName(StrBytes::from_static_str("t")))
            .with_partitions(vec![partition]);
        let request = FetchRequest::default().with_min_bytes(1).with_max_bytes(1 << 20).with_topics(vec![asked]);
        let response = client.call(request.with_session_epoch(-1), 12).await;
        let data = &response.responses[0].partitions[0];
        assert_eq!((data.error_code, data.high_watermark, data.log_start_offset), (0, 5, 0));
        let batch = split_batches(data.records.clone().unwrap()).next().unwrap().unwrap();
        first.push(batch.header.base_offset.0);
    }
    assert_eq!(first, [2, 2, 2, 3, 4]);
    broker.stop().await;
}
