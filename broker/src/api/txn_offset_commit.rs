//! TxnOffsetCommit: offsets that count once the transaction is committed (KIP-98, KIP-447, KIP-890).

use brooklet_coordinator::groups::{Commit, CommitPartition};
use brooklet_coordinator::transactions::{ClientVersion, Command, Producer};
use brooklet_model::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};

use super::add_offsets_to_txn::offsets_partition;
use super::commits::{Asked, Codes, codes, existing};
use super::group_text::{optional, shared_str};
use crate::coordinators::CoordinatorError;
use crate::coordinators::OFFSETS_TOPIC;
use crate::error;
use crate::observed::is_reserved;
use crate::shared::{Call, Shared};

/// The first version of the second protocol: the broker adds the group's partition to the transaction.
const V2_SINCE: i16 = 5;
/// The first version whose clients know TRANSACTION_ABORTABLE.
const ABORTABLE_SINCE: i16 = 4;

/// Commits what is for partitions that exist; UNKNOWN_TOPIC_OR_PARTITION for the rest.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: TxnOffsetCommitRequest) -> TxnOffsetCommitResponse {
    let asked = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|it| Asked {
            topic: &topic.name,
            partition: it.partition_index,
            offset: it.committed_offset,
            leader_epoch: it.committed_leader_epoch,
            metadata: it.committed_metadata.as_deref(),
        })
    });
    let partitions = existing(shared, asked);
    let known: Vec<TopicPartition> = partitions.iter().map(|commit| commit.partition.clone()).collect();
    let codes = if partitions.is_empty() { Vec::new() } else { commit(shared, call, &request, partitions).await };
    let mut codes = Codes::new(known, codes);
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            let code = codes.of(&topic.name, index);
            TxnOffsetCommitResponsePartition::default().with_partition_index(index).with_error_code(code)
        });
        TxnOffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions.collect())
    });
    TxnOffsetCommitResponse::default().with_topics(topics.collect())
}

/// An error code for each partition.
async fn commit(
    shared: &Shared,
    call: &Call,
    request: &TxnOffsetCommitRequest,
    partitions: Vec<CommitPartition>,
) -> Vec<i16> {
    let count = partitions.len();
    if request.group_id.is_empty() || is_reserved(&request.group_id) {
        return vec![ResponseError::InvalidGroupId.code(); count];
    }
    if let Err(error) = join_transaction(shared, call, request).await {
        return vec![error.code(); count];
    }
    let commit = Commit {
        group: shared_str(&request.group_id),
        member_id: shared_str(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        retention_ms: None,
        names_missing_group: false,
        partitions,
    };
    let (id, epoch) = (request.producer_id.0.into(), request.producer_epoch.into());
    codes(shared.coordinators.commit_in_transaction(id, epoch, commit).await, count)
}

/// Sees to it that the group's partition is in the transaction: that of an older client has to be there, that of a
/// client of the second protocol is added.
async fn join_transaction(shared: &Shared, call: &Call, request: &TxnOffsetCommitRequest) -> Result<(), ResponseError> {
    // What has begun is not looked up again.
    let log = shared.storage.log(OFFSETS_TOPIC, 0);
    let (id, epoch) = (request.producer_id.0.into(), request.producer_epoch.into());
    if log.is_some_and(|log| log.begin_transaction(id, epoch).is_none()) {
        return Ok(());
    }
    let producer = Producer { transactional_id: shared_str(&request.transactional_id), id, epoch };
    let joined = if call.version >= V2_SINCE {
        let partitions = [offsets_partition()].into();
        let command = Command::AddPartitions { producer, partitions, version: ClientVersion::V2 };
        shared.coordinators.ask_transactions(command).await.map(drop)
    } else {
        let verify = move |transactions: &brooklet_coordinator::transactions::TransactionCoordinator| {
            transactions.verify(&producer, &offsets_partition())
        };
        match shared.coordinators.look_at_transactions(verify).await {
            Ok(verified) => verified.map_err(CoordinatorError::from),
            Err(error) => Err(error),
        }
    };
    joined.map_err(|error| match error::of_coordinator(&error) {
        ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
        ResponseError::TransactionAbortable if call.version < ABORTABLE_SINCE => ResponseError::InvalidTxnState,
        error => error,
    })
}
