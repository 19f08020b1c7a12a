//! Changes of a topic's settings (`ConfigurationControlManager.incrementalAlterConfigResource`).

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_storage::{AlterTopicError, Storage};
use kafka_protocol::ResponseError;
use parking_lot::Mutex;

use super::config::{self, Kind};
use super::name;
use crate::error::{self, ApiError};
use crate::shared::Shared;

/// What is done to a setting (`AlterConfigOp.OpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Set,
    Delete,
    Append,
    Subtract,
}

impl Operation {
    pub(crate) fn from_wire(number: i8) -> Result<Self, ApiError> {
        match number {
            0 => Ok(Self::Set),
            1 => Ok(Self::Delete),
            2 => Ok(Self::Append),
            3 => Ok(Self::Subtract),
            other => Err(ApiError::new(ResponseError::InvalidRequest, format!("Unknown operation type {other}"))),
        }
    }
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) operation: Operation,
    pub(crate) value: Option<String>,
}

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
    name::validate(topic).map_err(|message| ApiError::new(ResponseError::InvalidTopicException, message))?;
    let (storage, topic) = (Arc::clone(&shared.storage), topic.to_owned());
    let work = move || change(&storage, &topic, changes, replace, validate_only);
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "changing settings ended early");
        Err(ResponseError::UnknownServerError.into())
    })
}

fn change(
    storage: &Storage,
    name: &str,
    changes: Vec<Change>,
    replace: bool,
    validate_only: bool,
) -> Result<(), ApiError> {
    let _one_at_a_time = CHANGING.lock();
    let unknown =
        || ApiError::new(ResponseError::UnknownTopicOrPartition, format!("The topic '{name}' does not exist."));
    let topic = storage.topic(name).ok_or_else(unknown)?;
    let before = if replace { BTreeMap::new() } else { topic.overrides.clone() };
    let overrides = changes.into_iter().try_fold(before, apply)?;
    config::validate(&overrides).map_err(|message| ApiError::new(ResponseError::InvalidConfig, message))?;
    if validate_only {
        return Ok(());
    }
    storage.alter_topic_config(name, overrides).map(|_| ()).map_err(|error| alter_error(&error))
}

fn apply(mut overrides: BTreeMap<String, String>, change: Change) -> Result<BTreeMap<String, String>, ApiError> {
    let Change { name, operation, value } = change;
    let value = value.unwrap_or_default();
    match operation {
        Operation::Set => drop(overrides.insert(name, value)),
        Operation::Delete => drop(overrides.remove(&name)),
        Operation::Append | Operation::Subtract => {
            let definition = config::definition(&name).filter(|definition| definition.kind == Kind::List);
            let Some(definition) = definition else {
                let what = if operation == Operation::Append { "APPEND" } else { "SUBTRACT" };
                let message = format!("Can't {what} to key {name} because its type is not LIST.");
                return Err(ApiError::new(ResponseError::InvalidConfig, message));
            };
            let present = overrides.get(&name).map_or(definition.default, String::as_str);
            let given: Vec<_> = words(&value).collect();
            let mut list: Vec<_> = words(present).collect();
            if operation == Operation::Append {
                list.extend(given.into_iter().filter(|word| !words(present).any(|it| it == *word)));
            } else {
                list.retain(|word| !given.contains(word));
            }
            let list = list.join(",");
            overrides.insert(name, list);
        }
    }
    Ok(overrides)
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
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
