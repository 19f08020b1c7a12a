//! ListTransactions (KIP-664; KIP-994: by duration; KIP-1152: by a pattern).

use brooklet_coordinator::transactions::{ListedTransactions, State};
use fancy_regex::Regex;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_transactions_response::TransactionState;
use kafka_protocol::messages::{ListTransactionsRequest, ListTransactionsResponse, TransactionalId};

use super::group_text::wire;
use crate::coordinators::wall_clock;
use crate::error;
use crate::shared::{Call, Shared};

/// Names of states that are not known are told, and find nothing; INVALID_REGULAR_EXPRESSION for a pattern that is none.
pub(crate) async fn handle(
    shared: &Shared,
    _call: &Call,
    request: ListTransactionsRequest,
) -> ListTransactionsResponse {
    let response = ListTransactionsResponse::default();
    let (mut states, mut unknown) = (Vec::new(), Vec::new());
    for name in &request.state_filters {
        match State::from_name(name) {
            Some(state) => states.push(state),
            None => unknown.push(name.clone()),
        }
    }
    let pattern = request.transactional_id_pattern.as_deref().filter(|pattern| !pattern.is_empty());
    // The whole id has to match, as with Java's `matches`.
    let pattern = match pattern.map(|pattern| Regex::new(&format!("^(?:{pattern})$"))).transpose() {
        Ok(pattern) => pattern,
        Err(_) => return response.with_error_code(ResponseError::InvalidRegularExpression.code()),
    };
    let asked = ListedTransactions {
        states,
        only_states: !request.state_filters.is_empty(),
        producer_ids: request.producer_id_filters.iter().map(|id| id.0.into()).collect(),
        longer_than_ms: Some(request.duration_filter).filter(|duration| *duration >= 0),
    };
    let listed = shared.coordinators.look_at_transactions(move |transactions| transactions.list(&asked, wall_clock()));
    match listed.await {
        Err(error) => response.with_error_code(error::of_coordinator(&error).code()),
        Ok(listed) => {
            // A pattern that takes too long to match does not match.
            let matches = |id: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(id).unwrap_or(false));
            let listed = listed.into_iter().filter(|listed| matches(&listed.transactional_id));
            let states = listed.map(|listed| {
                TransactionState::default()
                    .with_transactional_id(TransactionalId(wire(&listed.transactional_id)))
                    .with_producer_id(listed.producer_id.0.into())
                    .with_transaction_state(wire(&listed.state.to_string()))
            });
            response.with_unknown_state_filters(unknown).with_transaction_states(states.collect())
        }
    }
}
