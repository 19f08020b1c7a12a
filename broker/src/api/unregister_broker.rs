//! UnregisterBroker (`ClusterControlManager.unregisterBroker`, KIP-919): there is one broker, which stays.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};

use crate::error::ApiError;
use crate::shared::{Call, NODE_ID, Shared};

/// Kafka lets its last broker go, and has a cluster then that answers nobody.
pub(crate) async fn handle(
    _shared: &Shared,
    _call: &Call,
    request: UnregisterBrokerRequest,
) -> UnregisterBrokerResponse {
    let error = match request.broker_id {
        NODE_ID => ApiError::new(ResponseError::PolicyViolation, "The only broker cannot be unregistered."),
        other => ApiError::new(
            ResponseError::BrokerIdNotRegistered,
            format!("Broker ID {} is not currently registered", other.0),
        ),
    };
    UnregisterBrokerResponse::default().with_error_code(error.code()).with_error_message(error.message())
}
