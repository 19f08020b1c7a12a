//! DescribeAcls, CreateAcls, DeleteAcls (`AclApis`): there is no authorizer to keep any.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest,
    DescribeAclsResponse,
};
use kafka_protocol::protocol::{Encodable, StrBytes};

use crate::reply::{self, Reply};
use crate::shared::{Call, Shared};

const CODE: ResponseError = ResponseError::SecurityDisabled;
const NO_AUTHORIZER: &str = "No Authorizer is configured on the broker";
const NO_AUTHORIZER_TO_CHANGE: &str = "No Authorizer is configured.";

/// What stands for what the client does not know: Kafka does not take a request with one of them for a request.
const UNKNOWN: i8 = 0;

/// As a broker without an authorizer.
pub(crate) async fn describe(_: &Shared, call: &Call, request: DescribeAclsRequest) -> Reply {
    let named = [request.resource_type_filter, request.pattern_type_filter, request.operation, request.permission_type];
    let response = DescribeAclsResponse::default()
        .with_error_code(CODE.code())
        .with_error_message(Some(StrBytes::from_static_str(NO_AUTHORIZER)));
    reply(&response, call, named.contains(&UNKNOWN))
}

/// As a controller without an authorizer: each fails.
pub(crate) async fn create(_: &Shared, call: &Call, request: CreateAclsRequest) -> Reply {
    let is_unknown = |it: &AclCreation| {
        [it.resource_type, it.resource_pattern_type, it.operation, it.permission_type].contains(&UNKNOWN)
    };
    let refused = AclCreationResult::default()
        .with_error_code(CODE.code())
        .with_error_message(Some(StrBytes::from_static_str(NO_AUTHORIZER_TO_CHANGE)));
    let response = CreateAclsResponse::default().with_results(vec![refused; request.creations.len()]);
    reply(&response, call, request.creations.iter().any(is_unknown))
}

/// As a controller without an authorizer: each fails.
pub(crate) async fn delete(_: &Shared, call: &Call, request: DeleteAclsRequest) -> Reply {
    let is_unknown = |it: &DeleteAclsFilter| {
        [it.resource_type_filter, it.pattern_type_filter, it.operation, it.permission_type].contains(&UNKNOWN)
    };
    let refused = DeleteAclsFilterResult::default()
        .with_error_code(CODE.code())
        .with_error_message(Some(StrBytes::from_static_str(NO_AUTHORIZER_TO_CHANGE)));
    let response = DeleteAclsResponse::default().with_filter_results(vec![refused; request.filters.len()]);
    reply(&response, call, request.filters.iter().any(is_unknown))
}

fn reply(response: &impl Encodable, call: &Call, is_unknown: bool) -> Reply {
    if is_unknown {
        return Reply::Close;
    }
    reply::encode(response, call.version).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer about ACLs does not encode");
        Reply::Close
    })
}
