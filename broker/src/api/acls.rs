//! DescribeAcls, CreateAcls, DeleteAcls (`AclApis`): there is no authorizer to keep any.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest,
    DescribeAclsResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::shared::{Call, Shared};

const CODE: ResponseError = ResponseError::SecurityDisabled;
const NO_AUTHORIZER: &str = "No Authorizer is configured on the broker";
const NO_AUTHORIZER_TO_CHANGE: &str = "No Authorizer is configured.";

/// As a broker without an authorizer.
pub(crate) async fn describe(_: &Shared, _: &Call, _: DescribeAclsRequest) -> DescribeAclsResponse {
    DescribeAclsResponse::default()
        .with_error_code(CODE.code())
        .with_error_message(Some(StrBytes::from_static_str(NO_AUTHORIZER)))
}

/// As a controller without an authorizer: each fails.
pub(crate) async fn create(_: &Shared, _: &Call, request: CreateAclsRequest) -> CreateAclsResponse {
    let refused = AclCreationResult::default()
        .with_error_code(CODE.code())
        .with_error_message(Some(StrBytes::from_static_str(NO_AUTHORIZER_TO_CHANGE)));
    CreateAclsResponse::default().with_results(vec![refused; request.creations.len()])
}

/// As a controller without an authorizer: each fails.
pub(crate) async fn delete(_: &Shared, _: &Call, request: DeleteAclsRequest) -> DeleteAclsResponse {
    let refused = DeleteAclsFilterResult::default()
        .with_error_code(CODE.code())
        .with_error_message(Some(StrBytes::from_static_str(NO_AUTHORIZER_TO_CHANGE)));
    DeleteAclsResponse::default().with_filter_results(vec![refused; request.filters.len()])
}
