//! IncrementalAlterConfigs (KIP-339) and AlterConfigs: the settings of topics, brokers, loggers, subscriptions to
//! metrics and groups, changed one by one or replaced (`ConfigAdminManager`, `ConfigurationControlManager`).

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    alter_configs_response, incremental_alter_configs_response,
};
use kafka_protocol::protocol::StrBytes;

use crate::configs::change::{Change, Operation};
use crate::configs::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC, kept};
use crate::error::ApiError;
use crate::loggers;
use crate::shared::{Call, NODE_ID, Shared};
use crate::topics;

type Resource = (i8, StrBytes);

/// Changes settings one by one. Each resource succeeds or fails for itself; one that comes twice fails.
pub(crate) async fn handle_incremental(
    shared: &Shared,
    _call: &Call,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let repeated = repeated(request.resources.iter().map(|it| (it.resource_type, it.resource_name.clone())));
    let mut responses = Vec::with_capacity(request.resources.len());
    for asked in request.resources {
        let resource = (asked.resource_type, asked.resource_name);
        let change = |config: kafka_protocol::messages::incremental_alter_configs_request::AlterableConfig| Change {
            name: config.name.to_string(),
            operation: Operation::from_wire(config.config_operation),
            value: config.value.map(|value| value.to_string()),
        };
        let changes = asked.configs.into_iter().map(change).collect();
        let (code, message) = told(alter(shared, &resource, &repeated, changes, false, request.validate_only).await);
        responses.push(
            incremental_alter_configs_response::AlterConfigsResourceResponse::default()
                .with_resource_type(resource.0)
                .with_resource_name(resource.1)
                .with_error_code(code)
                .with_error_message(message),
        );
    }
    IncrementalAlterConfigsResponse::default().with_responses(responses)
}

/// Replaces all settings. Each resource succeeds or fails for itself; one that comes twice fails.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let repeated = repeated(request.resources.iter().map(|it| (it.resource_type, it.resource_name.clone())));
    let mut responses = Vec::with_capacity(request.resources.len());
    for asked in request.resources {
        let resource = (asked.resource_type, asked.resource_name);
        let set = |config: kafka_protocol::messages::alter_configs_request::AlterableConfig| Change {
            name: config.name.to_string(),
            operation: Operation::Set,
            value: config.value.map(|value| value.to_string()),
        };
        let changes = asked.configs.into_iter().map(set).collect();
        let (code, message) = told(alter(shared, &resource, &repeated, changes, true, request.validate_only).await);
        responses.push(
            alter_configs_response::AlterConfigsResourceResponse::default()
                .with_resource_type(resource.0)
                .with_resource_name(resource.1)
                .with_error_code(code)
                .with_error_message(message),
        );
    }
    AlterConfigsResponse::default().with_responses(responses)
}

fn repeated(resources: impl Iterator<Item = Resource>) -> BTreeSet<Resource> {
    let mut seen = BTreeSet::new();
    resources.filter(|resource| !seen.insert(resource.clone())).collect()
}

fn told(outcome: Result<(), ApiError>) -> (i16, Option<StrBytes>) {
    match outcome {
        Ok(()) => (0, None),
        Err(error) => (error.code(), error.message()),
    }
}

async fn alter(
    shared: &Shared,
    resource: &Resource,
    repeated: &BTreeSet<Resource>,
    changes: Vec<Change>,
    replace: bool,
    validate_only: bool,
) -> Result<(), ApiError> {
    let invalid = |message: String| Err(ApiError::new(ResponseError::InvalidRequest, message));
    if repeated.contains(resource) {
        return invalid("Each resource must appear at most once.".to_owned());
    }
    let mut names = BTreeMap::new();
    if changes.iter().any(|change| names.insert(&change.name, ()).is_some()) {
        return invalid("Error due to duplicate config keys".to_owned());
    }
    if let Some(null) = changes.iter().find(|it| it.value.is_none() && it.operation != Operation::Delete) {
        return invalid(format!("Null value not supported for : {}", null.name));
    }
    let (kind, name) = (resource.0, resource.1.as_str());
    match kind {
        TOPIC => topics::alter::alter(shared, name, changes, replace, validate_only).await,
        BROKER if !name.is_empty() && name.parse() != Ok(NODE_ID.0) => invalid(wrong_broker(name)),
        BROKER | CLIENT_METRICS | GROUP => kept::alter(shared, kind, name, changes, replace, validate_only).await,
        BROKER_LOGGER if !replace && name.parse() != Ok(NODE_ID.0) => invalid(match name.parse::<i32>() {
            Ok(id) => format!("Unexpected node id. Expected {}, but received {id}", NODE_ID.0),
            Err(_) => wrong_broker(name),
        }),
        BROKER_LOGGER if !replace => loggers::alter(shared.root_logger(), &changes, validate_only),
        other => invalid(format!("Unknown resource type {other}")),
    }
}

/// What is said of a name that is not this broker's.
fn wrong_broker(name: &str) -> String {
    match name.parse::<i32>() {
        Err(_) => format!("Node id must be an integer, but it is: {name}"),
        Ok(_) => format!("Unexpected broker id, expected {}, but received {name}", NODE_ID.0),
    }
}
