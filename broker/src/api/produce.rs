//! Produce: hands each partition's batch to its log (`KafkaApis.handleProduceRequest`, `ProduceRequest.validateRecords`).

use std::sync::Arc;

use brooklet_model::{Batch, BatchError, BatchHeader, Compression, Offset, split_batches};
use brooklet_storage::{AppendError, Appended, PartitionLog, RefusedRecords, Topic};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::StrBytes;

use super::produce_transaction::{self, Transaction};
use crate::error;
use crate::reply::{self, Reply};
use crate::shared::{Call, Shared};

/// First version that may carry zstd (KIP-110).
const ZSTD_MIN: i16 = 7;
/// First version whose response says more than a code (KIP-467).
const MESSAGES_MIN: i16 = 8;
/// First version that names topics by id (KIP-516).
pub(super) const TOPIC_IDS_MIN: i16 = 13;
/// Shortest message of before record batches, without its offset and length.
const MESSAGE_LEN_MIN: i32 = 2;
/// The client that Kafka lets write to internal topics.
const ADMIN_CLIENT: &str = "__admin_client";

/// A batch that was refused: the code, the records at fault where it is records, and the log's start where Kafka tells
/// it with the refusal.
#[derive(Clone)]
pub(super) struct Failure {
    pub(super) code: ResponseError,
    records: Option<RefusedRecords>,
    /// What Kafka says beside the code, where it is not about records.
    message: Option<String>,
    log_start: i64,
}

impl From<ResponseError> for Failure {
    fn from(code: ResponseError) -> Self {
        Self { code, records: None, message: None, log_start: -1 }
    }
}

impl Failure {
    /// With Kafka's own words, which are not about records.
    pub(super) fn with_message(code: ResponseError, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..code.into() }
    }

    /// Of a batch that `log` refused (`ReplicaManager.appendToLocalLog`).
    fn of_append(error: AppendError, log: &PartitionLog) -> Self {
        let code = error::of_append(&error);
        let log_start = match code {
            ResponseError::MessageTooLarge
            | ResponseError::RecordListTooLarge
            | ResponseError::CorruptMessage
            | ResponseError::KafkaStorageError => -1,
            _ => log.log_start_offset().0,
        };
        let records = match error {
            AppendError::Refused(records) => Some(records),
            _ => None,
        };
        Self { code, records, message: None, log_start }
    }
}

