//! DeleteRecords: moves a partition's start (`Partition.deleteRecordsOnLeader`, KIP-107).

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::Offset;
use brooklet_storage::Topic;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse, TopicName};

use crate::error;
use crate::shared::{Call, Shared};

/// Each partition succeeds or fails for itself; offset -1 is the high watermark. Of several offsets for one partition the
/// last counts.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let mut wanted = BTreeMap::<TopicName, BTreeMap<i32, Offset>>::new();
    for topic in request.topics {
        for partition in topic.partitions {
            let partitions = wanted.entry(topic.name.clone()).or_default();
            partitions.insert(partition.partition_index, Offset(partition.offset));
        }
    }
    let mut topics = Vec::with_capacity(wanted.len());
    for (name, partitions) in wanted {
        topics.push(delete_of_topic(shared, name, partitions).await);
    }
    DeleteRecordsResponse::default().with_topics(topics)
}

async fn delete_of_topic(shared: &Shared, name: TopicName, asked: BTreeMap<i32, Offset>) -> DeleteRecordsTopicResult {
    let topic = match shared.storage.topic(&name) {
        Some(topic) if topic.internal => Err(ResponseError::InvalidTopicException),
        topic => topic.ok_or(ResponseError::UnknownTopicOrPartition),
    };
    let mut partitions = Vec::with_capacity(asked.len());
    for (index, before) in asked {
        let result = DeleteRecordsPartitionResult::default().with_partition_index(index);
        let start = match &topic {
            Ok(topic) => delete(topic, index, before).await,
            Err(error) => Err(*error),
        };
        partitions.push(match start {
            Ok(start) => result.with_low_watermark(start.0),
            Err(error) => result.with_low_watermark(-1).with_error_code(error.code()),
        });
    }
    DeleteRecordsTopicResult::default().with_name(name).with_partitions(partitions)
}

/// Returns where the partition starts now.
async fn delete(topic: &Topic, index: i32, before: Offset) -> Result<Offset, ResponseError> {
    let log = usize::try_from(index).ok().and_then(|index| topic.partitions.get(index));
    let log = Arc::clone(log.ok_or(ResponseError::UnknownTopicOrPartition)?);
    if !topic.config.cleanup_policy.delete {
        return Err(ResponseError::PolicyViolation);
    }
    let name = log.id().clone();
    match tokio::task::spawn_blocking(move || log.delete_records_before(before)).await {
        Ok(Ok(start)) => Ok(start),
        Ok(Err(error)) => Err(error::of_read(&error)),
        Err(error) => {
            tracing::error!(partition = %name, %error, "deleting records ended early");
            Err(ResponseError::UnknownServerError)
        }
    }
}
