//! AddPartitionsToTxn: what a transaction is going to write to (KIP-98); since version 4 of several transactions, and
//! for brokers that only ask whether it is in (KIP-890).

use std::collections::{BTreeMap, BTreeSet};

use brooklet_coordinator::transactions::{ClientVersion, Command, Producer};
use brooklet_model::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction};
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, TopicName};

use super::group_text::shared_str;
use crate::error;
use crate::shared::{Call, Shared};

/// The first version with several transactions.
const BATCH_SINCE: i16 = 4;
/// The first version whose clients know PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

/// Adds all partitions of a transaction or none.
pub(crate) async fn handle(
    shared: &Shared,
    call: &Call,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    if call.version < BATCH_SINCE {
        let transaction = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(request.v3_and_below_transactional_id)
            .with_producer_id(request.v3_and_below_producer_id)
            .with_producer_epoch(request.v3_and_below_producer_epoch)
            .with_topics(request.v3_and_below_topics);
        let results = add(shared, call, &transaction).await;
        return AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results);
    }
    let mut results = Vec::with_capacity(request.transactions.len());
    for transaction in request.transactions {
        let topics = add(shared, call, &transaction).await;
        let result = AddPartitionsToTxnResult::default().with_transactional_id(transaction.transactional_id);
        results.push(result.with_topic_results(topics));
    }
    AddPartitionsToTxnResponse::default().with_results_by_transaction(results)
}

async fn add(
    shared: &Shared,
    call: &Call,
    transaction: &AddPartitionsToTxnTransaction,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let exists = |topic: &str, partition: i32| shared.storage.log(topic, partition).is_some();
    let all = || {
        let topics = transaction.topics.iter();
        topics.flat_map(|topic| topic.partitions.iter().map(|partition| (topic.name.as_str(), *partition)))
    };
    if !all().all(|(topic, partition)| exists(topic, partition)) {
        return results(&each_once(&transaction.topics), |topic, partition| match exists(topic, partition) {
            true => ResponseError::OperationNotAttempted.code(),
            false => ResponseError::UnknownTopicOrPartition.code(),
        });
    }
    let partitions: BTreeSet<_> = all().map(|(topic, partition)| TopicPartition::new(topic, partition)).collect();
    let producer = Producer {
        transactional_id: shared_str(&transaction.transactional_id),
        id: transaction.producer_id.0.into(),
        epoch: transaction.producer_epoch.into(),
    };
    let code = |error| error::of_transaction_for(&error, call.version, FENCED_SINCE).code();
    if transaction.verify_only {
        let verified = shared.coordinators.look_at_transactions(move |transactions| {
            let verify = |partition| transactions.verify(&producer, partition).map_err(Into::into);
            partitions.iter().map(|partition| (partition.clone(), verify(partition))).collect::<Vec<_>>()
        });
        let verified = match verified.await {
            Ok(verified) => verified,
            Err(error) => return results(&transaction.topics, |_, _| code(error)),
        };
        return results(&each_once(&transaction.topics), |topic, partition| {
            let found = verified.iter().find(|(known, _)| &*known.topic == topic && known.partition == partition);
            found.map_or(0, |(_, result)| result.map_or_else(code, |()| 0))
        });
    }
    let version = if call.version >= BATCH_SINCE { ClientVersion::V2 } else { ClientVersion::V1 };
    let added = shared.coordinators.ask_transactions(Command::AddPartitions { producer, partitions, version }).await;
    let code = added.map_or_else(code, |_| 0);
    results(&transaction.topics, |_, _| code)
}

/// Every topic and every partition of it once: so Kafka tells what is not the same for all of them.
fn each_once(topics: &[AddPartitionsToTxnTopic]) -> Vec<AddPartitionsToTxnTopic> {
    let mut once = BTreeMap::<_, BTreeSet<_>>::new();
    for topic in topics.iter().filter(|topic| !topic.partitions.is_empty()) {
        once.entry(topic.name.clone()).or_default().extend(&topic.partitions);
    }
    let topic = |(name, partitions): (TopicName, BTreeSet<i32>)| {
        AddPartitionsToTxnTopic::default().with_name(name).with_partitions(partitions.into_iter().collect())
    };
    once.into_iter().map(topic).collect()
}

fn results(topics: &[AddPartitionsToTxnTopic], code: impl Fn(&str, i32) -> i16) -> Vec<AddPartitionsToTxnTopicResult> {
    let of_topic = |topic: &AddPartitionsToTxnTopic| {
        let partitions = topic.partitions.iter().map(|partition| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*partition)
                .with_partition_error_code(code(&topic.name, *partition))
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(partitions.collect())
    };
    topics.iter().map(of_topic).collect()
}
