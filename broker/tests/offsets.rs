//! Offsets by time, at the ends of the log, and by leader epoch.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord};
use common::{Client, TestBroker};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use kafka_protocol::messages::offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, OffsetForLeaderEpochRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

const T0: i64 = 1_700_000_000_000;

fn name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// Three batches whose times do not rise.
async fn started() -> (TestBroker, Client) {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[]);
    for times in [&[0, 100, 50][..], &[200, 150], &[120]] {
        let mut builder = BatchBuilder::new();
        for time in times {
            builder.push(NewRecord { timestamp: T0 + time, value: Some(b"v"), ..NewRecord::default() });
        }
        topic.partitions[0].append(Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()).unwrap();
    }
    let client = broker.client().await;
    (broker, client)
}

fn at(partition: i32, timestamp: i64) -> ListOffsetsPartition {
    ListOffsetsPartition::default()
        .with_partition_index(partition)
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp)
}

fn request(topic: &str, partitions: Vec<ListOffsetsPartition>) -> ListOffsetsRequest {
    let topic = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(partitions);
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic])
}

async fn ask(client: &mut Client, request: ListOffsetsRequest, version: i16) -> ListOffsetsPartitionResponse {
    let [topic] = client.call(request, version).await.topics.try_into().unwrap();
    let [partition] = topic.partitions.try_into().unwrap();
    partition
}

/// Code, offset, time after T0 (-1 for none).
fn told(response: &ListOffsetsPartitionResponse) -> (i16, i64, i64) {
    let time = if response.timestamp < 0 { response.timestamp } else { response.timestamp - T0 };
    (response.error_code, response.offset, time)
}

#[tokio::test]
async fn offsets_are_told_in_every_version() {
    let (_broker, mut client) = started().await;
    for version in 1..=10 {
        let since = |min: i16, found: (i16, i64, i64)| if version >= min { found } else { (35, -1, -1) };
        for (timestamp, expected) in [
            (-1, (0, 6, -1)),
            (-2, (0, 0, -1)),
            (-3, since(7, (0, 3, 200))),
            (-4, since(8, (0, 0, -1))),
            (-5, since(9, (0, -1, -1))),
            (-6, (35, -1, -1)),
            (0, (0, 0, 0)),
            (T0, (0, 0, 0)),
            (T0 + 60, (0, 1, 100)),
            (T0 + 101, (0, 3, 200)),
            (T0 + 160, (0, 3, 200)),
            (T0 + 201, (0, -1, -1)),
        ] {
            let found = ask(&mut client, request("t", vec![at(0, timestamp)]), version).await;
            assert_eq!(told(&found), expected, "version {version}, timestamp {timestamp}");
            let epoch = if version >= 4 && expected.0 == 0 && expected.1 >= 0 { 0 } else { -1 };
            assert_eq!(found.leader_epoch, epoch, "version {version}, timestamp {timestamp}");
        }
    }
}

#[tokio::test]
async fn an_empty_log_has_no_times() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    for (timestamp, offset) in [(-1, 0), (-2, 0), (-3, -1), (0, -1)] {
        let found = ask(&mut client, request("t", vec![at(0, timestamp)]), 10).await;
        assert_eq!(told(&found), (0, offset, -1), "{timestamp}");
    }
}

#[tokio::test]
async fn an_epoch_that_is_not_the_leaders_is_told() {
    let (_broker, mut client) = started().await;
    for (epoch, code) in [(-1, 0), (0, 0), (1, 75), (-2, 74)] {
        let partition = at(0, -1).with_current_leader_epoch(epoch);
        assert_eq!(ask(&mut client, request("t", vec![partition]), 5).await.error_code, code, "{epoch}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_asked_twice_is_told() {
    let (_broker, mut client) = started().await;
    for (topic, partition) in [("t", 7), ("t", -1), ("none", 0), ("a b", 0)] {
        let found = ask(&mut client, request(topic, vec![at(partition, -1)]), 7).await;
        assert_eq!((told(&found), found.partition_index), ((3, -1, -1), partition));
    }
    assert_eq!(told(&ask(&mut client, request("t", vec![at(0, -1), at(0, -2)]), 7).await), (42, -1, -1));
}

#[tokio::test]
async fn an_isolation_level_sees_what_is_stable() {
    let (_broker, mut client) = started().await;
    for (level, code) in [(0, 0), (1, 0), (9, -1)] {
        let request = request("t", vec![at(0, -1)]).with_isolation_level(level);
        assert_eq!(ask(&mut client, request, 7).await.error_code, code);
    }
}

#[tokio::test]
async fn an_epoch_ends_where_the_log_does() {
    let (_broker, mut client) = started().await;
    for version in 2..=4 {
        for (topic, partition, current, epoch, expected) in [
            ("t", 0, -1, 0, (0, 0, 6)),
            ("t", 0, 0, 0, (0, 0, 6)),
            ("t", 0, -1, 1, (0, -1, -1)),
            ("t", 0, -1, -1, (0, -1, -1)),
            ("t", 0, 1, 0, (75, -1, -1)),
            ("t", 0, -2, 0, (74, -1, -1)),
            ("t", 9, -1, 0, (3, -1, -1)),
            ("none", 0, -1, 0, (3, -1, -1)),
        ] {
            let asked = OffsetForLeaderPartition::default()
                .with_partition(partition)
                .with_current_leader_epoch(current)
                .with_leader_epoch(epoch);
            let asked = OffsetForLeaderTopic::default().with_topic(name(topic)).with_partitions(vec![asked]);
            let request = OffsetForLeaderEpochRequest::default().with_topics(vec![asked]);
            let response = client.call(request, version).await;
            let told = &response.topics[0].partitions[0];
            assert_eq!((told.error_code, told.leader_epoch, told.end_offset), expected);
            assert_eq!((response.topics[0].topic.as_str(), told.partition), (topic, partition));
        }
    }
}
