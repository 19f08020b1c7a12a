//! ListConfigResources (`KafkaApis.handleListConfigResources`, KIP-1142): what has settings.

use brooklet_storage::Topic;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_config_resources_response::ConfigResource;
use kafka_protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};
use kafka_protocol::protocol::StrBytes;

use crate::configs::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};
use crate::shared::{Call, NODE_ID, Shared};

/// First version that says which kinds it wants; before it was about client metrics alone.
const KINDS_MIN: i16 = 1;

/// No kind means all. Of groups and subscriptions those are told that have settings of their own.
pub(crate) async fn handle(
    shared: &Shared,
    call: &Call,
    request: ListConfigResourcesRequest,
) -> ListConfigResourcesResponse {
    let wanted = match request.resource_types {
        _ if call.version < KINDS_MIN => vec![CLIENT_METRICS],
        all if all.is_empty() => vec![TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP],
        wanted => wanted,
    };
    if wanted.iter().any(|kind| ![TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP].contains(kind)) {
        return ListConfigResourcesResponse::default().with_error_code(ResponseError::UnsupportedVersion.code());
    }
    let named = |kind: i8, name: String| {
        ConfigResource::default().with_resource_type(kind).with_resource_name(StrBytes::from_string(name))
    };
    let mut resources = Vec::new();
    for kind in [GROUP, CLIENT_METRICS] {
        if wanted.contains(&kind) {
            resources.extend(shared.storage.resource_names(kind).into_iter().map(|name| named(kind, name)));
        }
    }
    for kind in [BROKER_LOGGER, BROKER] {
        if wanted.contains(&kind) {
            resources.push(named(kind, NODE_ID.0.to_string()));
        }
    }
    if wanted.contains(&TOPIC) {
        let topic = |topic: &std::sync::Arc<Topic>| named(TOPIC, topic.name.to_string());
        resources.extend(shared.storage.topics().iter().map(topic));
    }
    ListConfigResourcesResponse::default().with_config_resources(resources)
}
