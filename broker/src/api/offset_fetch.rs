//! OffsetFetch: of one group, or since version 8 of several (KIP-709); since version 10 topics have ids for names.

use brooklet_coordinator::CommittedOffset;
use brooklet_coordinator::groups::GroupCoordinator;
use brooklet_model::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::OffsetFetchResponse;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::group_text::{once_each, wire};
use super::name_of;
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::shared::{Call, Shared};
use crate::topic_ids::{OffsetFetchNamesOrIds, TOPIC_IDS_SINCE};

/// The first version with several groups.
const BATCH_SINCE: i16 = 8;
/// The first version with an error for the whole response.
const TOP_LEVEL_ERROR_SINCE: i16 = 2;

/// Answers with what is committed, and with -1 for what is not.
pub(crate) async fn handle(
    shared: &Shared,
    call: &Call,
    OffsetFetchNamesOrIds(request): OffsetFetchNamesOrIds,
) -> OffsetFetchResponse {
    let stable = request.require_stable;
    if call.version >= BATCH_SINCE {
        let mut asked = request.groups;
        once_each(&mut asked, |group| &group.group_id);
        let by_id = call.version >= TOPIC_IDS_SINCE;
        for topic in asked.iter_mut().filter(|_| by_id).flat_map(|group| group.topics.iter_mut().flatten()) {
            topic.name = name_of(shared, topic.topic_id);
        }
        let failed = asked.clone();
        let found = shared
            .coordinators
            .look(move |groups| asked.into_iter().map(|group| fetch(groups, group, stable)).collect());
        let mut groups: Vec<OffsetFetchResponseGroup> = found.await.unwrap_or_else(|error| {
            let code = error::of_coordinator(&error).code();
            let refuse = |group: OffsetFetchRequestGroup| {
                OffsetFetchResponseGroup::default().with_group_id(group.group_id).with_error_code(code)
            };
            failed.into_iter().map(refuse).collect()
        });
        groups.iter_mut().for_each(|group| observe(shared, group));
        if by_id {
            groups.iter_mut().for_each(|group| put_ids(shared, group));
        }
        return OffsetFetchResponse::default().with_groups(groups);
    }
    let topics = request.topics.map(|topics| {
        let topic = |topic: kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic| {
            OffsetFetchRequestTopics::default().with_name(topic.name).with_partition_indexes(topic.partition_indexes)
        };
        topics.into_iter().map(topic).collect::<Vec<_>>()
    });
    let asked = OffsetFetchRequestGroup::default().with_group_id(request.group_id).with_topics(topics);
    let failed = asked.topics.clone().unwrap_or_default();
    match shared.coordinators.look(move |groups| fetch(groups, asked, stable)).await {
        Ok(mut group) => {
            observe(shared, &mut group);
            OffsetFetchResponse::default().with_topics(group.topics.into_iter().map(older).collect())
        }
        Err(error) => refused(call.version, &error, failed),
    }
}

/// With `stable`, an offset that may change with a transaction that is open is not told (KIP-447).
fn fetch(groups: &GroupCoordinator, asked: OffsetFetchRequestGroup, stable: bool) -> OffsetFetchResponseGroup {
    let topics = match asked.topics {
        Some(topics) => topics.into_iter().map(|topic| fetch_topic(groups, &asked.group_id, topic)).collect(),
        None => fetch_all(groups, &asked.group_id),
    };
    let topics = if stable { only_stable(groups, &asked.group_id, topics) } else { topics };
    OffsetFetchResponseGroup::default().with_group_id(asked.group_id).with_topics(topics)
}

fn only_stable(
    groups: &GroupCoordinator,
    group: &str,
    mut topics: Vec<OffsetFetchResponseTopics>,
) -> Vec<OffsetFetchResponseTopics> {
    for topic in &mut topics {
        let mut key = TopicPartition::new(topic.name.as_str(), 0);
        for found in &mut topic.partitions {
            key.partition = found.partition_index;
            if groups.is_unstable(group, &key) {
                *found = partition(key.partition, None).with_error_code(ResponseError::UnstableOffsetCommit.code());
            }
        }
    }
    topics
}

