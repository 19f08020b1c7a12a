//! Changes of a topic's settings (`ConfigurationControlManager.incrementalAlterConfigResource`).

use std::sync::Arc;

use brooklet_storage::{AlterTopicError, Storage};
use kafka_protocol::ResponseError;
use parking_lot::Mutex;

use super::config::{self, Kind};
use super::name;
use crate::configs::change::{self, Change, apply, not_a_list};
use crate::error::{self, ApiError};
use crate::shared::Shared;

/// One change at a time, so that none is lost between reading the settings and writing them.
static CHANGING: Mutex<()> = Mutex::new(());

/// Applies the changes to a topic's settings, or to none of its own with `replace`; all of them or none.
pub(crate) async fn alter(
    shared: &Shared,
    topic: &str,
    changes: Vec<Change>,
    replace: bool,
    validate_only: bool,
) -> Result<(), ApiError> {
    let (storage, topic) = (Arc::clone(&shared.storage), topic.to_owned());
    change::make(move || change(&storage, &topic, changes, replace, validate_only)).await
}

fn change(
    storage: &Storage,
    name: &str,
    changes: Vec<Change>,
    replace: bool,
    validate_only: bool,
) -> Result<(), ApiError> {
    let _one_at_a_time = CHANGING.lock();
    let topic = storage.topic(name);
    let before = topic.as_ref().filter(|_| !replace).map(|topic| topic.overrides.clone()).unwrap_or_default();
    let overrides = apply(before, changes, |name, operation| match config::definition(name) {
        Some(definition) if definition.kind == Kind::List => Ok(definition.default),
        _ => not_a_list(name, operation),
    })?;
    if name.is_empty() {
        return Err(ApiError::new(ResponseError::InvalidRequest, "Default topic resources are not allowed."));
    }
    name::validate(name).map_err(|message| ApiError::new(ResponseError::InvalidTopicException, message))?;
    config::validate(&overrides).map_err(|message| ApiError::new(ResponseError::InvalidConfig, message))?;
    if topic.is_none() {
        let message = format!("The topic '{name}' does not exist.");
        return Err(ApiError::new(ResponseError::UnknownTopicOrPartition, message));
    }
    if validate_only {
        return Ok(());
    }
    storage.alter_topic_config(name, overrides).map(|_| ()).map_err(|error| alter_error(&error))
}

/// Kafka's code for a change of a topic that was not made.
pub(crate) fn alter_error(error: &AlterTopicError) -> ApiError {
    match error {
        AlterTopicError::Unknown(_) => ResponseError::UnknownTopicOrPartition.into(),
        AlterTopicError::InvalidPartitions { .. } => ApiError::new(ResponseError::InvalidPartitions, error.to_string()),
        AlterTopicError::Config(error) => ApiError::new(ResponseError::InvalidConfig, error.to_string()),
        AlterTopicError::Storage(error) => error::of_storage(error).into(),
    }
}
