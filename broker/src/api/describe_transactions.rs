//! DescribeTransactions (KIP-664).

use std::collections::BTreeMap;

use brooklet_coordinator::transactions::Transaction;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_transactions_response::{TopicData, TransactionState};
use kafka_protocol::messages::{DescribeTransactionsRequest, DescribeTransactionsResponse};

use super::group_text::wire;
use super::topic_name;
use crate::error;
use crate::shared::{Call, Shared};

/// TRANSACTIONAL_ID_NOT_FOUND for an id that is not known.
pub(crate) async fn handle(
    shared: &Shared,
    _call: &Call,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let ids = request.transactional_ids.clone();
    let found = shared.coordinators.look_at_transactions(move |transactions| {
        ids.iter().map(|id| transactions.describe(id).cloned()).collect::<Vec<_>>()
    });
    let found = found.await;
    let states = request.transactional_ids.into_iter().enumerate().map(|(index, id)| {
        let transaction = found.as_ref().map(|found| found.get(index).and_then(Option::as_ref));
        let state = match transaction {
            Err(error) => TransactionState::default().with_error_code(error::of_coordinator(error).code()),
            Ok(_) if id.is_empty() => TransactionState::default().with_error_code(ResponseError::InvalidRequest.code()),
            Ok(None) => TransactionState::default().with_error_code(ResponseError::TransactionalIdNotFound.code()),
            Ok(Some(transaction)) => describe(transaction),
        };
        state.with_transactional_id(id)
    });
    DescribeTransactionsResponse::default().with_transaction_states(states.collect())
}

fn describe(transaction: &Transaction) -> TransactionState {
    let mut topics: BTreeMap<_, Vec<i32>> = BTreeMap::new();
    for partition in &transaction.partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    let topics = topics
        .into_iter()
        .map(|(topic, partitions)| TopicData::default().with_topic(topic_name(topic)).with_partitions(partitions));
    TransactionState::default()
        .with_transaction_state(wire(&transaction.state.to_string()))
        .with_transaction_timeout_ms(transaction.timeout_ms)
        .with_transaction_start_time_ms(transaction.start_timestamp)
        .with_producer_id(transaction.producer_id.0.into())
        .with_producer_epoch(transaction.epoch.0)
        .with_topics(topics.collect())
}
