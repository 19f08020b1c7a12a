//! InitProducerId for idempotent producers (`TransactionCoordinator.handleInitProducerId`, KIP-98, KIP-360).
//!
//! There are no transactions yet. A producer that asks for one is told TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which
//! clients report at once and do not retry.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::shared::{Call, Shared};

/// Stands for "none" in both an id and an epoch.
const NONE: i16 = -1;

/// A new id with epoch 0, whatever id the producer had before.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: InitProducerIdRequest) -> InitProducerIdResponse {
    match allocate(shared, &request).await {
        Ok(id) => InitProducerIdResponse::default().with_producer_id(id).with_producer_epoch(0),
        Err(error) => InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id(ProducerId(NONE.into()))
            .with_producer_epoch(NONE),
    }
}

async fn allocate(shared: &Shared, request: &InitProducerIdRequest) -> Result<ProducerId, ResponseError> {
    let (has_id, has_epoch) = (request.producer_id.0 != i64::from(NONE), request.producer_epoch != NONE);
    if has_id != has_epoch {
        return Err(ResponseError::InvalidRequest);
    }
    match &request.transactional_id {
        None => {}
        Some(id) if id.is_empty() => return Err(ResponseError::InvalidRequest),
        Some(id) => {
            let id = id.as_str();
            tracing::warn!(transactional_id = %id, "a producer asked for transactions, which are not supported yet");
            return Err(ResponseError::TransactionalIdAuthorizationFailed);
        }
    }
    shared.coordinators.allocate_producer_id().await.map(|id| ProducerId(id.0)).map_err(|error| {
        tracing::error!(%error, "no producer id was handed out");
        // Clients try again; Kafka answers so while its controller gives no block.
        ResponseError::CoordinatorLoadInProgress
    })
}
