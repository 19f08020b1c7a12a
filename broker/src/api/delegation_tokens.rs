//! The four APIs of delegation tokens (KIP-48): they are not to be had over a listener that anybody may read along on.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse, DescribeDelegationTokenRequest,
    DescribeDelegationTokenResponse, ExpireDelegationTokenRequest, ExpireDelegationTokenResponse,
    RenewDelegationTokenRequest, RenewDelegationTokenResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::shared::{ANONYMOUS, Call, Shared};

const CODE: ResponseError = ResponseError::DelegationTokenRequestNotAllowed;
/// Kind of principals that are people and programs (`KafkaPrincipal.USER_TYPE`).
const USER_TYPE: StrBytes = StrBytes::from_static_str("User");
/// No time.
const NEVER: i64 = -1;
/// First version that tells who asked, and who is to own the token.
const OWNER_MIN: i16 = 3;

/// Tells whose the token would have been.
pub(crate) async fn create(
    _: &Shared,
    call: &Call,
    request: CreateDelegationTokenRequest,
) -> CreateDelegationTokenResponse {
    let anonymous = || StrBytes::from_static_str(ANONYMOUS);
    let given = |name: Option<StrBytes>| name.filter(|name| !name.is_empty());
    let (kind, name) = match (given(request.owner_principal_type), given(request.owner_principal_name)) {
        (Some(kind), Some(name)) => (kind, name),
        _ => (USER_TYPE, anonymous()),
    };
    let response = CreateDelegationTokenResponse::default()
        .with_error_code(CODE.code())
        .with_principal_type(kind)
        .with_principal_name(name)
        .with_issue_timestamp_ms(NEVER)
        .with_expiry_timestamp_ms(NEVER)
        .with_max_timestamp_ms(NEVER);
    if call.version < OWNER_MIN {
        return response;
    }
    response.with_token_requester_principal_type(USER_TYPE).with_token_requester_principal_name(anonymous())
}

/// There is none to be renewed.
pub(crate) async fn renew(_: &Shared, _: &Call, _: RenewDelegationTokenRequest) -> RenewDelegationTokenResponse {
    RenewDelegationTokenResponse::default().with_error_code(CODE.code()).with_expiry_timestamp_ms(NEVER)
}

/// There is none to be ended.
pub(crate) async fn expire(_: &Shared, _: &Call, _: ExpireDelegationTokenRequest) -> ExpireDelegationTokenResponse {
    ExpireDelegationTokenResponse::default().with_error_code(CODE.code()).with_expiry_timestamp_ms(NEVER)
}

/// There is none to be told of.
pub(crate) async fn describe(
    _: &Shared,
    _: &Call,
    _: DescribeDelegationTokenRequest,
) -> DescribeDelegationTokenResponse {
    DescribeDelegationTokenResponse::default().with_error_code(CODE.code())
}
