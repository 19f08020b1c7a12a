//! DescribeProducers: who writes to a partition, and whose transaction is open there (KIP-664).

use brooklet_storage::{PartitionLog, ProducerDescription};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_producers_response::{PartitionResponse, ProducerState, TopicResponse};
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse};

use crate::error::ApiError;
use crate::shared::{Call, Shared};
use crate::topics::name;

/// INVALID_TOPIC_EXCEPTION for a name that no topic can have, UNKNOWN_TOPIC_OR_PARTITION for what is not there.
pub(crate) async fn handle(
    shared: &Shared,
    _call: &Call,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let topics = request.topics.into_iter().map(|asked| {
        let valid =
            name::validate(&asked.name).map_err(|wrong| ApiError::new(ResponseError::InvalidTopicException, wrong));
        let partitions = asked.partition_indexes.iter().map(|index| {
            let response = PartitionResponse::default().with_partition_index(*index);
            let found = valid.clone().and_then(|()| {
                // Kafka has no words for a partition that there is not.
                let unknown = match shared.storage.topic(&asked.name) {
                    Some(_) => ResponseError::UnknownTopicOrPartition.into(),
                    None => ApiError::with_kafkas_words(ResponseError::UnknownTopicOrPartition),
                };
                shared.storage.log(&asked.name, *index).ok_or(unknown)
            });
            match found {
                Ok(log) => response.with_active_producers(active(&log)),
                Err(error) => response.with_error_code(error.code()).with_error_message(error.message()),
            }
        });
        let partitions = partitions.collect();
        TopicResponse::default().with_name(asked.name).with_partitions(partitions)
    });
    DescribeProducersResponse::default().with_topics(topics.collect())
}

fn active(log: &PartitionLog) -> Vec<ProducerState> {
    let state = |producer: ProducerDescription| {
        ProducerState::default()
            .with_producer_id(producer.id.0.into())
            .with_producer_epoch(producer.epoch.0.into())
            .with_last_sequence(producer.last_sequence)
            .with_last_timestamp(producer.last_timestamp)
            .with_coordinator_epoch(producer.coordinator_epoch)
            .with_current_txn_start_offset(producer.transaction_start.map_or(-1, |start| start.0))
    };
    log.producers().into_iter().map(state).collect()
}
