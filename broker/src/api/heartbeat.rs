//! Heartbeat: a member's sign of life, and how it learns of a rebalance.

use brooklet_coordinator::groups::{Command, Heartbeat, Reply};
use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::group_text::{optional, shared_str};
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::shared::{Call, Shared};

/// Renews the member's session.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: HeartbeatRequest) -> HeartbeatResponse {
    let heartbeat = Heartbeat {
        group: shared_str(&request.group_id),
        member_id: shared_str(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        generation: request.generation_id,
    };
    let error = match shared.coordinators.ask(Command::Heartbeat(heartbeat)).await {
        Ok(Reply::Done(Ok(()))) => return HeartbeatResponse::default(),
        Ok(Reply::Done(Err(error))) => error.into(),
        Ok(_) => CoordinatorError::Unavailable,
        Err(error) => error,
    };
    HeartbeatResponse::default().with_error_code(error::of_coordinator(&error).code())
}
