//! Readers that no client started, as tools see them: groups with positions, which nobody else may use.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use brooklet_broker::{OBSERVED_GROUP_PREFIX, ObserveGroups, ObservedGroup};
use bytes::{Buf, Bytes};
use common::{Client, TestBroker};
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, StrBytes};

const INVALID_GROUP_ID: i16 = 24;

fn id() -> GroupId {
    GroupId(StrBytes::from_string(format!("{OBSERVED_GROUP_PREFIX}counts")))
}

fn topic() -> TopicName {
    TopicName(StrBytes::from_static_str("logs"))
}

struct One;

impl ObserveGroups for One {
    fn ids(&self) -> Vec<String> {
        vec![id().to_string()]
    }

    fn group(&self, wanted: &str) -> Option<ObservedGroup> {
        let positions = [("logs", vec![(0, 7), (1, 0)]), ("metrics", vec![(0, 3)])];
        let positions = positions.into_iter().map(|(topic, positions)| (topic.to_owned(), positions)).collect();
        let group = ObservedGroup { id: id().to_string(), positions, user_data: Bytes::from_static(b"{}") };
        (group.id == wanted).then_some(group)
    }
}

async fn observing() -> (TestBroker, Client) {
    let broker = TestBroker::observing(Box::new(One)).await;
    broker.topic("logs", 3, &[]);
    let client = broker.client().await;
    (broker, client)
}

#[tokio::test]
async fn they_are_listed_and_described_as_consumers() {
    let (_broker, mut client) = observing().await;
    let listed = client.call(ListGroupsRequest::default(), 5).await;
    let group = &listed.groups[0];
    assert_eq!((group.group_id.clone(), group.protocol_type.as_str()), (id(), "consumer"));
    let empty = ListGroupsRequest::default().with_states_filter(vec![StrBytes::from_static_str("Empty")]);
    assert!(client.call(empty, 5).await.groups.is_empty());

    for version in [0, 6] {
        let asked = DescribeGroupsRequest::default().with_groups(vec![id()]);
        let described = client.call(asked, version).await;
        let member = &described.groups[0].members[0];
        let mut metadata = member.member_metadata.clone();
        assert_eq!(metadata.get_i16(), 0);
        let subscription = ConsumerProtocolSubscription::decode(&mut metadata, 0).unwrap();
        assert_eq!(
            (subscription.topics, subscription.user_data.unwrap()),
            (vec![topic().0, StrBytes::from_static_str("metrics")], Bytes::from_static(b"{}"))
        );
        let mut assignment = member.member_assignment.clone();
        assert_eq!(assignment.get_i16(), 0);
        let assignment = ConsumerProtocolAssignment::decode(&mut assignment, 0).unwrap();
        let assigned = assignment.assigned_partitions.iter().map(|it| (it.topic.as_str(), it.partitions.as_slice()));
        assert_eq!(assigned.collect::<Vec<_>>(), [("logs", &[0, 1][..]), ("metrics", &[0])]);
    }
}

#[tokio::test]
async fn their_positions_are_fetched_as_committed_offsets() {
    let (_broker, mut client) = observing().await;
    let all = OffsetFetchRequestGroup::default().with_group_id(id()).with_topics(None);
    let all = client.call(OffsetFetchRequest::default().with_groups(vec![all]), 8).await;
    let offsets = all.groups[0].topics[0].partitions.iter().map(|it| (it.partition_index, it.committed_offset));
    assert_eq!(offsets.collect::<Vec<_>>(), [(0, 7), (1, 0)]);
    let other = &all.groups[0].topics[1];
    assert_eq!((other.name.as_str(), other.partitions[0].committed_offset), ("metrics", 3));

    let asked = OffsetFetchRequestTopics::default().with_name(topic()).with_partition_indexes(vec![0, 2]);
    let some = OffsetFetchRequestGroup::default().with_group_id(id()).with_topics(Some(vec![asked]));
    let some = client.call(OffsetFetchRequest::default().with_groups(vec![some]), 8).await;
    let offsets: Vec<_> = some.groups[0].topics[0].partitions.iter().map(|it| it.committed_offset).collect();
    assert_eq!(offsets, [7, -1]);

    let asked = OffsetFetchRequestTopic::default().with_name(topic()).with_partition_indexes(vec![0]);
    let old = OffsetFetchRequest::default().with_group_id(id()).with_topics(Some(vec![asked]));
    assert_eq!(client.call(old, 1).await.topics[0].partitions[0].committed_offset, 7);
}

#[tokio::test]
async fn nobody_joins_them_or_commits_for_them() {
    let (_broker, mut client) = observing().await;
    let join = JoinGroupRequest::default()
        .with_group_id(id())
        .with_session_timeout_ms(10_000)
        .with_protocol_type(StrBytes::from_static_str("consumer"));
    assert_eq!(client.call(join, 3).await.error_code, INVALID_GROUP_ID);
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(9);
    let commit = OffsetCommitRequestTopic::default().with_name(topic()).with_partitions(vec![partition]);
    let commit = OffsetCommitRequest::default()
        .with_group_id(id())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![commit]);
    assert_eq!(client.call(commit, 7).await.topics[0].partitions[0].error_code, INVALID_GROUP_ID);
}
