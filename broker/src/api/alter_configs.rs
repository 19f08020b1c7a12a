//! IncrementalAlterConfigs (KIP-339) and AlterConfigs: a topic's settings, changed one by one or replaced
//! (`ConfigurationControlManager`). Nothing else can be changed while the broker runs.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    alter_configs_response, incremental_alter_configs_response,
};
use kafka_protocol::protocol::StrBytes;

use crate::error::ApiError;
use crate::shared::{Call, NODE_ID, Shared};
use crate::topics;
use crate::topics::alter::{Change, Operation};

/// Kinds of resources (`ConfigResource.Type`).
const TOPIC: i8 = 2;
const BROKER: i8 = 4;

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
        let changes = asked.configs.into_iter().map(|config| {
            Ok(Change {
                name: config.name.to_string(),
                operation: Operation::from_wire(config.config_operation)?,
                value: config.value.map(|value| value.to_string()),
            })
        });
        let outcome = match changes.collect() {
            Ok(changes) => alter(shared, &resource, &repeated, changes, false, request.validate_only).await,
            Err(error) => Err(error),
        };
        let (code, message) = told(outcome);
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
        TOPIC if name.is_empty() => invalid("Default topic resources are not allowed.".to_owned()),
        TOPIC => topics::alter::alter(shared, name, changes, replace, validate_only).await,
        BROKER => match name.parse::<i32>() {
            Err(_) if !name.is_empty() => invalid(format!("Node id must be an integer, but it is: {name}")),
            Ok(id) if id != NODE_ID.0 => {
                invalid(format!("Unexpected broker id, expected {}, but received {name}", NODE_ID.0))
            }
            _ if changes.is_empty() => Ok(()),
            _ => {
                let names: Vec<_> = changes.iter().map(|change| change.name.as_str()).collect();
                invalid(format!("Cannot update these configs dynamically: Set({})", names.join(", ")))
            }
        },
        other => invalid(format!("Unknown resource type {other}")),
    }
}
