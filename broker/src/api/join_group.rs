//! JoinGroup: answered when the group's rebalance is over (`org.apache.kafka.coordinator.group.GroupMetadataManager`).

use brooklet_coordinator::groups::{Command, GroupError, Join, JoinRefused, Joined, Protocol, Reply};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use kafka_protocol::protocol::StrBytes;

use super::group_text::{optional, optional_wire, shared_str, wire};
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::observed::is_reserved;
use crate::shared::{Call, Shared};

/// One without an id is told it before it may join (KIP-394).
const MEMBER_ID_REQUIRED_SINCE: i16 = 4;
/// Before it the session timeout bounds the rebalance as well.
const REBALANCE_TIMEOUT_SINCE: i16 = 1;
/// The leader can be told not to assign (KIP-814).
const SKIP_ASSIGNMENT_SINCE: i16 = 9;
/// Before it the protocol's name cannot be null.
const NULL_PROTOCOL_SINCE: i16 = 7;

/// Parks the request until the group is complete.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: JoinGroupRequest) -> JoinGroupResponse {
    let asked_id = request.member_id.clone();
    if is_reserved(&request.group_id) {
        return refused(call.version, CoordinatorError::Refused(GroupError::InvalidGroupId), asked_id);
    }
    match shared.coordinators.ask(Command::Join(command(call, request))).await {
        Ok(Reply::Join(Ok(joined))) => accepted(call.version, joined),
        Ok(Reply::Join(Err(JoinRefused { error, member_id }))) => refused(call.version, error.into(), wire(&member_id)),
        Ok(_) => refused(call.version, CoordinatorError::Unavailable, asked_id),
        Err(error) => refused(call.version, error, asked_id),
    }
}

fn command(call: &Call, request: JoinGroupRequest) -> Join {
    let protocol = |protocol: JoinGroupRequestProtocol| Protocol {
        name: shared_str(&protocol.name),
        // A copy: a slice would hold the whole frame as long as the member lives.
        metadata: bytes::Bytes::copy_from_slice(&protocol.metadata),
    };
    Join {
        group: shared_str(&request.group_id),
        member_id: shared_str(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        client_id: shared_str(call.client_id.as_deref().unwrap_or_default()),
        // As Java prints an address without a name.
        client_host: format!("/{}", call.client_host).into(),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if call.version >= REBALANCE_TIMEOUT_SINCE {
            request.rebalance_timeout_ms
        } else {
            request.session_timeout_ms
        },
        protocol_type: shared_str(&request.protocol_type),
        protocols: request.protocols.into_iter().map(protocol).collect(),
        member_id_required: call.version >= MEMBER_ID_REQUIRED_SINCE,
        can_skip_assignment: call.version >= SKIP_ASSIGNMENT_SINCE,
    }
}

fn accepted(version: i16, joined: Joined) -> JoinGroupResponse {
    let members = joined.members.iter().map(|member| {
        JoinGroupResponseMember::default()
            .with_member_id(wire(&member.member_id))
            .with_group_instance_id(optional_wire(member.instance.as_deref()))
            .with_metadata(member.metadata.clone())
    });
    JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_type(optional_wire(joined.protocol_type.as_deref()))
        .with_protocol_name(protocol_name(version, joined.protocol.as_deref()))
        .with_leader(wire(&joined.leader))
        .with_skip_assignment(joined.skip_assignment)
        .with_member_id(wire(&joined.member_id))
        .with_members(members.collect())
}

fn refused(version: i16, error: CoordinatorError, member_id: StrBytes) -> JoinGroupResponse {
    JoinGroupResponse::default()
        .with_error_code(error::of_coordinator(&error).code())
        .with_generation_id(-1)
        .with_protocol_name(protocol_name(version, None))
        .with_member_id(member_id)
}

fn protocol_name(version: i16, name: Option<&str>) -> Option<StrBytes> {
    match name {
        None if version < NULL_PROTOCOL_SINCE => Some(StrBytes::default()),
        name => optional_wire(name),
    }
}
