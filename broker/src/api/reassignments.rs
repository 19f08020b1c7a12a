//! AlterPartitionReassignments and ListPartitionReassignments (`ReplicationControlManager`, KIP-455): with one broker
//! a partition can only stay where it is, and nothing is ever on its way.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_partition_reassignments_request::ReassignablePartition;
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::error::ApiError;
use crate::shared::{Call, Shared};
use crate::topics;

/// Each partition succeeds or fails for itself.
pub(crate) async fn alter(
    shared: &Shared,
    _call: &Call,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    if request.topics.is_empty() {
        // Kafka has not come to leave the message out.
        return AlterPartitionReassignmentsResponse::default()
            .with_allow_replication_factor_change(request.allow_replication_factor_change)
            .with_error_message(Some(StrBytes::default()));
    }
    let topic = |topic: kafka_protocol::messages::alter_partition_reassignments_request::ReassignableTopic| {
        let partition = |wanted: &ReassignablePartition| {
            let response = ReassignablePartitionResponse::default()
                .with_partition_index(wanted.partition_index)
                .with_error_message(None);
            match reassign(shared, &topic.name, wanted) {
                Ok(()) => response,
                Err(error) => response.with_error_code(error.code()).with_error_message(error.message()),
            }
        };
        let partitions = topic.partitions.iter().map(partition).collect();
        ReassignableTopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions)
    };
    AlterPartitionReassignmentsResponse::default()
        .with_allow_replication_factor_change(request.allow_replication_factor_change)
        .with_error_message(None)
        .with_responses(request.topics.into_iter().map(topic).collect())
}

fn reassign(shared: &Shared, topic: &str, wanted: &ReassignablePartition) -> Result<(), ApiError> {
    let partition = wanted.partition_index;
    let unknown = |what: String| ApiError::new(ResponseError::UnknownTopicOrPartition, what);
    shared.storage.topic(topic).ok_or_else(|| unknown(format!("Unable to find a topic named {topic}.")))?;
    shared
        .storage
        .log(topic, partition)
        .ok_or_else(|| unknown(format!("Unable to find partition {topic}:{partition}.")))?;
    match &wanted.replicas {
        None => Err(ResponseError::NoReassignmentInProgress.into()),
        Some(replicas) => topics::check_replicas(replicas, &shared.config)
            .map_err(|message| ApiError::new(ResponseError::InvalidReplicaAssignment, message)),
    }
}

/// None is ever under way.
pub(crate) async fn list(
    _shared: &Shared,
    _call: &Call,
    _request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default().with_error_message(None)
}
