//! OffsetDelete (`GroupCoordinatorService.deleteOffsets`, KIP-496): forgets what a group committed for partitions.

use brooklet_coordinator::groups::{Command, GroupError, Reply};
use brooklet_model::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use super::group_text::shared_str;
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::observed::is_reserved;
use crate::shared::{Call, Shared};

/// Partitions that there are not fail for themselves; the group's own errors are told once for all.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let exists = |topic: &str, partition: i32| shared.storage.log(topic, partition).is_some();
    let mut wanted = Vec::new();
    for topic in &request.topics {
        let known = topic.partitions.iter().map(|it| it.partition_index).filter(|it| exists(&topic.name, *it));
        wanted.extend(known.map(|partition| TopicPartition::new(topic.name.as_str(), partition)));
    }
    let command = Command::DeleteOffsets { group: shared_str(&request.group_id), partitions: wanted };
    let outcome = if request.group_id.is_empty() || is_reserved(&request.group_id) {
        Err(GroupError::InvalidGroupId.into())
    } else {
        shared.coordinators.ask(command).await
    };
    let mut deleted = match outcome {
        Ok(Reply::Partitions(deleted)) => deleted.into_iter(),
        Ok(_) => return OffsetDeleteResponse::default().with_error_code(ResponseError::NotCoordinator.code()),
        Err(refused) => return OffsetDeleteResponse::default().with_error_code(error::of_coordinator(&refused).code()),
    };
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in topic.partitions {
            let index = partition.partition_index;
            let outcome = match exists(&topic.name, index) {
                false => Err(ResponseError::UnknownTopicOrPartition),
                true => match deleted.next() {
                    None => Err(ResponseError::UnknownTopicOrPartition),
                    Some(outcome) => {
                        outcome.map_err(|refused| error::of_coordinator(&CoordinatorError::Refused(refused)))
                    }
                },
            };
            let code = outcome.err().map_or(0, |error| error.code());
            partitions.push(OffsetDeleteResponsePartition::default().with_partition_index(index).with_error_code(code));
        }
        topics.push(OffsetDeleteResponseTopic::default().with_name(topic.name).with_partitions(partitions));
    }
    OffsetDeleteResponse::default().with_topics(topics)
}