/// Names topics by their ids: those asked for, and those that were found when all were asked for and still are there.
fn put_ids(shared: &Shared, group: &mut OffsetFetchResponseGroup) {
    let unknown = ResponseError::UnknownTopicId.code();
    for topic in &mut group.topics {
        let name = std::mem::take(&mut topic.name);
        if name.is_empty() {
            topic.partitions.iter_mut().for_each(|found| found.error_code = unknown);
        } else if topic.topic_id.is_nil() {
            topic.topic_id = shared.storage.topic(&name).map_or_else(Uuid::nil, |known| known.id);
        }
    }
    let is_unknown =
        |topic: &OffsetFetchResponseTopics| topic.partitions.iter().any(|found| found.error_code == unknown);
    group.topics.retain(|topic| !topic.topic_id.is_nil() || is_unknown(topic));
    // As in Kafka, what is not known comes last.
    group.topics.sort_by_key(is_unknown);
}

/// Puts in where a reader is that no client started.
fn observe(shared: &Shared, group: &mut OffsetFetchResponseGroup) {
    let Some(observed) = shared.observed_group(&group.group_id) else { return };
    if group.topics.is_empty() {
        let topic = |(name, positions): (&String, &Vec<(i32, i64)>)| {
            let partitions = positions.iter().map(|(index, _)| partition(*index, None)).collect();
            OffsetFetchResponseTopics::default().with_name(wire(name).into()).with_partitions(partitions)
        };
        group.topics = observed.positions.iter().map(topic).collect();
    }
    for topic in &mut group.topics {
        for partition in &mut topic.partitions {
            partition.committed_offset = observed.position(&topic.name, partition.partition_index).unwrap_or(-1);
        }
    }
}

fn fetch_topic(groups: &GroupCoordinator, group: &str, asked: OffsetFetchRequestTopics) -> OffsetFetchResponseTopics {
    let mut key = TopicPartition::new(asked.name.as_str(), 0);
    let partitions = asked.partition_indexes.iter().map(|index| {
        key.partition = *index;
        partition(*index, groups.committed(group, &key))
    });
    let partitions = partitions.collect();
    let topic = OffsetFetchResponseTopics::default().with_topic_id(asked.topic_id);
    topic.with_name(asked.name).with_partitions(partitions)
}

fn fetch_all(groups: &GroupCoordinator, group: &str) -> Vec<OffsetFetchResponseTopics> {
    let mut topics: Vec<OffsetFetchResponseTopics> = Vec::new();
    for (key, offset) in groups.all_committed(group) {
        let found = partition(key.partition, Some(offset));
        match topics.last_mut() {
            Some(last) if **last.name == *key.topic => last.partitions.push(found),
            _ => topics.push(
                OffsetFetchResponseTopics::default().with_name(wire(&key.topic).into()).with_partitions(vec![found]),
            ),
        }
    }
    topics
}

fn partition(index: i32, offset: Option<&CommittedOffset>) -> OffsetFetchResponsePartitions {
    let partition = OffsetFetchResponsePartitions::default().with_partition_index(index);
    match offset {
        Some(offset) => partition
            .with_committed_offset(offset.offset)
            .with_committed_leader_epoch(offset.leader_epoch)
            .with_metadata(Some(wire(&offset.metadata))),
        None => {
            partition.with_committed_offset(-1).with_committed_leader_epoch(-1).with_metadata(Some(StrBytes::default()))
        }
    }
}

/// The same topic in the shape of the versions before 8.
fn older(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter().map(|partition| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(partition.partition_index)
            .with_committed_offset(partition.committed_offset)
            .with_committed_leader_epoch(partition.committed_leader_epoch)
            .with_metadata(partition.metadata)
            .with_error_code(partition.error_code)
    });
    OffsetFetchResponseTopic::default().with_name(topic.name).with_partitions(partitions.collect())
}

fn refused(version: i16, error: &CoordinatorError, asked: Vec<OffsetFetchRequestTopics>) -> OffsetFetchResponse {
    let code = error::of_coordinator(error).code();
    if version >= TOP_LEVEL_ERROR_SINCE {
        return OffsetFetchResponse::default().with_error_code(code);
    }
    let topics = asked.into_iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|index| partition(*index, None).with_error_code(code));
        let partitions = partitions.collect();
        older(OffsetFetchResponseTopics::default().with_name(topic.name).with_partitions(partitions))
    });
    OffsetFetchResponse::default().with_topics(topics.collect())
}
