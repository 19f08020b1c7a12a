//! InitProducerId for idempotent producers, and for those with a transactional id (KIP-98, KIP-360).
//! See `TransactionCoordinator.handleInitProducerId`.

use brooklet_coordinator::transactions::{Command, Reply};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use super::group_text::shared_str;
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::shared::{Call, Shared};

/// Stands for "none" in both an id and an epoch.
const NONE: i16 = -1;
/// The first version whose clients know PRODUCER_FENCED.
const FENCED_SINCE: i16 = 4;

/// A new id with epoch 0, or who the producer of the transactional id is from now on.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: InitProducerIdRequest) -> InitProducerIdResponse {
    let response = InitProducerIdResponse::default();
    match init(shared, call, &request).await {
        Ok((id, epoch)) => response.with_producer_id(id).with_producer_epoch(epoch),
        Err(error) => {
            response.with_error_code(error.code()).with_producer_id(ProducerId(NONE.into())).with_producer_epoch(NONE)
        }
    }
}

async fn init(
    shared: &Shared,
    call: &Call,
    request: &InitProducerIdRequest,
) -> Result<(ProducerId, i16), ResponseError> {
    let (has_id, has_epoch) = (request.producer_id.0 != i64::from(NONE), request.producer_epoch != NONE);
    if has_id != has_epoch {
        return Err(ResponseError::InvalidRequest);
    }
    let Some(transactional_id) = &request.transactional_id else {
        let allocated = shared.coordinators.allocate_producer_id().await;
        return allocated.map(|id| (ProducerId(id.0), 0)).map_err(|error| {
            tracing::error!(%error, "no producer id was handed out");
            // Clients try again; Kafka answers so while its controller gives no block.
            ResponseError::CoordinatorLoadInProgress
        });
    };
    let command = Command::Init {
        transactional_id: shared_str(transactional_id),
        timeout_ms: request.transaction_timeout_ms,
        expected: has_id.then(|| (request.producer_id.0.into(), request.producer_epoch.into())),
    };
    let error = match shared.coordinators.ask_transactions(command).await {
        Ok(Reply::Producer(id, epoch)) => return Ok((ProducerId(id.0), epoch.0)),
        Ok(Reply::Done) => CoordinatorError::Unavailable,
        Err(error) => error,
    };
    Err(error::of_transaction_for(&error, call.version, FENCED_SINCE))
}
