//! DeleteGroups (`GroupCoordinatorService.deleteGroups`, KIP-229).

use brooklet_coordinator::groups::{Command, GroupError, Reply};
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};

use super::group_text::{once_each, shared_str};
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::observed::is_reserved;
use crate::shared::{Call, Shared};

/// Each group succeeds or fails for itself; one that is named twice is deleted and told of once.
pub(crate) async fn handle(shared: &Shared, _call: &Call, mut request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    once_each(&mut request.groups_names, |id| id);
    let mut results = Vec::with_capacity(request.groups_names.len());
    for group in request.groups_names {
        let code = delete(shared, &group).await.err().map_or(0, |error| error::of_coordinator(&error).code());
        results.push(DeletableGroupResult::default().with_group_id(group).with_error_code(code));
    }
    DeleteGroupsResponse::default().with_results(results)
}

async fn delete(shared: &Shared, group: &GroupId) -> Result<(), CoordinatorError> {
    if is_reserved(group) {
        let exists = shared.observed_ids().iter().any(|observed| *observed == ***group);
        let error = if exists { GroupError::NonEmptyGroup } else { GroupError::GroupIdNotFound };
        return Err(error.into());
    }
    match shared.coordinators.ask(Command::DeleteGroup { group: shared_str(group) }).await? {
        Reply::Done(outcome) => Ok(outcome?),
        _ => Err(CoordinatorError::Unavailable),
    }
}