/// Appends, waits until what was appended is durable, and answers; `acks=0` gets no answer, and a closed connection
/// where something failed. Who has sent more than his quota is answered, and then not listened to for a while.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: ProduceRequest) -> Reply {
    let acks = request.acks;
    let looked_up = match refusal(&request) {
        Some(refusal) => Err(refusal),
        None => produce_transaction::look_up(shared, call, &request).await.map_err(Failure::from),
    };
    let (mut transaction, refusal) = match looked_up {
        Ok(transaction) => (transaction, None),
        Err(refusal) => (Transaction::default(), Some(refusal)),
    };
    let mut failed = false;
    let mut waiting = Vec::new();
    let mut responses = Vec::with_capacity(request.topic_data.len());
    for topic_data in request.topic_data.into_iter().filter(|topic| !topic.partition_data.is_empty()) {
        let topic = find_topic(shared, call, &topic_data);
        let mut partitions = Vec::with_capacity(topic_data.partition_data.len());
        for data in topic_data.partition_data {
            let index = data.index;
            let appended = match (&refusal, &topic) {
                (Some(refusal), _) => Err(refusal.clone()),
                (None, Ok(topic)) => append(topic, call, acks, data, &mut transaction),
                (None, Err(code)) => Err(Failure::from(*code)),
            };
            partitions.push(match appended {
                Ok((log, appended)) => {
                    let place = (responses.len(), partitions.len());
                    waiting.push((log, appended.last_offset.plus(1), place));
                    succeeded(index, &appended)
                }
                Err(failure) => {
                    failed = true;
                    tracing::debug!(partition = index, code = %failure.code, "not appended");
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
    if acks != 0 {
        settle(&mut responses, waiting, call.version).await;
    }
    let throttle_ms = shared.cluster.throttles.produce.record(call.quota_name(), call.request_len);
    let reply = match acks {
        0 if failed => Reply::Close,
        0 => Reply::Nothing,
        _ => {
            let response = ProduceResponse::default().with_responses(responses).with_throttle_time_ms(throttle_ms);
            reply::encode(&response, call.version).unwrap_or_else(|error| {
                tracing::error!(%error, "a produce response does not encode");
                Reply::Close
            })
        }
    };
    reply.muted_for(throttle_ms)
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

/// What refuses the whole request: Kafka looks at the head of each partition's first batch for a transaction before it
/// looks at any partition, and gives up on one that it cannot even measure (`RequestUtils.flag`).
fn refusal(request: &ProduceRequest) -> Option<Failure> {
    let mut records =
        request.topic_data.iter().flat_map(|topic| &topic.partition_data).filter_map(|it| it.records.as_ref());
    let of_records = |records: &Bytes| match BatchHeader::parse(records) {
        // Kafka's number of bytes overflows.
        Ok(header) if i32::try_from(header.size).is_err() => Some(ResponseError::UnknownServerError.into()),
        Ok(header) if header.size > records.len() => None,
        Ok(header) if header.is_transactional() && request.transactional_id.is_none() => {
            Some(ResponseError::TransactionalIdAuthorizationFailed.into())
        }
        _ => beyond_measure(records)
            .map(|error| Failure { message: Some(error.to_string()), ..ResponseError::CorruptMessage.into() }),
    };
    records.find_map(of_records)
}

/// Why the bytes cannot be measured: they are neither a batch nor a message of before. There may be too few of them for
/// either (`ByteBufferLogInputStream.nextBatchSize`).
fn beyond_measure(bytes: &[u8]) -> Option<BatchError> {
    let length = i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    if length < MESSAGE_LEN_MIN {
        return Some(BatchError::Length(length));
    }
    let magic = *bytes.get(16)? as i8;
    (!(0..=2).contains(&magic)).then_some(BatchError::Magic(magic))
}

fn find_topic(shared: &Shared, call: &Call, data: &TopicProduceData) -> Result<Arc<Topic>, ResponseError> {
    if call.version >= TOPIC_IDS_MIN {
        shared.storage.topic_by_id(data.topic_id).ok_or(ResponseError::UnknownTopicId)
    } else {
        shared.storage.topic(&data.name).ok_or(ResponseError::UnknownTopicOrPartition)
    }
}

fn append(
    topic: &Topic,
    call: &Call,
    acks: i16,
    data: PartitionProduceData,
    transaction: &mut Transaction,
) -> Result<(Arc<PartitionLog>, Appended), Failure> {
    let log = usize::try_from(data.index)
        .ok()
        .and_then(|index| topic.partitions.get(index))
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let batch = only_batch(data.records.unwrap_or_default(), call.version)?;
    let verified = transaction.verified(log.id())?;
    if !(-1..=1).contains(&acks) {
        return Err(ResponseError::InvalidRequiredAcks.into());
    }
    if topic.internal && call.client_id.as_ref().is_none_or(|id| id.as_str() != ADMIN_CLIENT) {
        return Err(ResponseError::InvalidTopicException.into());
    }
    check_header(&batch).map_err(|code| Failure { log_start: log.log_start_offset().0, ..code.into() })?;
    let appended =
        if batch.header.is_transactional() { log.append_in_transaction(batch, verified) } else { log.append(batch) };
    let appended = appended.map_err(|error| {
        tracing::debug!(partition = %log.id(), %error, "refused");
        Failure::of_append(error, log)
    })?;
    Ok((Arc::clone(log), appended))
}

/// The one batch that a partition's data must be. Less than another one behind it is passed over.
pub(super) fn only_batch(records: Bytes, version: i16) -> Result<Batch, Failure> {
    let Some(batch) = split_batches(records.clone()).next() else {
        // None, or less than one.
        return Err(ResponseError::InvalidRecord.into());
    };
    let batch = batch.map_err(|error| error::of_batch(&error))?;
    let rest = records.slice(batch.header.size..);
    if beyond_measure(&rest).is_some() {
        return Err(ResponseError::CorruptMessage.into());
    }
    if split_batches(rest).next().is_some() {
        return Err(ResponseError::InvalidRecord.into());
    }
    match batch.header.compression() {
        Ok(Compression::Zstd) if version < ZSTD_MIN => Err(ResponseError::UnsupportedCompressionType.into()),
        _ => Ok(batch),
    }
}

/// What a client may not say of its batch.
fn check_header(batch: &Batch) -> Result<(), ResponseError> {
    let header = &batch.header;
    // A log never forgets a query's producer, so that no client may take its id.
    if header.producer_id.is_query() {
        return Err(ResponseError::InvalidProducerIdMapping);
    }
    if header.base_offset.0 != 0 {
        return Err(ResponseError::InvalidRecord);
    }
    Ok(())
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
        .with_log_start_offset(failure.log_start);
    if version < MESSAGES_MIN {
        return response;
    }
    match (&failure.records, &failure.message) {
        (Some(refused), _) => {
            let records = refused.records.iter().map(|(index, why)| {
                BatchIndexAndErrorMessage::default()
                    .with_batch_index(*index)
                    .with_batch_index_error_message(Some(StrBytes::from_string(why.clone())))
            });
            response
                .with_error_message(Some(StrBytes::from_string(refused.to_string())))
                .with_record_errors(records.collect())
        }
        (None, Some(message)) => response.with_error_message(Some(StrBytes::from_string(message.clone()))),
        (None, None) => response,
    }
}
