//! OffsetForLeaderEpoch: where an epoch ends in the log (KIP-320, `UnifiedLog.endOffsetForEpoch`). brooklet never
//! elects, so its one epoch ends where the log does.

use brooklet_storage::PartitionLog;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use kafka_protocol::messages::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use super::check_leader_epoch;
use crate::shared::{Call, Shared};

/// Stands for no epoch.
const UNKNOWN_EPOCH: i32 = -1;

/// Each partition succeeds or fails for itself.
pub(crate) async fn handle(
    shared: &Shared,
    _call: &Call,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let answer = |asked: OffsetForLeaderTopic| {
        let topic = shared.storage.topic(&asked.topic);
        let log = |index: i32| usize::try_from(index).ok().and_then(|index| topic.as_ref()?.partitions.get(index));
        let partitions = asked.partitions.iter().map(|partition| {
            let end = EpochEndOffset::default().with_partition(partition.partition);
            match log(partition.partition).ok_or(ResponseError::UnknownTopicOrPartition) {
                Ok(log) => end_of(log, partition, end),
                Err(error) => end.with_error_code(error.code()),
            }
        });
        OffsetForLeaderTopicResult::default().with_partitions(partitions.collect()).with_topic(asked.topic.clone())
    };
    OffsetForLeaderEpochResponse::default().with_topics(request.topics.into_iter().map(answer).collect())
}

/// An epoch that the log has not come to, and one that never was, have no end.
fn end_of(log: &PartitionLog, asked: &OffsetForLeaderPartition, end: EpochEndOffset) -> EpochEndOffset {
    if let Err(error) = check_leader_epoch(log, asked.current_leader_epoch) {
        return end.with_error_code(error.code());
    }
    let (asked_for, is) = (asked.leader_epoch, log.leader_epoch().0);
    if asked_for < is && asked_for != UNKNOWN_EPOCH {
        // Before the first epoch there was nothing: the log begins with that one.
        return end.with_leader_epoch(asked_for).with_end_offset(log.log_start_offset().0);
    }
    if asked_for != is {
        return end;
    }
    end.with_leader_epoch(asked_for).with_end_offset(log.log_end_offset().0)
}
