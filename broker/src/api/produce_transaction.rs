//! What comes before the first batch of a transaction in a partition: the coordinator is asked whether the partition is
//! in the transaction, or, for clients of the second protocol, adds it (KIP-890). See
//! `ReplicaManager.handleProduceAppend` and `AddPartitionsToTxnManager`.

use std::collections::BTreeMap;

use brooklet_coordinator::transactions::{ClientVersion, Command, Producer, TransactionCoordinator};
use brooklet_model::{Batch, ProducerEpoch, ProducerId, TopicPartition};
use brooklet_storage::Verified;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::ProduceRequest;

use super::group_text::shared_str;
use super::produce::{Failure, only_batch};
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::shared::{Call, Shared};

/// The first version of the second protocol.
const V2_SINCE: i16 = 12;
/// The first version whose clients know TRANSACTION_ABORTABLE.
const ABORTABLE_SINCE: i16 = 11;

/// What is known of the partitions where a transaction may begin; nothing, for most requests.
#[derive(Default)]
pub(super) struct Transaction {
    verified: BTreeMap<TopicPartition, Result<Verified, Failure>>,
}

impl Transaction {
    /// What the log is to be shown for a batch of the transaction.
    pub(super) fn verified(&mut self, partition: &TopicPartition) -> Result<Option<Verified>, Failure> {
        self.verified.remove(partition).transpose()
    }
}

/// Looks a request's transaction up. An error concerns all of the request.
pub(super) async fn look_up(
    shared: &Shared,
    call: &Call,
    request: &ProduceRequest,
) -> Result<Transaction, ResponseError> {
    let topics = request.topic_data.iter();
    let all = topics.flat_map(|topic| topic.partition_data.iter().map(move |partition| (topic, partition)));
    let is_transactional = |records: &bytes::Bytes| records.get(22).is_some_and(|attributes| attributes & 0x10 != 0);
    let transactional = all.filter(|(_, partition)| partition.records.as_ref().is_some_and(is_transactional));
    let mut producer: Option<(ProducerId, ProducerEpoch)> = None;
    let mut unknown = BTreeMap::new();
    for (topic_data, data) in transactional {
        // What is no batch is refused before anything is added.
        let Ok(Batch { header, .. }) = only_batch(data.records.clone().unwrap_or_default(), call.version) else {
            continue;
        };
        // What has no producer is stored as it is.
        if header.producer_id.0 < 0 {
            continue;
        }
        let of_batch = (header.producer_id, header.producer_epoch);
        if *producer.get_or_insert(of_batch) != of_batch {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        let topic = match call.version >= super::produce::TOPIC_IDS_MIN {
            true => shared.storage.topic_by_id(topic_data.topic_id),
            false => shared.storage.topic(&topic_data.name),
        };
        let Some(topic) = topic else { continue };
        let log = usize::try_from(data.index).ok().and_then(|index| topic.partitions.get(index));
        if let Some(log) = log
            && let Some(verified) = log.begin_transaction(header.producer_id, header.producer_epoch)
        {
            unknown.insert(log.id().clone(), verified);
        }
    }
    let (Some((id, epoch)), Some(transactional_id), false) = (producer, &request.transactional_id, unknown.is_empty())
    else {
        return Ok(Transaction::default());
    };
    let producer = Producer { transactional_id: shared_str(transactional_id), id, epoch };
    Ok(ask(shared, call, producer, unknown).await)
}

async fn ask(
    shared: &Shared,
    call: &Call,
    producer: Producer,
    unknown: BTreeMap<TopicPartition, Verified>,
) -> Transaction {
    let refuse = |error: CoordinatorError| failure(&error, call.version);
    if call.version >= V2_SINCE {
        let partitions = unknown.keys().cloned().collect();
        let command = Command::AddPartitions { producer, partitions, version: ClientVersion::V2 };
        let added = shared.coordinators.ask_transactions(command).await;
        let result = |verified: Verified| added.map(|_| verified.from_zero()).map_err(refuse);
        let verified = unknown.into_iter().map(|(partition, verified)| (partition, result(verified)));
        return Transaction { verified: verified.collect() };
    }
    let partitions: Vec<_> = unknown.keys().cloned().collect();
    let look = move |transactions: &TransactionCoordinator| {
        partitions.iter().map(|partition| transactions.verify(&producer, partition)).collect::<Vec<_>>()
    };
    let looked = shared.coordinators.look_at_transactions(look).await;
    let result = |index: usize| match &looked {
        Ok(results) => results.get(index).copied().unwrap_or(Ok(())).map_err(CoordinatorError::from),
        Err(error) => Err(*error),
    };
    let verified = unknown.into_iter().enumerate().map(|(index, (partition, verified))| {
        let result = result(index).map(|()| verified).map_err(refuse);
        (partition, result)
    });
    Transaction { verified: verified.collect() }
}

/// What producers understand of what the coordinator said.
fn failure(error: &CoordinatorError, version: i16) -> Failure {
    let unable = |underlying: &str| {
        let text = "Unable to verify the partition has been added to the transaction. Underlying error: ";
        Failure::with_message(ResponseError::NotEnoughReplicas, format!("{text}{underlying}"))
    };
    match error::of_coordinator(error) {
        ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch.into(),
        ResponseError::TransactionAbortable if version < ABORTABLE_SINCE => {
            Failure::with_message(ResponseError::InvalidTxnState, "Partition was not added to the transaction")
        }
        ResponseError::ConcurrentTransactions if version < V2_SINCE => unable("CONCURRENT_TRANSACTIONS"),
        ResponseError::CoordinatorLoadInProgress => unable("COORDINATOR_LOAD_IN_PROGRESS"),
        ResponseError::NotCoordinator => unable("NOT_COORDINATOR"),
        code => code.into(),
    }
}
