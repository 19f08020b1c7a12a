//! DescribeGroups.

use brooklet_coordinator::groups::{DescribedGroup as Described, State};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId};

use super::group_text::{once_each, optional_wire, wire};
use crate::error;
use crate::shared::{Call, Shared};

/// A missing group is an error (KIP-1043); before it is one in state Dead.
const NAMES_MISSING_GROUP_SINCE: i16 = 6;
/// `authorizedOperations` of who did not ask.
const NOT_ASKED: i32 = i32::MIN;
/// All that can be done with a group, a bit each by `AclOperation`'s number: read 3, delete 6, describe 8,
/// describe configs 10, alter configs 11. Without an authorizer everyone may.
const ALL_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// Tells of each group asked for, in that order, once.
pub(crate) async fn handle(shared: &Shared, call: &Call, mut request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    once_each(&mut request.groups, |id| id);
    let ids = request.groups.clone();
    let found = shared
        .coordinators
        .look(move |groups| ids.iter().map(|id| groups.describe(id)).collect::<Vec<Option<Described>>>())
        .await;
    let operations = if request.include_authorized_operations { ALL_OPERATIONS } else { NOT_ASKED };
    let groups = match found {
        Ok(found) => request
            .groups
            .into_iter()
            .zip(found)
            .map(|(id, group)| match group {
                Some(group) => described(id, group).with_authorized_operations(operations),
                None => match shared.observed_group(&id) {
                    Some(group) => group.described(id).with_authorized_operations(operations),
                    None => missing(call.version, id, operations),
                },
            })
            .collect(),
        Err(error) => {
            let code = error::of_coordinator(&error).code();
            request.groups.into_iter().map(|id| blank(id).with_error_code(code)).collect()
        }
    };
    DescribeGroupsResponse::default().with_groups(groups)
}

fn blank(id: GroupId) -> DescribedGroup {
    DescribedGroup::default().with_group_id(id).with_authorized_operations(NOT_ASKED)
}

fn missing(version: i16, id: GroupId, operations: i32) -> DescribedGroup {
    let dead = wire(&State::Dead.to_string());
    if version < NAMES_MISSING_GROUP_SINCE {
        return blank(id).with_group_state(dead).with_authorized_operations(operations);
    }
    let message = format!("Group {} not found.", id.as_str());
    blank(id)
        .with_group_state(dead)
        .with_error_code(ResponseError::GroupIdNotFound.code())
        .with_error_message(Some(wire(&message)))
}

fn described(id: GroupId, group: Described) -> DescribedGroup {
    let members = group.members.iter().map(|member| {
        DescribedGroupMember::default()
            .with_member_id(wire(&member.member_id))
            .with_group_instance_id(optional_wire(member.instance.as_deref()))
            .with_client_id(wire(&member.client_id))
            .with_client_host(wire(&member.client_host))
            .with_member_metadata(member.metadata.clone())
            .with_member_assignment(member.assignment.clone())
    });
    DescribedGroup::default()
        .with_group_id(id)
        .with_group_state(wire(&group.state.to_string()))
        .with_protocol_type(wire(&group.protocol_type))
        .with_protocol_data(wire(&group.protocol))
        .with_members(members.collect())
}
