//! OffsetCommit: for topics by name, or since version 10 by id.

use brooklet_coordinator::groups::{Command, Commit, CommitPartition};
use brooklet_model::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use kafka_protocol::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

use super::commits::{Asked, Codes, codes, existing};
use super::group_text::{optional, shared_str};
use super::name_of;
use crate::observed::is_reserved;
use crate::shared::{Call, Shared};
use crate::topic_ids::{OffsetCommitNamesOrIds, TOPIC_IDS_SINCE};

/// A missing group is called so (KIP-848).
const NAMES_MISSING_GROUP_SINCE: i16 = 9;
/// The last version whose client says how long its offsets are kept (KIP-211).
const RETENTION_UNTIL: i16 = 4;

/// Commits what is for partitions that exist; UNKNOWN_TOPIC_OR_PARTITION for the rest, UNKNOWN_TOPIC_ID for an id that
/// is no topic's.
pub(crate) async fn handle(
    shared: &Shared,
    call: &Call,
    OffsetCommitNamesOrIds(mut request): OffsetCommitNamesOrIds,
) -> OffsetCommitResponse {
    let by_id = call.version >= TOPIC_IDS_SINCE;
    for topic in request.topics.iter_mut().filter(|_| by_id) {
        topic.name = name_of(shared, topic.topic_id);
    }
    let asked = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|it| Asked {
            topic: &topic.name,
            partition: it.partition_index,
            offset: it.committed_offset,
            leader_epoch: it.committed_leader_epoch,
            metadata: it.committed_metadata.as_deref(),
        })
    });
    let partitions = existing(shared, asked);
    let known: Vec<TopicPartition> = partitions.iter().map(|commit| commit.partition.clone()).collect();
    let mut codes = Codes::new(known, commit(shared, call, &request, partitions).await);
    let answer = |topic: &OffsetCommitRequestTopic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            let code = match by_id && topic.name.is_empty() {
                true => ResponseError::UnknownTopicId.code(),
                false => codes.of(&topic.name, index),
            };
            OffsetCommitResponsePartition::default().with_partition_index(index).with_error_code(code)
        });
        let mut partitions: Vec<_> = partitions.collect();
        partitions.sort_by_key(is_known);
        let answer = OffsetCommitResponseTopic::default().with_partitions(partitions);
        if by_id { answer.with_topic_id(topic.topic_id) } else { answer.with_name(topic.name.clone()) }
    };
    let mut topics: Vec<_> = request.topics.iter().map(answer).collect();
    topics.sort_by_key(|topic| topic.partitions.iter().all(is_known));
    OffsetCommitResponse::default().with_topics(topics)
}

/// As in Kafka, what does not exist is told of first.
fn is_known(partition: &OffsetCommitResponsePartition) -> bool {
    let unknown = [ResponseError::UnknownTopicOrPartition.code(), ResponseError::UnknownTopicId.code()];
    !unknown.contains(&partition.error_code)
}

/// An error code for each partition.
async fn commit(
    shared: &Shared,
    call: &Call,
    request: &OffsetCommitRequest,
    partitions: Vec<CommitPartition>,
) -> Vec<i16> {
    if partitions.is_empty() {
        return Vec::new();
    }
    let count = partitions.len();
    if is_reserved(&request.group_id) {
        return vec![ResponseError::InvalidGroupId.code(); count];
    }
    let retention = (call.version <= RETENTION_UNTIL).then_some(request.retention_time_ms);
    let commit = Commit {
        group: shared_str(&request.group_id),
        member_id: shared_str(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        generation: request.generation_id_or_member_epoch,
        retention_ms: retention.filter(|retention| *retention >= 0),
        names_missing_group: call.version >= NAMES_MISSING_GROUP_SINCE,
        partitions,
    };
    codes(shared.coordinators.ask(Command::Commit(commit)).await, count)
}
