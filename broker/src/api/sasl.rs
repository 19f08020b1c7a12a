//! SaslHandshake and SaslAuthenticate (`KafkaApis.handleSaslHandshakeRequest`): as on any listener without SASL, where
//! everybody has been let in already.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::shared::{Call, Shared};

const CODE: ResponseError = ResponseError::IllegalSaslState;

/// There is nothing to agree on.
pub(crate) async fn handshake(_: &Shared, _: &Call, _: SaslHandshakeRequest) -> SaslHandshakeResponse {
    SaslHandshakeResponse::default().with_error_code(CODE.code())
}

/// There is nobody to be told apart.
pub(crate) async fn authenticate(_: &Shared, _: &Call, _: SaslAuthenticateRequest) -> SaslAuthenticateResponse {
    let message = "SaslAuthenticate request received after successful authentication";
    SaslAuthenticateResponse::default()
        .with_error_code(CODE.code())
        .with_error_message(Some(StrBytes::from_static_str(message)))
}
