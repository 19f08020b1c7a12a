//! OffsetCommit.

use brooklet_coordinator::groups::{Command, Commit, CommitPartition, Reply};
use brooklet_model::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

use super::group_text::{optional, shared_str};
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::observed::is_reserved;
use crate::shared::{Call, Shared};

/// A missing group is called so (KIP-848).
const NAMES_MISSING_GROUP_SINCE: i16 = 9;
/// The last version whose client says how long its offsets are kept (KIP-211).
const RETENTION_UNTIL: i16 = 4;

/// Commits what is for partitions that exist; UNKNOWN_TOPIC_OR_PARTITION for the rest.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let mut partitions = Vec::new();
    for topic in &request.topics {
        let found = shared.storage.topic(&topic.name);
        let count = found.map_or(0, |topic| topic.partitions.len());
        let name = shared_str(&topic.name);
        for partition in &topic.partitions {
            if usize::try_from(partition.partition_index).is_ok_and(|index| index < count) {
                partitions.push(CommitPartition {
                    partition: TopicPartition::new(name.clone(), partition.partition_index),
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: shared_str(partition.committed_metadata.as_deref().unwrap_or_default()),
                });
            }
        }
    }
    let known: Vec<TopicPartition> = partitions.iter().map(|commit| commit.partition.clone()).collect();
    let results = commit(shared, call, &request, partitions).await;
    let mut results = known.into_iter().zip(results).peekable();
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            let is_next = |(known, _): &(TopicPartition, i16)| known.partition == index && *known.topic == **topic.name;
            let unknown = ResponseError::UnknownTopicOrPartition.code();
            let code = results.next_if(is_next).map_or(unknown, |(_, code)| code);
            OffsetCommitResponsePartition::default().with_partition_index(index).with_error_code(code)
        });
        OffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
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
    let error = match shared.coordinators.ask(Command::Commit(commit)).await {
        Ok(Reply::Partitions(results)) => {
            let code = |result: Result<(), _>| result.map_or_else(|error| error::of_group(error).code(), |()| 0);
            return results.into_iter().map(code).collect();
        }
        Ok(_) => CoordinatorError::Unavailable,
        Err(error) => error,
    };
    vec![error::of_coordinator(&error).code(); count]
}
