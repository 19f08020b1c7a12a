//! Client quotas at work: who is above his is answered, and then not listened to for a while (KIP-219).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its set-up fails")]

mod common;

use std::time::Duration;

use brooklet_broker::{BrokerConfig, Limits};
use common::{Client, TestBroker, batch};
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    AlterClientQuotasRequest, FetchRequest, FetchResponse, MetadataRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;

const PRODUCE: &str = "producer_byte_rate";
const FETCH: &str = "consumer_byte_rate";
/// A little less a second than a tenth of what one [`produce`] has.
const BELOW_ONE: f64 = 108.0;
/// Bytes of the value that each batch has.
const VALUE: usize = 1000;

fn name() -> TopicName {
    TopicName(StrBytes::from_static_str("t"))
}

/// A broker with a topic, and a quota of bytes a second for the clients of these tests.
async fn with_quota(key: &'static str, bound: f64) -> TestBroker {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    set_quota(&broker, key, Some(bound)).await;
    broker
}

async fn set_quota(broker: &TestBroker, key: &'static str, bound: Option<f64>) {
    let entity = EntityData::default()
        .with_entity_type(StrBytes::from_static_str("client-id"))
        .with_entity_name(Some(StrBytes::from_static_str("test")));
    let operation = OpData::default()
        .with_key(StrBytes::from_static_str(key))
        .with_value(bound.unwrap_or_default())
        .with_remove(bound.is_none());
    let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![operation]);
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    let response = broker.client().await.call(request, 1).await;
    assert_eq!(response.entries[0].error_code, 0, "{:?}", response.entries[0].error_message);
}

fn produce(acks: i16) -> ProduceRequest {
    let data = PartitionProduceData::default().with_records(Some(batch(&["x".repeat(VALUE).as_str()])));
    let topic = TopicProduceData::default().with_name(name()).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(1000).with_topic_data(vec![topic])
}

fn fetch(session: (i32, i32), offset: Option<i64>) -> FetchRequest {
    let partition = |offset| {
        FetchPartition::default().with_fetch_offset(offset).with_partition_max_bytes(1 << 20).with_partition(0)
    };
    let topic = |offset| FetchTopic::default().with_topic(name()).with_partitions(vec![partition(offset)]);
    FetchRequest::default()
        .with_max_wait_ms(0)
        .with_max_bytes(1 << 20)
        .with_session_id(session.0)
        .with_session_epoch(session.1)
        .with_topics(offset.map(topic).into_iter().collect())
}

fn records_len(response: &FetchResponse) -> usize {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|partition| partition.records.as_ref().map_or(0, |records| records.len())).sum()
}

async fn is_answered(client: &mut Client) {
    client.call(MetadataRequest::default().with_topics(Some(Vec::new())), 9).await;
}

#[tokio::test]
async fn who_produces_too_much_is_answered_and_then_not_listened_to() {
    let broker = with_quota(PRODUCE, BELOW_ONE).await;
    let mut client = broker.client().await;
    let started = Instant::now();
    let response = client.call(produce(1), 9).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    let throttled = Duration::from_millis(response.throttle_time_ms as u64);
    assert!(!throttled.is_zero());
    // Another connection of the same client is listened to, until it produces itself.
    is_answered(&mut broker.client().await).await;
    is_answered(&mut client).await;
    assert!(started.elapsed() >= throttled);
    assert_eq!(broker.storage.log("t", 0).unwrap().log_end_offset().0, 1);
}

#[tokio::test]
async fn who_wants_no_answer_is_not_listened_to_all_the_same() {
    let told = with_quota(PRODUCE, BELOW_ONE).await.client().await.call(produce(1), 9).await.throttle_time_ms;
    let broker = with_quota(PRODUCE, BELOW_ONE).await;
    let mut client = broker.client().await;
    let started = Instant::now();
    client.send(&produce(0), 9).await;
    is_answered(&mut client).await;
    assert!(told > 0 && started.elapsed() >= Duration::from_millis(told as u64));
    assert_eq!(broker.storage.log("t", 0).unwrap().log_end_offset().0, 1);
}

#[tokio::test]
async fn a_broker_that_stops_does_not_wait_for_who_is_silent() {
    let broker = with_quota(PRODUCE, 1.0).await;
    let mut client = broker.client().await;
    // Hours.
    assert!(client.call(produce(1), 9).await.throttle_time_ms > 1_000_000);
    client.send(&MetadataRequest::default(), 9).await;
    broker.stop().await;
    assert!(client.receive_raw().await.is_none());
}

#[tokio::test]
async fn who_goes_away_while_he_is_silent_gives_his_place_back() {
    let limits = Limits { connections_max: 1, ..Limits::default() };
    let broker = TestBroker::start_with(BrokerConfig { limits, ..BrokerConfig::default() }).await;
    broker.topic("t", 1, &[]);
    set_quota(&broker, PRODUCE, Some(1.0)).await;
    let mut silent = a_place(&broker).await;
    // Hours.
    assert!(silent.call(produce(1), 9).await.throttle_time_ms > 1_000_000);
    drop(silent);
    a_place(&broker).await;
}

/// A client that the broker has room for, as soon as it has.
async fn a_place(broker: &TestBroker) -> Client {
    loop {
        let mut client = broker.client().await;
        client.send(&MetadataRequest::default().with_topics(Some(Vec::new())), 9).await;
        if client.receive_raw().await.is_some() {
            return client;
        }
    }
}

#[tokio::test]
async fn who_fetches_too_much_is_told_nothing_until_he_may_know_it() {
    let broker = with_quota(PRODUCE, 1e9).await;
    let mut client = broker.client().await;
    for _ in 0..3 {
        client.call(produce(1), 9).await;
    }
    // A session at the end of the log, which then goes back.
    let opened = client.call(fetch((0, 0), Some(3)), 11).await;
    assert_eq!((opened.throttle_time_ms, records_len(&opened)), (0, 0));
    set_quota(&broker, FETCH, Some(10.0)).await;
    let throttled = broker.client().await.call(fetch((opened.session_id, 1), Some(0)), 11).await;
    assert!(throttled.throttle_time_ms > 0);
    assert_eq!((throttled.error_code, throttled.session_id), (0, opened.session_id));
    assert!(throttled.responses.is_empty());
    set_quota(&broker, FETCH, None).await;
    let all = client.call(fetch((opened.session_id, 2), None), 11).await;
    assert_eq!(all.throttle_time_ms, 0);
    assert!(records_len(&all) > 3 * VALUE);
}

#[tokio::test]
async fn a_fetch_is_cut_to_what_the_quota_ever_allows() {
    let broker = with_quota(FETCH, 250.0).await;
    let mut client = broker.client().await;
    for _ in 0..10 {
        client.call(produce(1), 9).await;
    }
    // Ten seconds of it are two batches.
    let cut = client.call(fetch((0, -1), Some(0)), 11).await;
    assert_eq!(cut.throttle_time_ms, 0);
    assert!((2 * VALUE..3 * VALUE).contains(&records_len(&cut)), "{}", records_len(&cut));
    let throttled = client.call(fetch((0, -1), Some(2)), 11).await;
    assert!(throttled.throttle_time_ms > 0 && throttled.responses.is_empty());
}
