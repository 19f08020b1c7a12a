//! LeaveGroup: one member, or since version 3 several (KIP-345), each with its own error.

use brooklet_coordinator::groups::{Command, Leave, LeaveMember, Left, Reply};
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use super::group_text::{optional, optional_wire, shared_str, wire};
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::shared::{Call, Shared};

/// The first version with several members.
const BATCH_SINCE: i16 = 3;

/// Takes the members out of the group, which rebalances without them.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let members = if call.version >= BATCH_SINCE {
        let member = |member: &kafka_protocol::messages::leave_group_request::MemberIdentity| LeaveMember {
            member_id: shared_str(&member.member_id),
            instance: optional(member.group_instance_id.as_ref()),
        };
        request.members.iter().map(member).collect()
    } else {
        vec![LeaveMember { member_id: shared_str(&request.member_id), instance: None }]
    };
    let leave = Leave { group: shared_str(&request.group_id), members };
    let error = match shared.coordinators.ask(Command::Leave(leave)).await {
        Ok(Reply::Leave(left)) => return response(call.version, &left),
        Ok(_) => CoordinatorError::Unavailable,
        Err(error) => error,
    };
    LeaveGroupResponse::default().with_error_code(error::of_coordinator(&error).code())
}

fn response(version: i16, left: &[Left]) -> LeaveGroupResponse {
    let code = |left: &Left| left.result.map_or_else(|error| error::of_group(error).code(), |()| 0);
    if version < BATCH_SINCE {
        return LeaveGroupResponse::default().with_error_code(left.first().map_or(0, code));
    }
    let members = left.iter().map(|left| {
        MemberResponse::default()
            .with_member_id(wire(&left.member.member_id))
            .with_group_instance_id(optional_wire(left.member.instance.as_deref()))
            .with_error_code(code(left))
    });
    LeaveGroupResponse::default().with_members(members.collect())
}
