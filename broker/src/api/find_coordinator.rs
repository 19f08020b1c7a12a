//! FindCoordinator: this broker coordinates everything (KIP-699 for several keys at once).

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::error::ApiError;
use crate::shared::{Call, NODE_ID, Shared};

/// `FindCoordinatorRequest.CoordinatorType`
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;
/// The first version that knows share groups (KIP-932).
const SHARE_SINCE: i16 = 6;
/// The first version whose response has a message.
const MESSAGE_SINCE: i16 = 1;
/// The first version with several keys.
const BATCH_SINCE: i16 = 4;

/// INVALID_REQUEST for a key type that the version does not know, and for a share key that is none.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    if call.version < BATCH_SINCE {
        return single(shared, call, &request);
    }
    let coordinators = request.coordinator_keys.into_iter().map(|key| {
        if is_valid(call.version, request.key_type, &key) {
            Coordinator::default()
                .with_key(key)
                .with_node_id(NODE_ID)
                .with_host(shared.host.clone())
                .with_port(shared.port.into())
        } else {
            Coordinator::default()
                .with_key(key)
                .with_node_id((-1).into())
                .with_port(-1)
                .with_error_code(ResponseError::InvalidRequest.code())
                // Kafka has no words for a kind that it knows.
                .with_error_message(Some(if request.key_type == SHARE { StrBytes::default() } else { message() }))
        }
    });
    FindCoordinatorResponse::default().with_coordinators(coordinators.collect())
}

fn single(shared: &Shared, call: &Call, request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
    if is_valid(call.version, request.key_type, &request.key) {
        FindCoordinatorResponse::default()
            .with_node_id(NODE_ID)
            .with_host(shared.host.clone())
            .with_port(shared.port.into())
            // Kafka has a word for success too, until it answers for several keys.
            .with_error_message((call.version >= MESSAGE_SINCE).then(|| StrBytes::from_static_str("NONE")))
    } else {
        FindCoordinatorResponse::default()
            .with_node_id((-1).into())
            .with_port(-1)
            .with_error_code(ResponseError::InvalidRequest.code())
            .with_error_message(Some(message()))
    }
}

fn message() -> StrBytes {
    ApiError::with_kafkas_words(ResponseError::InvalidRequest).message().unwrap_or_default()
}

fn is_valid(version: i16, key_type: i8, key: &str) -> bool {
    match key_type {
        GROUP | TRANSACTION => true,
        SHARE => version >= SHARE_SINCE && is_share_key(key),
        _ => false,
    }
}

/// `group:topicId:partition`, the id in Kafka's base64 (`org.apache.kafka.server.share.SharePartitionKey`).
fn is_share_key(key: &str) -> bool {
    let mut parts = key.rsplitn(3, ':');
    let (Some(partition), Some(topic_id), Some(group)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    partition.parse::<i32>().is_ok() && is_topic_id(topic_id) && !group.is_empty()
}

/// 16 bytes in URL-safe base64 without padding.
fn is_topic_id(text: &str) -> bool {
    const TEXT_LEN: usize = (size_of::<Uuid>() * 4).div_ceil(3);
    text.len() == TEXT_LEN && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_checked_by_its_type_and_version() {
        let share = "g:AAAAAAAAAAAAAAAAAAAAAA:0";
        for (version, key_type, key, valid) in [
            (0, GROUP, "g", true),
            (1, TRANSACTION, "t", true),
            (6, SHARE, share, true),
            (5, SHARE, share, false),
            (6, SHARE, "g", false),
            (6, SHARE, "g:x:0", false),
            (6, SHARE, "g:AAAAAAAAAAAAAAAAAAAAAA:-1", true),
            (6, SHARE, "g:AAAAAAAAAAAAAAAAAAAAAA:x", false),
            (6, 3, "g", false),
        ] {
            assert_eq!(is_valid(version, key_type, key), valid, "{version} {key_type} {key}");
        }
    }
}
