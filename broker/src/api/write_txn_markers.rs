//! WriteTxnMarkers: ends transactions in partitions, on the word of whoever sends it: in Kafka its coordinators, and the
//! tool that aborts a transaction without one (`kafka-transactions.sh abort`, KIP-664).

use brooklet_model::{EndMarker, ProducerEpoch, ProducerId};
use brooklet_storage::AppendError;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use kafka_protocol::messages::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};

use crate::coordinators::OFFSETS_TOPIC;
use crate::error;
use crate::shared::{Call, Shared};

/// Each partition succeeds or fails for itself.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: WriteTxnMarkersRequest) -> WriteTxnMarkersResponse {
    let mut markers = Vec::with_capacity(request.markers.len());
    for marker in request.markers {
        let mut topics = Vec::with_capacity(marker.topics.len());
        for topic in &marker.topics {
            topics.push(write_to_topic(shared, &marker, topic).await);
        }
        markers.push(WritableTxnMarkerResult::default().with_producer_id(marker.producer_id).with_topics(topics));
    }
    WriteTxnMarkersResponse::default().with_markers(markers)
}

async fn write_to_topic(
    shared: &Shared,
    marker: &WritableTxnMarker,
    topic: &WritableTxnMarkerTopic,
) -> WritableTxnMarkerTopicResult {
    let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
    for index in &topic.partition_indexes {
        let code = write(shared, marker, &topic.name, *index).await.map_or_else(|error| error.code(), |()| 0);
        partitions.push(WritableTxnMarkerPartitionResult::default().with_partition_index(*index).with_error_code(code));
    }
    WritableTxnMarkerTopicResult::default().with_name(topic.name.clone()).with_partitions(partitions)
}

async fn write(shared: &Shared, asked: &WritableTxnMarker, topic: &str, partition: i32) -> Result<(), ResponseError> {
    let log = shared.storage.log(topic, partition).ok_or(ResponseError::UnknownTopicOrPartition)?;
    let (id, epoch) = (ProducerId(asked.producer_id.0), ProducerEpoch(asked.producer_epoch));
    let marker = EndMarker { commit: asked.transaction_result, coordinator_epoch: asked.coordinator_epoch };
    if id == ProducerId::NONE || epoch.0 == -1 {
        // Kafka cannot make such a marker.
        return Err(ResponseError::UnknownServerError);
    }
    if id.0 < 0 || id.is_query() {
        return Err(ResponseError::InvalidRequest);
    }
    let append = |error: AppendError| error::of_append(&error);
    if topic == OFFSETS_TOPIC {
        let written = shared.coordinators.end_in_groups(id, epoch, marker, false).await;
        return written.map_err(|error| error::of_coordinator(&error))?.map_err(append);
    }
    let appended = log.end_transaction(id, epoch, marker, false).map_err(append)?;
    log.durable(appended.last_offset.plus(1)).await.map_err(|error| error::of_storage(&error))
}
