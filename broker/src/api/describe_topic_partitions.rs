//! DescribeTopicPartitions (`DescribeTopicPartitionsRequestHandler`, KIP-966): topics in the order of their names, so
//! many partitions at a time, and where to go on.

use std::collections::BTreeSet;

use brooklet_storage::Topic;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_topic_partitions_request::TopicRequest;
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::{authorized, topic_name};
use crate::reply::{self, Reply};
use crate::shared::{Call, NODE_ID, Shared};
use crate::topics::name;

/// Partitions in one answer (`max.request.partition.size.limit`).
const PARTITIONS_MAX: i32 = 2000;

/// A partition to begin at below zero, or a topic to begin at that is not asked for, and an empty name fail all, as in
/// Kafka.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: DescribeTopicPartitionsRequest) -> Reply {
    let (from, first) = match &request.cursor {
        Some(cursor) if cursor.partition_index < 0 => {
            return send(&failed(&request, ResponseError::InvalidRequest), call.version);
        }
        Some(cursor) => (Some(cursor.topic_name.clone()), cursor.partition_index),
        None => (None, 0),
    };
    if request.topics.iter().any(|topic| topic.name.is_empty()) {
        return send(&failed(&request, ResponseError::UnknownServerError), call.version);
    }
    let all = request.topics.is_empty();
    let names: BTreeSet<TopicName> = match all {
        true => shared.storage.topics().iter().map(|topic| topic_name(&topic.name)).collect(),
        false => request.topics.iter().map(|topic| topic.name.clone()).collect(),
    };
    if !all && from.as_ref().is_some_and(|from| !names.contains(from)) {
        return send(&failed(&request, ResponseError::InvalidRequest), call.version);
    }
    let mut left = usize::try_from(request.response_partition_limit.clamp(1, PARTITIONS_MAX)).unwrap_or(1);
    let mut response = DescribeTopicPartitionsResponse::default();
    for wanted in names.into_iter().filter(|name| from.as_ref().is_none_or(|from| name >= from)) {
        if left == 0 {
            response.next_cursor = Some(Cursor::default().with_topic_name(wanted));
            break;
        }
        let Some(topic) = shared.storage.topic(&wanted) else {
            response.topics.push(missing(wanted));
            continue;
        };
        let begin = if from.as_ref() == Some(&wanted) { usize::try_from(first).unwrap_or(0) } else { 0 };
        let count = topic.partitions.len().saturating_sub(begin).min(left);
        left -= count;
        response.topics.push(described(&topic, begin, count));
        if begin + count < topic.partitions.len() {
            let next = i32::try_from(begin + count).unwrap_or(i32::MAX);
            response.next_cursor = Some(Cursor::default().with_topic_name(wanted).with_partition_index(next));
            break;
        }
    }
    send(&response, call.version)
}

fn send(response: &DescribeTopicPartitionsResponse, version: i16) -> Reply {
    reply::encode(response, version).unwrap_or_else(|error| {
        tracing::error!(%error, "a description of partitions does not encode");
        Reply::Close
    })
}

/// The whole request's error on each of its topics.
fn failed(request: &DescribeTopicPartitionsRequest, error: ResponseError) -> DescribeTopicPartitionsResponse {
    let topic = |topic: &TopicRequest| {
        DescribeTopicPartitionsResponseTopic::default()
            .with_error_code(error.code())
            .with_name(Some(topic.name.clone()))
    };
    DescribeTopicPartitionsResponse::default().with_topics(request.topics.iter().map(topic).collect())
}

fn missing(wanted: TopicName) -> DescribeTopicPartitionsResponseTopic {
    let error = match name::validate(&wanted) {
        Ok(()) => ResponseError::UnknownTopicOrPartition,
        Err(_) => ResponseError::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(wanted))
        .with_topic_authorized_operations(authorized::TOPIC)
}

fn described(topic: &Topic, begin: usize, count: usize) -> DescribeTopicPartitionsResponseTopic {
    let partition = |(index, log): (usize, &std::sync::Arc<brooklet_storage::PartitionLog>)| {
        DescribeTopicPartitionsResponsePartition::default()
            .with_partition_index(i32::try_from(index).unwrap_or(i32::MAX))
            .with_leader_id(NODE_ID)
            .with_leader_epoch(log.leader_epoch().0)
            .with_replica_nodes(vec![NODE_ID])
            .with_isr_nodes(vec![NODE_ID])
            .with_eligible_leader_replicas(Some(Vec::new()))
            .with_last_known_elr(Some(Vec::new()))
    };
    let partitions = topic.partitions.iter().enumerate().skip(begin).take(count).map(partition).collect();
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_string(topic.name.to_string()))))
        .with_topic_id(topic.id)
        .with_is_internal(topic.internal)
        .with_partitions(partitions)
        .with_topic_authorized_operations(authorized::TOPIC)
}
