//! DescribeUserScramCredentials (`ScramControlManager`, KIP-554): nobody has to say who he is, so there are none.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult;
use kafka_protocol::messages::{DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::error::ApiError;
use crate::shared::{Call, Shared};

/// Of each user that is asked for there is nothing to tell; one that is asked for twice is a mistake.
pub(crate) async fn describe(
    _shared: &Shared,
    _call: &Call,
    request: DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let mut asked: BTreeMap<StrBytes, usize> = BTreeMap::new();
    for user in request.users.into_iter().flatten() {
        *asked.entry(user.name).or_default() += 1;
    }
    let result = |(user, times): (StrBytes, usize)| {
        let error = match times {
            1 => ApiError::new(
                ResponseError::ResourceNotFound,
                format!("Attempt to describe a user credential that does not exist: {}", user.as_str()),
            ),
            _ => ApiError::new(
                ResponseError::DuplicateResource,
                format!(
                    "Cannot describe SCRAM credentials for the same user twice in a single request: {}",
                    user.as_str()
                ),
            ),
        };
        DescribeUserScramCredentialsResult::default()
            .with_user(user)
            .with_error_code(error.code())
            .with_error_message(error.message())
    };
    DescribeUserScramCredentialsResponse::default()
        .with_error_message(Some(StrBytes::default()))
        .with_results(asked.into_iter().map(result).collect())
}
