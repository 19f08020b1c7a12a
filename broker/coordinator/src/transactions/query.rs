//! What can be asked without changing anything: DescribeTransactions, ListTransactions.

use std::sync::Arc;

use brooklet_model::{ProducerId, Timestamp};

use super::TransactionCoordinator;
use super::record::{State, Transaction};

/// Which transactional ids are asked for. What is empty does not filter.
#[derive(Clone, Debug, Default)]
pub struct ListedTransactions {
    /// In one of these states.
    pub states: Vec<State>,
    /// Whether states were asked for that are not known: together with no known one, nothing is found.
    pub only_states: bool,
    /// Of one of these producers.
    pub producer_ids: Vec<ProducerId>,
    /// With a transaction longer than this, in ms.
    pub longer_than_ms: Option<i64>,
}

/// A transactional id as ListTransactions tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The id.
    pub transactional_id: Arc<str>,
    /// Its producer.
    pub producer_id: ProducerId,
    /// Where it is.
    pub state: State,
}

impl TransactionCoordinator {
    /// What is known of an id.
    pub fn describe(&self, transactional_id: &str) -> Option<&Transaction> {
        self.transactions.get(transactional_id).map(AsRef::as_ref)
    }

    /// The ids that are asked for, in order.
    pub fn list(&self, asked: &ListedTransactions, now: Timestamp) -> Vec<Listed> {
        let wanted = |transaction: &Transaction| {
            let state = asked.states.is_empty() && !asked.only_states || asked.states.contains(&transaction.state);
            let producer = asked.producer_ids.is_empty() || asked.producer_ids.contains(&transaction.producer_id);
            let lasted = now.saturating_sub(transaction.start_timestamp);
            state && producer && asked.longer_than_ms.is_none_or(|least| lasted > least)
        };
        let found = self.transactions.iter().filter(|(_, transaction)| wanted(transaction));
        found
            .map(|(id, transaction)| Listed {
                transactional_id: id.clone(),
                producer_id: transaction.producer_id,
                state: transaction.state,
            })
            .collect()
    }
}
