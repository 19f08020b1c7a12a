//! DescribeUserScramCredentials and AlterUserScramCredentials (KIP-554): passwords that nobody is asked for yet.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use kafka_protocol::messages::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResult,
};
use kafka_protocol::messages::{
    AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, DescribeUserScramCredentialsRequest,
    DescribeUserScramCredentialsResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::credentials::{Credentials, Upsertion};
use crate::error::ApiError;
use crate::shared::{Call, Shared};

/// Of each user that is asked for, or of all where none is; one that is asked for twice is a mistake.
pub(crate) async fn describe(
    shared: &Shared,
    _call: &Call,
    request: DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let credentials = &shared.cluster.contents().credentials;
    let mut asked: BTreeMap<StrBytes, usize> = BTreeMap::new();
    for user in request.users.into_iter().flatten() {
        *asked.entry(user.name).or_default() += 1;
    }
    if asked.is_empty() {
        asked.extend(credentials.users().map(|user| (StrBytes::from_string(user.to_owned()), 1)));
    }
    let described = |(user, times)| {
        let result = DescribeUserScramCredentialsResult::default();
        let result = match known(credentials, &user, times) {
            Ok(infos) => result.with_credential_infos(infos).with_error_message(Some(StrBytes::default())),
            Err(error) => result.with_error_code(error.code()).with_error_message(error.message()),
        };
        result.with_user(user)
    };
    DescribeUserScramCredentialsResponse::default()
        .with_error_message(Some(StrBytes::default()))
        .with_results(asked.into_iter().map(described).collect())
}

fn known(credentials: &Credentials, user: &StrBytes, times: usize) -> Result<Vec<CredentialInfo>, ApiError> {
    let user = user.as_str();
    if times > 1 {
        let message = format!("Cannot describe SCRAM credentials for the same user twice in a single request: {user}");
        return Err(ApiError::new(ResponseError::DuplicateResource, message));
    }
    let missing = || format!("Attempt to describe a user credential that does not exist: {user}");
    let all = credentials.of(user).ok_or_else(|| ApiError::new(ResponseError::ResourceNotFound, missing()))?;
    let info = |(mechanism, it): (&i8, &crate::cluster::credentials::Credential)| {
        CredentialInfo::default().with_mechanism(*mechanism).with_iterations(it.iterations)
    };
    Ok(all.iter().map(info).collect())
}

/// Each user succeeds or fails for himself.
pub(crate) async fn alter(
    shared: &Shared,
    _call: &Call,
    request: AlterUserScramCredentialsRequest,
) -> AlterUserScramCredentialsResponse {
    let deletions: Vec<_> = request.deletions.into_iter().map(|it| (it.name, it.mechanism)).collect();
    let upsertion =
        |it: kafka_protocol::messages::alter_user_scram_credentials_request::ScramCredentialUpsertion| Upsertion {
            user: it.name,
            mechanism: it.mechanism,
            iterations: it.iterations,
            salt: it.salt.to_vec(),
            salted_password: it.salted_password.to_vec(),
        };
    let upsertions: Vec<_> = request.upsertions.into_iter().map(upsertion).collect();
    let users = deletions.iter().map(|(user, _)| user).chain(upsertions.iter().map(|it| &it.user));
    let users: Vec<_> = users.cloned().collect();
    let altered = shared.cluster.change(false, |contents| contents.credentials.alter(deletions, upsertions)).await;
    let results = altered.unwrap_or_else(|error| {
        tracing::error!(%error, "credentials were not kept");
        let error = ApiError::from(error);
        users.into_iter().map(|user| (user, Err(error.clone()))).collect()
    });
    let answered = |(user, result): (StrBytes, Result<(), ApiError>)| {
        let answer = AlterUserScramCredentialsResult::default().with_user(user).with_error_message(None);
        match result {
            Ok(()) => answer,
            Err(error) => answer.with_error_code(error.code()).with_error_message(error.message()),
        }
    };
    AlterUserScramCredentialsResponse::default().with_results(results.into_iter().map(answered).collect())
}
