//! The group APIs in every version, byte for byte on the wire.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use bytes::Bytes;
use common::{Client, TestBroker};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;

const NOT_FOUND_TOPIC: i16 = 3;
const METADATA_TOO_LARGE: i16 = 12;
const ILLEGAL_GENERATION: i16 = 22;
const INCONSISTENT_PROTOCOL: i16 = 23;
const INVALID_GROUP_ID: i16 = 24;
const UNKNOWN_MEMBER: i16 = 25;
const INVALID_SESSION_TIMEOUT: i16 = 26;
const REBALANCE_IN_PROGRESS: i16 = 27;
const INVALID_REQUEST: i16 = 42;
const GROUP_NOT_FOUND: i16 = 69;
const MEMBER_ID_REQUIRED: i16 = 79;
const FENCED_INSTANCE: i16 = 82;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(id: &str) -> GroupId {
    GroupId(text(id))
}

fn topic(name: &str) -> TopicName {
    TopicName(text(name))
}

async fn started() -> (TestBroker, Client) {
    let broker = TestBroker::start().await;
    broker.topic("t", 2, &[]);
    let client = broker.client().await;
    (broker, client)
}

fn join(id: &str, member: &StrBytes) -> JoinGroupRequest {
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(Bytes::from_static(b"sub"));
    JoinGroupRequest::default()
        .with_group_id(group(id))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_member_id(member.clone())
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

/// Joins as clients of that version do.
async fn joined(client: &mut Client, id: &str, version: i16) -> JoinGroupResponse {
    let first = client.call(join(id, &StrBytes::default()), version).await;
    if version < 4 {
        return first;
    }
    assert_eq!(first.error_code, MEMBER_ID_REQUIRED);
    assert_eq!((first.generation_id, first.members.len()), (-1, 0));
    client.call(join(id, &first.member_id), version).await
}

fn sync(id: &str, member: &StrBytes, generation: i32) -> SyncGroupRequest {
    let part = SyncGroupRequestAssignment::default().with_member_id(member.clone()).with_assignment("part".into());
    SyncGroupRequest::default()
        .with_group_id(group(id))
        .with_generation_id(generation)
        .with_member_id(member.clone())
        .with_protocol_type(Some(text("consumer")))
        .with_protocol_name(Some(text("range")))
        .with_assignments(vec![part])
}

fn heartbeat(id: &str, member: &StrBytes, generation: i32) -> HeartbeatRequest {
    HeartbeatRequest::default().with_group_id(group(id)).with_member_id(member.clone()).with_generation_id(generation)
}

/// A stable group of one member: its id.
async fn stable(client: &mut Client, id: &str) -> StrBytes {
    let member = joined(client, id, 9).await.member_id;
    assert_eq!(client.call(sync(id, &member, 1), 5).await.error_code, 0);
    member
}

#[tokio::test]
async fn a_member_joins_and_syncs_and_leaves_in_every_version() {
    let (_broker, mut client) = started().await;
    for version in 0..=9 {
        let id = format!("g{version}");
        let response = joined(&mut client, &id, version).await;
        let member = response.member_id.clone();
        assert_eq!((response.error_code, response.generation_id), (0, 1), "version {version}");
        assert_eq!((&response.leader, response.skip_assignment), (&member, false));
        assert!(member.starts_with("test-"));
        assert_eq!(response.protocol_name, Some(text("range")));
        assert_eq!(response.protocol_type, (version >= 7).then(|| text("consumer")));
        let [only] = <[_; 1]>::try_from(response.members).unwrap();
        assert_eq!((&only.member_id, &*only.metadata), (&member, &b"sub"[..]));

        let older = version.min(5);
        let synced = client.call(sync(&id, &member, 1), older).await;
        assert_eq!((synced.error_code, &*synced.assignment), (0, &b"part"[..]));
        assert_eq!(synced.protocol_name, (older >= 5).then(|| text("range")));
        let older = version.min(4);
        assert_eq!(client.call(heartbeat(&id, &member, 1), older).await.error_code, 0);

        let older = version.min(5);
        let mut leave = LeaveGroupRequest::default().with_group_id(group(&id));
        if older < 3 {
            leave.member_id = member.clone();
        } else {
            leave.members = [&member, &text("x")].map(|id| MemberIdentity::default().with_member_id(id.clone())).into();
        }
        let left = client.call(leave, older).await;
        assert_eq!(left.error_code, 0);
        let codes: Vec<i16> = left.members.iter().map(|member| member.error_code).collect();
        assert_eq!(codes, if older < 3 { vec![] } else { vec![0, UNKNOWN_MEMBER] });
    }
}

#[tokio::test]
async fn what_is_wrong_gets_its_code_in_every_version() {
    let (_broker, mut client) = started().await;
    let member = stable(&mut client, "g").await;
    let nobody = StrBytes::default();
    for version in 0..=9 {
        for (request, code) in [
            (join("", &nobody), INVALID_GROUP_ID),
            (join("g", &text("x")), UNKNOWN_MEMBER),
            (join("h", &text("x")), UNKNOWN_MEMBER),
            (join("g", &nobody).with_session_timeout_ms(10), INVALID_SESSION_TIMEOUT),
            (join("g", &nobody).with_protocol_type(text("connect")), INCONSISTENT_PROTOCOL),
        ] {
            let asked = request.member_id.clone();
            let response = client.call(request, version).await;
            assert_eq!((response.error_code, response.generation_id), (code, -1), "version {version}");
            assert_eq!(response.member_id, asked);
        }
    }
    for version in 0..=5 {
        for (request, code) in [
            (sync("", &member, 1), INVALID_GROUP_ID),
            (sync("h", &member, 1), UNKNOWN_MEMBER),
            (sync("g", &text("x"), 1), UNKNOWN_MEMBER),
            (sync("g", &member, 7), ILLEGAL_GENERATION),
        ] {
            assert_eq!(client.call(request, version).await.error_code, code);
        }
    }
    let nameless = sync("g", &member, 1).with_protocol_name(None);
    assert_eq!(client.call(nameless, 5).await.error_code, INCONSISTENT_PROTOCOL);
    for version in 0..=4 {
        for (request, code) in [
            (heartbeat("", &member, 1), INVALID_GROUP_ID),
            (heartbeat("h", &member, 1), UNKNOWN_MEMBER),
            (heartbeat("g", &text("x"), 1), UNKNOWN_MEMBER),
            (heartbeat("g", &member, 7), ILLEGAL_GENERATION),
        ] {
            assert_eq!(client.call(request, version).await.error_code, code);
        }
    }
    for version in 0..=2 {
        let leave = LeaveGroupRequest::default().with_group_id(group("g")).with_member_id(text("x"));
        assert_eq!(client.call(leave, version).await.error_code, UNKNOWN_MEMBER);
    }
}

#[tokio::test]
async fn a_second_member_is_heard_of_and_waited_for() {
    let (broker, mut client) = started().await;
    let first = stable(&mut client, "g").await;
    let mut other = broker.client().await;
    let second = other.call(join("g", &StrBytes::default()), 9).await.member_id;
    other.send(&join("g", &second), 9).await;
    // The join travels on a connection of its own: the group hears of it sooner or later.
    while client.call(heartbeat("g", &first, 1), 4).await.error_code != REBALANCE_IN_PROGRESS {}
    assert_eq!(client.call(sync("g", &first, 1), 5).await.error_code, REBALANCE_IN_PROGRESS);
    let again = client.call(join("g", &first), 9).await;
    assert_eq!((again.generation_id, &again.leader, again.members.len()), (2, &first, 2));
    let joined = other.receive::<JoinGroupRequest>(9).await.unwrap();
    assert_eq!((joined.generation_id, &joined.leader, joined.members.len()), (2, &first, 0));
    other.send(&sync("g", &second, 2), 5).await;
    assert_eq!(client.call(sync("g", &first, 2), 5).await.error_code, 0);
    // The leader gave it nothing.
    let synced = other.receive::<SyncGroupRequest>(5).await.unwrap();
    assert_eq!((synced.error_code, synced.assignment.len()), (0, 0));
}

#[tokio::test]
async fn a_connection_that_closes_with_its_join_parked_leaves_the_group_usable() {
    let (broker, mut client) = started().await;
    let first = stable(&mut client, "g").await;
    let mut other = broker.client().await;
    let second = other.call(join("g", &StrBytes::default()), 9).await.member_id;
    other.send(&join("g", &second), 9).await;
    while client.call(heartbeat("g", &first, 1), 4).await.error_code != REBALANCE_IN_PROGRESS {}
    drop(other);
    let again = client.call(join("g", &first), 9).await;
    assert_eq!((again.error_code, again.generation_id), (0, 2));
    // Its member comes back on another connection, and is still one.
    let mut other = broker.client().await;
    let back = other.call(join("g", &second), 9).await;
    assert_eq!((back.error_code, back.generation_id), (0, 2));
}

#[tokio::test]
async fn a_static_member_is_replaced_in_the_versions_that_know_it() {
    let (_broker, mut client) = started().await;
    for version in 5..=9 {
        let id = format!("g{version}");
        let fresh = || join(&id, &StrBytes::default()).with_group_instance_id(Some(text("i")));
        let old = client.call(fresh(), version).await;
        assert_eq!((old.error_code, old.members.len()), (0, 1));
        assert_eq!(old.members[0].group_instance_id, Some(text("i")));
        let request = sync(&id, &old.member_id, 1).with_group_instance_id(Some(text("i")));
        assert_eq!(client.call(request, 5).await.error_code, 0);
        let new = client.call(fresh(), version).await;
        assert_eq!((new.error_code, new.generation_id), (0, 1));
        let knows = version >= 9;
        assert_eq!((new.skip_assignment, new.members.len()), (knows, usize::from(knows)));
        assert_eq!(new.leader, if knows { new.member_id.clone() } else { old.member_id.clone() });
        let stale = heartbeat(&id, &old.member_id, 1).with_group_instance_id(Some(text("i")));
        assert_eq!(client.call(stale, 4).await.error_code, FENCED_INSTANCE);
        let by_instance = MemberIdentity::default().with_group_instance_id(Some(text("i")));
        let leave = LeaveGroupRequest::default().with_group_id(group(&id)).with_members(vec![by_instance]);
        assert_eq!(client.call(leave, 5).await.members[0].error_code, 0);
    }
}

fn commit(id: &str, partitions: &[(&str, i32, i64, &str)]) -> OffsetCommitRequest {
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    for (name, partition, offset, metadata) in partitions {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(*partition)
            .with_committed_offset(*offset)
            .with_committed_leader_epoch(0)
            .with_committed_metadata(Some(text(metadata)));
        match topics.last_mut() {
            Some(last) if last.name == topic(name) => last.partitions.push(partition),
            _ => {
                topics.push(OffsetCommitRequestTopic::default().with_name(topic(name)).with_partitions(vec![partition]))
            }
        }
    }
    OffsetCommitRequest::default().with_group_id(group(id)).with_topics(topics)
}

/// Offset, leader epoch and metadata for partitions 0 and 1 of `t`, or for all that there is.
async fn fetched(client: &mut Client, id: &str, version: i16, all: bool) -> Vec<(i32, i64, i32, String)> {
    let request = if version >= 8 {
        let topics = vec![OffsetFetchRequestTopics::default().with_name(topic("t")).with_partition_indexes(vec![0, 1])];
        let asked = OffsetFetchRequestGroup::default()
            .with_group_id(group(id))
            .with_member_epoch(-1)
            .with_topics((!all).then_some(topics));
        OffsetFetchRequest::default().with_groups(vec![asked])
    } else {
        let topics = vec![OffsetFetchRequestTopic::default().with_name(topic("t")).with_partition_indexes(vec![0, 1])];
        OffsetFetchRequest::default().with_group_id(group(id)).with_topics((!all).then_some(topics))
    };
    let response = client.call(request, version).await;
    assert_eq!(response.error_code, 0);
    let told = |index, offset, epoch, metadata: Option<StrBytes>| (index, offset, epoch, metadata.unwrap().to_string());
    if version >= 8 {
        let [group] = <[_; 1]>::try_from(response.groups).unwrap();
        assert_eq!(group.error_code, 0);
        let partitions = group.topics.into_iter().flat_map(|topic| topic.partitions);
        return partitions
            .map(|it| told(it.partition_index, it.committed_offset, it.committed_leader_epoch, it.metadata))
            .collect();
    }
    let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
    partitions.map(|it| told(it.partition_index, it.committed_offset, it.committed_leader_epoch, it.metadata)).collect()
}

#[tokio::test]
async fn offsets_are_committed_and_fetched_in_every_version() {
    let (_broker, mut client) = started().await;
    for version in 2..=9 {
        let id = format!("g{version}");
        let long = "x".repeat(4097);
        let request = commit(&id, &[("t", 0, 5, "m"), ("t", 9, 1, ""), ("t", 1, 1, &long), ("unknown", 0, 1, "")]);
        let response = client.call(request, version).await;
        let mut codes: Vec<(TopicName, i32, i16)> = Vec::new();
        for topic in response.topics {
            let told = topic.partitions.iter().map(|told| (topic.name.clone(), told.partition_index, told.error_code));
            codes.extend(told);
        }
        codes.sort();
        let t = |partition, code| (topic("t"), partition, code);
        let expected =
            [t(0, 0), t(1, METADATA_TOO_LARGE), t(9, NOT_FOUND_TOPIC), (topic("unknown"), 0, NOT_FOUND_TOPIC)];
        assert_eq!(codes, expected, "version {version}");
        let epoch = if version >= 6 { 0 } else { -1 };
        for version in 1..=9 {
            let epoch = if version >= 5 { epoch } else { -1 };
            let nothing = (1, -1, -1, String::new());
            let found = fetched(&mut client, &id, version, false).await;
            assert_eq!(found, [(0, 5, epoch, "m".to_owned()), nothing], "fetched in version {version}");
            if version >= 2 {
                assert_eq!(fetched(&mut client, &id, version, true).await, [(0, 5, epoch, "m".to_owned())]);
            }
        }
    }
}

#[tokio::test]
async fn a_commit_of_nobody_is_refused_while_there_are_members() {
    let (_broker, mut client) = started().await;
    let member = stable(&mut client, "g").await;
    for version in 2..=9 {
        let code = |response: OffsetCommitResponse| response.topics[0].partitions[0].error_code;
        let mine = || commit("g", &[("t", 0, 5, "")]).with_member_id(member.clone());
        let nobodys = commit("g", &[("t", 0, 5, "")]).with_generation_id_or_member_epoch(-1);
        assert_eq!(code(client.call(nobodys, version).await), UNKNOWN_MEMBER);
        assert_eq!(code(client.call(mine().with_generation_id_or_member_epoch(1), version).await), 0);
        assert_eq!(code(client.call(mine().with_generation_id_or_member_epoch(7), version).await), ILLEGAL_GENERATION);
        let elsewhere = mine().with_group_id(group("h")).with_generation_id_or_member_epoch(1);
        let expected = if version >= 9 { GROUP_NOT_FOUND } else { ILLEGAL_GENERATION };
        assert_eq!(code(client.call(elsewhere, version).await), expected);
    }
}

#[tokio::test]
async fn groups_are_described_and_listed_in_every_version() {
    let (_broker, mut client) = started().await;
    let member = stable(&mut client, "g").await;
    assert_eq!(client.call(commit("simple", &[("t", 0, 1, "")]), 9).await.topics[0].partitions[0].error_code, 0);
    for version in 0..=6 {
        let request = DescribeGroupsRequest::default()
            .with_groups(["g", "simple", "none", "g"].map(group).into())
            .with_include_authorized_operations(version >= 3);
        let described = client.call(request, version).await.groups;
        assert_eq!(described.len(), 3, "a group named twice is told of once");
        let [full, simple, none] =
            ["g", "simple", "none"].map(|id| described.iter().find(|it| it.group_id == group(id)).unwrap());
        assert_eq!((full.error_code, &*full.group_state, &*full.protocol_type), (0, "Stable", "consumer"));
        assert_eq!((&*full.protocol_data, full.members.len()), ("range", 1));
        let only = &full.members[0];
        assert_eq!((&only.member_id, &*only.client_id, &*only.client_host), (&member, "test", "/127.0.0.1"));
        assert_eq!((&*only.member_metadata, &*only.member_assignment), (&b"sub"[..], &b"part"[..]));
        assert_eq!((simple.error_code, &*simple.group_state, &*simple.protocol_type), (0, "Empty", ""));
        let code = if version >= 6 { GROUP_NOT_FOUND } else { 0 };
        assert_eq!((none.error_code, &*none.group_state), (code, "Dead"));
        let message = (version >= 6).then(|| text("Group none not found."));
        assert_eq!(none.error_message, message);
        let operations = if version >= 3 { 3400 } else { i32::MIN };
        assert_eq!(full.authorized_operations, operations, "version {version}");
    }
    for version in 0..=5 {
        let all = client.call(ListGroupsRequest::default(), version).await;
        let listed: Vec<&str> = all.groups.iter().map(|group| group.group_id.as_str()).collect();
        assert_eq!((all.error_code, listed), (0, vec!["g", "simple"]));
        assert_eq!(&*all.groups[0].group_state, if version >= 4 { "Stable" } else { "" });
        assert_eq!(&*all.groups[0].group_type, if version >= 5 { "classic" } else { "" });
        if version >= 4 {
            let filtered = ListGroupsRequest::default().with_states_filter(vec![text("empty")]);
            let filtered = client.call(filtered, version).await.groups;
            assert_eq!((filtered.len(), filtered[0].group_id.as_str()), (1, "simple"));
        }
        if version >= 5 {
            let filtered = ListGroupsRequest::default().with_types_filter(vec![text("consumer")]);
            assert!(client.call(filtered, version).await.groups.is_empty());
        }
    }
}

#[tokio::test]
async fn the_coordinator_is_this_broker_in_every_version() {
    let (broker, mut client) = started().await;
    let port = i32::from(broker.addr.port());
    for version in 0..=6 {
        for (key_type, key, known) in
            [(0, "g", true), (1, "t", version >= 1), (2, "g:AAAAAAAAAAAAAAAAAAAAAA:0", version >= 6), (2, "g", false)]
        {
            if version < 1 && key_type != 0 {
                continue;
            }
            let request = FindCoordinatorRequest::default().with_key_type(key_type);
            let code = if known { 0 } else { INVALID_REQUEST };
            if version < 4 {
                let found = client.call(request.with_key(text(key)), version).await;
                assert_eq!((found.error_code, found.port), (code, if known { port } else { -1 }));
            } else {
                let found = client.call(request.with_coordinator_keys(vec![text(key); 2]), version).await;
                assert_eq!(found.coordinators.len(), 2);
                for found in found.coordinators {
                    assert_eq!((&*found.key, found.error_code), (key, code), "version {version}");
                    assert_eq!(found.port, if known { port } else { -1 });
                }
            }
        }
    }
}
