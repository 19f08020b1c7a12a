//! Produce: hands each partition's batch to its log (`KafkaApis.handleProduceRequest`, `ProduceRequest.validateRecords`).

use std::sync::Arc;

use brooklet_model::{Batch, Compression, Offset, split_batches};
use brooklet_storage::{Appended, PartitionLog, Topic};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::StrBytes;

use crate::error;
use crate::reply::{self, Reply};
use crate::shared::{Call, Shared};

/// First version that may carry zstd (KIP-110).
const ZSTD_MIN: i16 = 7;
/// First version that names topics by id (KIP-516).
const TOPIC_IDS_MIN: i16 = 13;
/// The client that Kafka lets write to internal topics.
const ADMIN_CLIENT: &str = "__admin_client";

/// A batch that was refused: the code, and what is wrong where Kafka says more than the code.
struct Failure {
    code: ResponseError,
    message: Option<String>,
}

impl From<ResponseError> for Failure {
    fn from(code: ResponseError) -> Self {
        Self { code, message: None }
    }
}

/// Appends, waits until what was appended is durable, and answers; `acks=0` gets no answer, and a closed connection
/// where something failed.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: ProduceRequest) -> Reply {
    let acks = request.acks;
    let mut failed = false;
    let mut waiting = Vec::new();
    let mut responses = Vec::with_capacity(request.topic_data.len());
    for topic_data in request.topic_data {
        let topic = find_topic(shared, call, &topic_data, acks);
        let mut partitions = Vec::with_capacity(topic_data.partition_data.len());
        for data in topic_data.partition_data {
            let index = data.index;
            let appended = match &topic {
                Ok(topic) => append(topic, call, data),
                Err(code) => Err(Failure::from(*code)),
            };
            partitions.push(match appended {
                Ok((log, appended)) => {
                    let place = (responses.len(), partitions.len());
                    waiting.push((log, appended.last_offset.plus(1), place));
                    succeeded(index, &appended)
                }
                Err(failure) => {
                    failed = true;
                    tracing::debug!(partition = index, code = %failure.code, message = ?failure.message, "not appended");
                    refused(index, &failure, call.version)
                }
            });
        }
        responses.push(
            TopicProduceResponse::default()
                .with_name(topic_data.name)
                .with_topic_id(topic_data.topic_id)
                .with_partition_responses(partitions),
        );
    }
    if acks == 0 {
        return if failed { Reply::Close } else { Reply::Nothing };
    }
    settle(&mut responses, waiting, call.version).await;
    let response = ProduceResponse::default().with_responses(responses);
    reply::encode(&response, call.version).unwrap_or_else(|error| {
        tracing::error!(%error, "a produce response does not encode");
        Reply::Close
    })
}

/// Waits until every appended batch is durable as `--fsync` has it; one that cannot become so is answered as an error.
async fn settle(
    responses: &mut [TopicProduceResponse],
    waiting: Vec<(Arc<PartitionLog>, Offset, (usize, usize))>,
    version: i16,
) {
    for (log, end, (topic, partition)) in waiting {
        if let Err(error) = log.durable(end).await {
            tracing::warn!(partition = %log.id(), %error, "appended, but not durable");
            let slot = responses.get_mut(topic).and_then(|topic| topic.partition_responses.get_mut(partition));
            if let Some(slot) = slot {
                *slot = refused(slot.index, &ResponseError::KafkaStorageError.into(), version);
            }
        }
    }
}

fn find_topic(shared: &Shared, call: &Call, data: &TopicProduceData, acks: i16) -> Result<Arc<Topic>, ResponseError> {
    if !(-1..=1).contains(&acks) {
        return Err(ResponseError::InvalidRequiredAcks);
    }
    let topic = if call.version >= TOPIC_IDS_MIN {
        shared.storage.topic_by_id(data.topic_id).ok_or(ResponseError::UnknownTopicId)?
    } else {
        shared.storage.topic(&data.name).ok_or(ResponseError::UnknownTopicOrPartition)?
    };
    if topic.internal && call.client_id.as_ref().is_none_or(|id| id.as_str() != ADMIN_CLIENT) {
        return Err(ResponseError::InvalidTopicException);
    }
    Ok(topic)
}

fn append(topic: &Topic, call: &Call, data: PartitionProduceData) -> Result<(Arc<PartitionLog>, Appended), Failure> {
    let log = usize::try_from(data.index)
        .ok()
        .and_then(|index| topic.partitions.get(index))
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let batch = only_batch(data.records.unwrap_or_default(), call.version)?;
    let appended = log.append(batch).map_err(|error| Failure {
        code: error::of_append(&error),
        message: matches!(error::of_append(&error), ResponseError::InvalidRecord).then(|| error.to_string()),
    })?;
    Ok((Arc::clone(log), appended))
}

/// The one batch that a partition's data must be.
fn only_batch(records: Bytes, version: i16) -> Result<Batch, Failure> {
    let invalid = |message: String| Failure { code: ResponseError::InvalidRecord, message: Some(message) };
    let whole = records.len();
    let mut batches = split_batches(records);
    let batch = match batches.next() {
        Some(batch) => batch.map_err(|error| Failure { code: error::of_batch(&error), message: None })?,
        None if whole == 0 => {
            return Err(invalid(format!(
                "Produce requests with version {version} must have at least one record batch per partition"
            )));
        }
        None => return Err(ResponseError::CorruptMessage.into()),
    };
    if batch.header.size != whole {
        return Err(invalid(format!(
            "Produce requests with version {version} are only allowed to contain exactly one record batch per partition"
        )));
    }
    match batch.header.compression() {
        Ok(Compression::Zstd) if version < ZSTD_MIN => Err(ResponseError::UnsupportedCompressionType.into()),
        Ok(_) if batch.header.is_transactional() => Err(ResponseError::InvalidTxnState.into()),
        Ok(_) if batch.header.is_control() => {
            Err(invalid("Clients are not allowed to write control records".to_owned()))
        }
        // A log never forgets a query's producer, so that no client may take its id.
        Ok(_) if batch.header.producer_id.is_query() => Err(ResponseError::InvalidProducerIdMapping.into()),
        Ok(_) => Ok(batch),
        Err(codec) => Err(invalid(format!("Unknown compression type id: {codec}"))),
    }
}

fn succeeded(index: i32, appended: &Appended) -> PartitionProduceResponse {
    PartitionProduceResponse::default()
        .with_index(index)
        .with_base_offset(appended.base_offset.0)
        .with_log_append_time_ms(appended.log_append_time)
        .with_log_start_offset(appended.log_start_offset.0)
}

fn refused(index: i32, failure: &Failure, version: i16) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default()
        .with_index(index)
        .with_error_code(failure.code.code())
        .with_base_offset(-1)
        .with_log_append_time_ms(-1)
        .with_log_start_offset(-1);
    match &failure.message {
        Some(message) if version >= 8 => {
            let message = StrBytes::from_string(message.clone());
            let record = BatchIndexAndErrorMessage::default().with_batch_index_error_message(Some(message.clone()));
            response.with_error_message(Some(message)).with_record_errors(vec![record])
        }
        _ => response,
    }
}
