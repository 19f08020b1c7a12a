//! EndTxn: commits or aborts a transaction (KIP-98); since version 5 the client gets a new epoch with it (KIP-890).

use brooklet_coordinator::transactions::{ClientVersion, Command, Producer, Reply};
use kafka_protocol::messages::{EndTxnRequest, EndTxnResponse};

use super::group_text::shared_str;
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::shared::{Call, Shared};

/// The first version of the second protocol.
const V2_SINCE: i16 = 5;
/// The first version whose clients know PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

/// Answers once the markers are written.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: EndTxnRequest) -> EndTxnResponse {
    let command = Command::End {
        producer: Producer {
            transactional_id: shared_str(&request.transactional_id),
            id: request.producer_id.0.into(),
            epoch: request.producer_epoch.into(),
        },
        commit: request.committed,
        version: if call.version >= V2_SINCE { ClientVersion::V2 } else { ClientVersion::V1 },
    };
    let error = match shared.coordinators.ask_transactions(command).await {
        Ok(Reply::Producer(id, epoch)) => {
            return EndTxnResponse::default().with_producer_id(id.0.into()).with_producer_epoch(epoch.0);
        }
        Ok(Reply::Done) => CoordinatorError::Unavailable,
        Err(error) => error,
    };
    let code = error::of_transaction_for(&error, call.version, FENCED_SINCE).code();
    EndTxnResponse::default().with_error_code(code).with_producer_id((-1).into()).with_producer_epoch(-1)
}
