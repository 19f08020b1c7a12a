//! SyncGroup: answered when the leader's assignment is there.

use brooklet_coordinator::groups::{Command, Reply, Sync, Synced};
use bytes::Bytes;
use kafka_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::group_text::{optional, optional_wire, shared_str};
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::shared::{Call, Shared};

/// Protocol type and name have to be there (KIP-559).
const PROTOCOL_SINCE: i16 = 5;

/// Parks the request until the leader has assigned.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: SyncGroupRequest) -> SyncGroupResponse {
    if call.version >= PROTOCOL_SINCE && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
        let code = kafka_protocol::ResponseError::InconsistentGroupProtocol.code();
        return SyncGroupResponse::default().with_error_code(code);
    }
    let assignments = request.assignments.into_iter().map(|assignment| {
        // A copy: a slice would hold the whole frame as long as the member lives.
        (shared_str(&assignment.member_id), Bytes::copy_from_slice(&assignment.assignment))
    });
    let sync = Sync {
        group: shared_str(&request.group_id),
        member_id: shared_str(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: optional(request.protocol_type.as_ref()),
        protocol: optional(request.protocol_name.as_ref()),
        assignments: assignments.collect(),
    };
    let error = match shared.coordinators.ask(Command::Sync(sync)).await {
        Ok(Reply::Sync(Ok(Synced { protocol_type, protocol, assignment }))) => {
            return SyncGroupResponse::default()
                .with_protocol_type(optional_wire(protocol_type.as_deref()))
                .with_protocol_name(optional_wire(protocol.as_deref()))
                .with_assignment(assignment);
        }
        Ok(Reply::Sync(Err(error))) => error.into(),
        Ok(_) => CoordinatorError::Unavailable,
        Err(error) => error,
    };
    SyncGroupResponse::default().with_error_code(error::of_coordinator(&error).code())
}
