//! WriteTxnMarkers: ends transactions in partitions, on the word of whoever sends it: in Kafka its coordinators, and the
//! tool that aborts a transaction without one (`kafka-transactions.sh abort`, KIP-664).

use brooklet_model::{EndMarker, ProducerEpoch, ProducerId};
use brooklet_storage::AppendError;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use kafka_protocol::messages::{ProducerId as WireProducerId, WriteTxnMarkersResponse};

use crate::coordinators::OFFSETS_TOPIC;
use crate::error;
use crate::newer::{TxnMarker, TxnMarkerTopic, WriteTxnMarkersRequest};
use crate::shared::{Call, Shared};

/// The protocol of transactions whose markers have an epoch of their own (KIP-890).
const OUTDATES_SINCE: i8 = 2;

/// Each partition succeeds or fails for itself. A marker for no partition is not told of.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: WriteTxnMarkersRequest) -> WriteTxnMarkersResponse {
    let mut markers = Vec::with_capacity(request.markers.len());
    for marker in request.markers {
        let mut topics = Vec::with_capacity(marker.topics.len());
        for topic in marker.topics.iter().filter(|topic| !topic.partition_indexes.is_empty()) {
            topics.push(write_to_topic(shared, &marker, topic).await);
        }
        if !topics.is_empty() {
            let producer_id = WireProducerId(marker.producer_id);
            markers.push(WritableTxnMarkerResult::default().with_producer_id(producer_id).with_topics(topics));
        }
    }
    WriteTxnMarkersResponse::default().with_markers(markers)
}

async fn write_to_topic(shared: &Shared, marker: &TxnMarker, topic: &TxnMarkerTopic) -> WritableTxnMarkerTopicResult {
    let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
    for index in &topic.partition_indexes {
        let code = write(shared, marker, &topic.name, *index).await.map_or_else(|error| error.code(), |()| 0);
        partitions.push(WritableTxnMarkerPartitionResult::default().with_partition_index(*index).with_error_code(code));
    }
    WritableTxnMarkerTopicResult::default().with_name(topic.name.clone()).with_partitions(partitions)
}

async fn write(shared: &Shared, asked: &TxnMarker, topic: &str, partition: i32) -> Result<(), ResponseError> {
    let log = shared.storage.log(topic, partition).ok_or(ResponseError::UnknownTopicOrPartition)?;
    let (id, epoch) = (ProducerId(asked.producer_id), ProducerEpoch(asked.producer_epoch));
    let marker = EndMarker { commit: asked.transaction_result, coordinator_epoch: asked.coordinator_epoch };
    if id == ProducerId::NONE || epoch.0 == -1 || asked.transaction_version < 0 {
        // Kafka cannot make such a marker.
        return Err(ResponseError::UnknownServerError);
    }
    if id.0 < 0 || id.is_query() {
        return Err(ResponseError::InvalidRequest);
    }
    let outdates = asked.transaction_version >= OUTDATES_SINCE;
    let append = |error: AppendError| error::of_append(&error);
    if topic == OFFSETS_TOPIC {
        let written = shared.coordinators.end_in_groups(id, epoch, marker, outdates).await;
        return written.map_err(|error| error::of_coordinator(&error))?.map_err(append);
    }
    let appended = log.end_transaction(id, epoch, marker, outdates).map_err(append)?;
    log.durable(appended.last_offset.plus(1)).await.map_err(|error| error::of_storage(&error))
}
