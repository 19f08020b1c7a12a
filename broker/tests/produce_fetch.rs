//! Produce and Fetch as a client sees them, version by version.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use brooklet_model::{BatchBuilder, Compression, NewRecord, ProducerEpoch, ProducerId, split_batches};
use bytes::Bytes;
use common::{Client, TestBroker, batch};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{ApiVersionsRequest, FetchRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

fn produce(id: Uuid, version: i16, acks: i16, records: Bytes) -> ProduceRequest {
    let partition = PartitionProduceData::default().with_records(Some(records));
    let topic = TopicProduceData::default().with_partition_data(vec![partition]);
    let topic = match version {
        13.. => topic.with_topic_id(id),
        _ => topic.with_name(TopicName(StrBytes::from_static_str("t"))),
    };
    ProduceRequest::default().with_acks(acks).with_timeout_ms(1000).with_topic_data(vec![topic])
}

async fn append(client: &mut Client, id: Uuid, version: i16, records: Bytes) -> PartitionProduceResponse {
    let response = client.call(produce(id, version, -1, records), version).await;
    response.responses[0].partition_responses[0].clone()
}

fn fetch(id: Uuid, version: i16, offset: i64, max_wait_ms: i32) -> FetchRequest {
    let partition = FetchPartition::default().with_fetch_offset(offset).with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_partitions(vec![partition]);
    let topic = match version {
        13.. => topic.with_topic_id(id),
        _ => topic.with_topic(TopicName(StrBytes::from_static_str("t"))),
    };
    let request = FetchRequest::default().with_min_bytes(1).with_max_bytes(1 << 20).with_max_wait_ms(max_wait_ms);
    request.with_session_epoch(-1).with_topics(vec![topic])
}

async fn read(client: &mut Client, id: Uuid, version: i16, offset: i64) -> PartitionData {
    let response = client.call(fetch(id, version, offset, 0), version).await;
    response.responses[0].partitions[0].clone()
}

fn values(data: &PartitionData) -> Vec<String> {
    let mut values = Vec::new();
    for batch in split_batches(data.records.clone().unwrap()) {
        let batch = batch.unwrap();
        let mut scratch = Vec::new();
        for record in batch.records(&mut scratch, 1 << 20).unwrap() {
            values.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
        }
    }
    values
}

#[tokio::test]
async fn every_version_appends_and_every_version_reads() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    for (count, version) in (3..=13).enumerate() {
        let appended = append(&mut client, topic.id, version, batch(&[&format!("v{version}")])).await;
        assert_eq!((appended.error_code, appended.base_offset), (0, count as i64), "version {version}");
        assert_eq!(appended.log_start_offset, if version >= 5 { 0 } else { -1 });
    }
    for version in 4..=18 {
        let data = read(&mut client, topic.id, version, 9).await;
        assert_eq!((data.error_code, data.high_watermark), (0, 11), "version {version}");
        assert_eq!(values(&data), ["v12", "v13"]);
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_fetch_inside_a_batch_gets_the_whole_batch_even_above_the_limit() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    append(&mut client, topic.id, 9, batch(&["a", "b", "c"])).await;
    append(&mut client, topic.id, 9, batch(&["d"])).await;
    let mut request = fetch(topic.id, 12, 1, 0).with_max_bytes(1);
    request.topics[0].partitions[0].partition_max_bytes = 1;
    let response = client.call(request, 12).await;
    assert_eq!(values(&response.responses[0].partitions[0]), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_parked_fetch_is_woken_by_an_append_and_by_shutdown() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[]);
    let (mut reader, mut writer) = (broker.client().await, broker.client().await);
    reader.send(&fetch(topic.id, 12, 0, i32::MAX), 12).await;
    append(&mut writer, topic.id, 9, batch(&["late"])).await;
    let response = reader.receive::<FetchRequest>(12).await.unwrap();
    assert_eq!(values(&response.responses[0].partitions[0]), ["late"]);
    reader.send(&fetch(topic.id, 12, 1, i32::MAX), 12).await;
    // The answer to this one shows that the broker has read what was sent before on the other connection or will
    // find it in its socket: either way stop() must answer it or close it, and return.
    writer.call(ApiVersionsRequest::default(), 0).await;
    broker.stop().await;
}

/// Whether the fetch was parked by then or came after: the topic is not there, and nothing is wrong with the disk.
#[tokio::test]
async fn a_fetch_is_told_that_its_topic_was_deleted_while_it_waited() {
    let broker = TestBroker::start().await;
    let (mut reader, mut other) = (broker.client().await, broker.client().await);
    for round in 0..20 {
        let topic = broker.topic("t", 1, &[]);
        reader.send(&fetch(topic.id, 12, 0, i32::MAX), 12).await;
        other.call(ApiVersionsRequest::default(), 0).await;
        broker.storage.delete_topic("t").unwrap();
        let response = reader.receive::<FetchRequest>(12).await.unwrap();
        assert_eq!(response.responses[0].partitions[0].error_code, 3, "round {round}");
    }
}

#[tokio::test]
async fn what_cannot_be_stored_gets_kafkas_code_and_nothing_is_stored() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[("max.message.bytes", "200")]);
    let mut client = broker.client().await;
    let change = |at: usize, to: u8| {
        let mut bytes = batch(&["x"]).to_vec();
        bytes[at] = to;
        Bytes::from(bytes)
    };
    let two: Bytes = [batch(&["x"]), batch(&["y"])].concat().into();
    let half = batch(&["x"]).slice(..65);
    let of_producer = |id: ProducerId, epoch: i16, sequence: i32| {
        let mut builder = BatchBuilder::new().producer(id, ProducerEpoch(epoch), sequence);
        builder.push(NewRecord { value: Some(b"s"), ..NewRecord::default() });
        builder.finish(Compression::None).unwrap()
    };
    let sequence = |epoch, sequence| of_producer(ProducerId(7), epoch, sequence);
    let miscounted = {
        let mut bytes = batch(&["x", "y"]).to_vec();
        bytes[60] = 3;
        bytes[26] = 2;
        let crc = crc32c::crc32c(&bytes[21..]).to_be_bytes();
        bytes[17..21].copy_from_slice(&crc);
        Bytes::from(bytes)
    };
    let refused = [
        ("checksum", change(65, 0xee), ResponseError::CorruptMessage),
        ("magic", change(16, 1), ResponseError::InvalidRecord),
        ("less than a batch", half, ResponseError::InvalidRecord),
        ("nothing", Bytes::new(), ResponseError::InvalidRecord),
        ("two batches", two, ResponseError::InvalidRecord),
        ("count", miscounted, ResponseError::InvalidRecord),
        ("a query's id", of_producer(ProducerId::QUERIES, 0, 0), ResponseError::InvalidProducerIdMapping),
        ("too large", batch(&["x".repeat(200).as_str()]), ResponseError::MessageTooLarge),
    ];
    for (what, records, code) in refused {
        let response = append(&mut client, topic.id, 9, records).await;
        assert_eq!((response.error_code, response.base_offset), (code.code(), -1), "{what}");
    }
    assert_eq!(append(&mut client, topic.id, 9, sequence(1, 0)).await.error_code, 0);
    let gap = append(&mut client, topic.id, 9, sequence(1, 5)).await;
    assert_eq!(gap.error_code, ResponseError::OutOfOrderSequenceNumber.code());
    let fenced = append(&mut client, topic.id, 9, sequence(0, 0)).await;
    assert_eq!(fenced.error_code, ResponseError::InvalidProducerEpoch.code());
    let again = append(&mut client, topic.id, 9, sequence(1, 0)).await;
    assert_eq!((again.error_code, again.base_offset), (0, 0), "a repeated batch is answered as the first time");
    assert_eq!(values(&read(&mut client, topic.id, 12, 0).await), ["s"]);
}

