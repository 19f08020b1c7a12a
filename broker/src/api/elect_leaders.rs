//! ElectLeaders (`ReplicationControlManager.electLeaders`, KIP-460): each partition has the one leader that it can have.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::topic_name;
use crate::error::ApiError;
use crate::shared::{Call, Shared};

/// Kinds of elections (`ElectionType`), and the first version that has a choice.
const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;
const ELECTION_TYPE_MIN: i16 = 1;

/// Where all partitions are asked for, those that need no election are left out: all of them.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: ElectLeadersRequest) -> ElectLeadersResponse {
    let known = call.version < ELECTION_TYPE_MIN || matches!(request.election_type, PREFERRED | UNCLEAN);
    let unknown = (!known).then_some(request.election_type);
    let mut topics: BTreeMap<TopicName, Vec<PartitionResult>> = BTreeMap::new();
    if request.topic_partitions.is_none() {
        topics.extend(shared.storage.topics().iter().map(|topic| (topic_name(&topic.name), Vec::new())));
    }
    for topic in request.topic_partitions.into_iter().flatten() {
        let results = topic.partitions.iter().map(|partition| elect(shared, unknown, &topic.topic, *partition));
        topics.entry(topic.topic.clone()).or_default().extend(results);
    }
    let result =
        |(topic, partitions)| ReplicaElectionResult::default().with_topic(topic).with_partition_result(partitions);
    ElectLeadersResponse::default()
        .with_error_code(unknown.map_or(0, |_| ResponseError::InvalidRequest.code()))
        .with_replica_election_results(topics.into_iter().map(result).collect())
}

fn elect(shared: &Shared, unknown: Option<i8>, topic: &str, partition: i32) -> PartitionResult {
    let error = match (unknown, shared.storage.topic(topic), shared.storage.log(topic, partition)) {
        (Some(kind), ..) => ApiError::new(ResponseError::InvalidRequest, format!("Unknown election type {kind}")),
        (None, None, _) => ApiError::new(ResponseError::UnknownTopicOrPartition, format!("No such topic as {topic}")),
        (None, Some(_), None) => {
            ApiError::new(ResponseError::UnknownTopicOrPartition, format!("No such partition as {topic}-{partition}"))
        }
        _ => ApiError::new(ResponseError::ElectionNotNeeded, "Leader election not needed for topic partition."),
    };
    let (code, message): (i16, Option<StrBytes>) = (error.code(), error.message());
    PartitionResult::default().with_partition_id(partition).with_error_code(code).with_error_message(message)
}
