//! DescribeQuorum (KIP-595, KIP-836, KIP-853), AddRaftVoter and RemoveRaftVoter: the cluster's metadata have one voter,
//! this broker, and their log is the one of `brooklet_storage`'s catalogue.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_quorum_request::{PartitionData as AskedPartition, TopicData as AskedTopic};
use kafka_protocol::messages::describe_quorum_response::{Node, PartitionData, ReplicaState, TopicData};
use kafka_protocol::messages::{
    AddRaftVoterResponse, DescribeQuorumRequest, DescribeQuorumResponse, RemoveRaftVoterRequest,
    RemoveRaftVoterResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::coordinators::wall_clock;
use crate::error::ApiError;
use crate::newer::AddRaftVoterRequest;
use crate::shared::{Call, NODE_ID, Shared};

/// What the log of the cluster's metadata is called in Kafka; it has one partition.
const METADATA_TOPIC: &str = "__cluster_metadata";
/// There is only ever one term of the one voter.
const LEADER_EPOCH: i32 = 1;
/// First version with messages and nodes.
const NODES_MIN: i16 = 2;

/// Nothing but the one partition can be asked for, once, or nothing at all.
pub(crate) async fn describe(shared: &Shared, call: &Call, request: DescribeQuorumRequest) -> DescribeQuorumResponse {
    let is_metadata = |topic: &AskedTopic| {
        let partitions = topic.partitions.iter().map(|partition| partition.partition_index);
        topic.topic_name.as_str() == METADATA_TOPIC && partitions.eq([0])
    };
    match request.topics.as_slice() {
        [topic] if is_metadata(topic) => {
            let partition = metadata(shared);
            let topic = TopicData::default().with_topic_name(topic.topic_name.clone()).with_partitions(vec![partition]);
            let response = DescribeQuorumResponse::default().with_topics(vec![topic]);
            // No listener is the controllers' alone.
            if call.version < NODES_MIN {
                response
            } else {
                response.with_nodes(vec![Node::default().with_node_id(NODE_ID)])
            }
        }
        topics => DescribeQuorumResponse::default().with_topics(topics.iter().map(unknown).collect()),
    }
}

fn metadata(shared: &Shared) -> PartitionData {
    let (end, now) = (shared.storage.metadata_end_offset().0, wall_clock());
    let voter = ReplicaState::default()
        .with_replica_id(NODE_ID)
        .with_log_end_offset(end)
        .with_last_fetch_timestamp(now)
        .with_last_caught_up_timestamp(now);
    PartitionData::default()
        .with_leader_id(NODE_ID)
        .with_leader_epoch(LEADER_EPOCH)
        .with_high_watermark(end)
        .with_current_voters(vec![voter])
}

fn unknown(topic: &AskedTopic) -> TopicData {
    // Kafka numbers those that are wrong as they are numbered in the request.
    let partition = |partition: &AskedPartition| {
        let error = ApiError::with_kafkas_words(ResponseError::UnknownTopicOrPartition);
        PartitionData::default()
            .with_partition_index(partition.partition_index)
            .with_error_code(error.code())
            .with_error_message(error.message())
    };
    let partitions = topic.partitions.iter().map(partition).collect();
    TopicData::default().with_topic_name(topic.topic_name.clone()).with_partitions(partitions)
}

/// Refused, as by a cluster whose voters were set when it was made.
pub(crate) async fn add_voter(shared: &Shared, _call: &Call, request: AddRaftVoterRequest) -> AddRaftVoterResponse {
    let error = refusal(shared, request.cluster_id, "adding");
    AddRaftVoterResponse::default().with_error_code(error.code()).with_error_message(error.message())
}

/// Refused, as by a cluster whose voters were set when it was made.
pub(crate) async fn remove_voter(
    shared: &Shared,
    _call: &Call,
    request: RemoveRaftVoterRequest,
) -> RemoveRaftVoterResponse {
    let error = refusal(shared, request.cluster_id, "removing");
    RemoveRaftVoterResponse::default().with_error_code(error.code()).with_error_message(error.message())
}

fn refusal(shared: &Shared, cluster_id: Option<StrBytes>, what: &str) -> ApiError {
    let own = shared.storage.cluster_id();
    match cluster_id {
        Some(other) if other.as_str() != own => {
            let message = format!("The given id \"{}\" doesn't match the cluster id \"{own}\"", other.as_str());
            ApiError::new(ResponseError::InconsistentClusterId, message)
        }
        _ => ApiError::new(
            ResponseError::UnsupportedVersion,
            format!("Cluster doesn't support {what} voter because the kraft.version feature is 0"),
        ),
    }
}
