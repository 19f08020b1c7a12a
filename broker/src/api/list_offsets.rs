//! ListOffsets: which offset stands at a time, or at an end of the log (`KafkaApis.handleListOffsetRequest`,
//! `ReplicaManager.fetchOffset`, `UnifiedLog.fetchOffsetByTimestamp`).

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::{LeaderEpoch, Offset, Timestamp};
use brooklet_storage::{PartitionLog, Topic};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse, TopicName};

use super::check_leader_epoch;
use crate::error;
use crate::shared::{Call, Shared};

/// What a negative timestamp asks for, and the first version that may (KIP-734, KIP-405, KIP-1005, KIP-1023).
const LATEST: Timestamp = -1;
const EARLIEST: Timestamp = -2;
const MAX_TIMESTAMP: (Timestamp, i16) = (-3, 7);
const EARLIEST_LOCAL: (Timestamp, i16) = (-4, 8);
const LATEST_TIERED: (Timestamp, i16) = (-5, 9);
const EARLIEST_PENDING_UPLOAD: (Timestamp, i16) = (-6, 11);

/// First version that tells the leader epoch.
const LEADER_EPOCH_MIN: i16 = 4;
/// What a consumer gives as its replica id; a tool that wants to see beyond the high watermark gives another.
const CONSUMER: i32 = -1;

/// An offset, and the time and epoch of its record where the question was about a record.
type Found = (Offset, Timestamp, LeaderEpoch);

/// Whose end of the log counts as its end.
#[derive(Clone, Copy)]
enum End {
    Written,
    HighWatermark,
    LastStable,
}

/// Each partition succeeds or fails for itself; one that is asked for twice fails.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let end = match (request.replica_id.0, request.isolation_level) {
        (CONSUMER, 0) => Ok(End::HighWatermark),
        (CONSUMER, 1) => Ok(End::LastStable),
        (CONSUMER, _) => Err(ResponseError::UnknownServerError),
        _ => Ok(End::Written),
    };
    // A topic is told of once; none is the question that came twice.
    let mut topics = BTreeMap::<TopicName, BTreeMap<i32, Option<ListOffsetsPartition>>>::new();
    for topic in request.topics {
        for partition in topic.partitions {
            let asked = topics.entry(topic.name.clone()).or_default();
            asked.entry(partition.partition_index).and_modify(|asked| *asked = None).or_insert(Some(partition));
        }
    }
    let answer = |(name, asked): (TopicName, BTreeMap<i32, Option<ListOffsetsPartition>>)| {
        let known = shared.storage.topic(&name);
        let partition = |(index, asked): (i32, Option<ListOffsetsPartition>)| {
            let found = match asked {
                None => Err(ResponseError::InvalidRequest),
                Some(asked) => end.and_then(|end| find(known.as_ref(), &asked, call.version, end)),
            };
            respond(index, call.version, found)
        };
        let partitions = asked.into_iter().map(partition).collect();
        ListOffsetsTopicResponse::default().with_name(name).with_partitions(partitions)
    };
    ListOffsetsResponse::default().with_topics(topics.into_iter().map(answer).collect())
}

fn respond(index: i32, version: i16, found: Result<Option<Found>, ResponseError>) -> ListOffsetsPartitionResponse {
    let response = ListOffsetsPartitionResponse::default().with_partition_index(index);
    match found {
        Ok(Some((offset, timestamp, epoch))) => {
            let response = response.with_offset(offset.0).with_timestamp(timestamp);
            if version >= LEADER_EPOCH_MIN { response.with_leader_epoch(epoch.0) } else { response }
        }
        Ok(None) => response,
        Err(error) => response.with_error_code(error.code()),
    }
}

/// `None` where there is no such record.
fn find(
    topic: Option<&Arc<Topic>>,
    asked: &ListOffsetsPartition,
    version: i16,
    end: End,
) -> Result<Option<Found>, ResponseError> {
    let special = [MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING_UPLOAD];
    let is_known = |timestamp| special.into_iter().any(|each| is_allowed(timestamp, version, each));
    if asked.timestamp < EARLIEST && !is_known(asked.timestamp) {
        return Err(ResponseError::UnsupportedVersion);
    }
    let log = usize::try_from(asked.partition_index)
        .ok()
        .and_then(|index| topic?.partitions.get(index))
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    check_leader_epoch(log, asked.current_leader_epoch)?;
    let end = match end {
        End::Written => log.log_end_offset(),
        End::HighWatermark => log.high_watermark(),
        End::LastStable => log.last_stable_offset(),
    };
    let at = |offset| Ok(Some((offset, -1, log.leader_epoch())));
    match asked.timestamp {
        LATEST => at(end),
        EARLIEST => at(log.log_start_offset()),
        timestamp if timestamp >= 0 => record(log, log.offset_for_timestamp(timestamp), end),
        timestamp if timestamp == MAX_TIMESTAMP.0 => record(log, log.max_timestamp_offset(), end),
        // Nothing is tiered: all that there is is local.
        timestamp if timestamp == EARLIEST_LOCAL.0 => at(log.log_start_offset()),
        _ => Ok(None),
    }
}

fn is_allowed(timestamp: Timestamp, version: i16, (value, version_min): (Timestamp, i16)) -> bool {
    timestamp == value && version >= version_min
}

/// A record counts only if the client could fetch it.
fn record(
    log: &PartitionLog,
    found: Result<Option<(Offset, Timestamp)>, brooklet_storage::StorageError>,
    end: Offset,
) -> Result<Option<Found>, ResponseError> {
    let found = found.map_err(|error| {
        tracing::error!(partition = %log.id(), %error, "an offset was not looked up");
        error::of_storage(&error)
    })?;
    Ok(found.filter(|(offset, _)| *offset < end).map(|(offset, timestamp)| (offset, timestamp, log.leader_epoch())))
}