#[tokio::test]
async fn acks_0_gets_no_answer_and_a_failure_closes() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    client.send(&produce(topic.id, 9, 0, batch(&["x"])), 9).await;
    // The next answer is that of the next request.
    client.call(ApiVersionsRequest::default(), 0).await;
    assert_eq!(values(&read(&mut client, topic.id, 12, 0).await), ["x"]);
    let bad = append_with_acks(&mut client, topic.id, 3).await;
    assert_eq!(bad.error_code, ResponseError::InvalidRequiredAcks.code());
    client.send(&produce(topic.id, 9, 0, Bytes::new()), 9).await;
    assert!(client.receive_raw().await.is_none());
}

async fn append_with_acks(client: &mut Client, id: Uuid, acks: i16) -> PartitionProduceResponse {
    client.call(produce(id, 9, acks, batch(&["x"])), 9).await.responses[0].partition_responses[0].clone()
}

#[tokio::test]
async fn reads_that_cannot_be_answered_get_kafkas_code() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    append(&mut client, topic.id, 9, batch(&["x"])).await;
    for offset in [-1, 2] {
        let data = read(&mut client, topic.id, 12, offset).await;
        assert_eq!(data.error_code, ResponseError::OffsetOutOfRange.code());
        assert_eq!((data.high_watermark, data.log_start_offset), (-1, -1));
    }
    let unknown = read(&mut client, Uuid::from_u128(1), 13, 0).await;
    assert_eq!(unknown.error_code, ResponseError::UnknownTopicId.code());
    for (epoch, code) in [(-1, 0), (0, 0), (1, ResponseError::UnknownLeaderEpoch.code())] {
        let mut request = fetch(topic.id, 12, 0, 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        assert_eq!(client.call(request, 12).await.responses[0].partitions[0].error_code, code);
    }
}
