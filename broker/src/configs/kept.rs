//! Changes of the settings that are kept for brokers, subscriptions and groups.

use std::sync::Arc;

use brooklet_storage::{AlterResourceError, Settings, Storage};
use kafka_protocol::ResponseError;
use parking_lot::Mutex;

use super::broker::{self, BrokerSettings};
use super::change::{self, Change, Operation, apply, not_a_list};
use super::{BROKER, GROUP, client_metrics, group};
use crate::error::{self, ApiError};
use crate::shared::Shared;
use crate::topics::config::Kind;

/// Longest name and longest value that can be told to every version of a client.
const TEXT_LEN_MAX: usize = 32_767;

/// One change at a time, so that none is lost between reading the settings and writing them.
static CHANGING: Mutex<()> = Mutex::new(());

/// Applies the changes to a resource's settings, or to none of its own with `replace`; all of them or none.
pub(crate) async fn alter(
    shared: &Shared,
    kind: i8,
    name: &str,
    changes: Vec<Change>,
    replace: bool,
    validate_only: bool,
) -> Result<(), ApiError> {
    let (storage, name) = (Arc::clone(&shared.storage), name.to_owned());
    change::make(move || change(&storage, kind, &name, changes, replace, validate_only)).await
}

fn change(
    storage: &Storage,
    kind: i8,
    name: &str,
    changes: Vec<Change>,
    replace: bool,
    validate_only: bool,
) -> Result<(), ApiError> {
    let _one_at_a_time = CHANGING.lock();
    let is_long = |text: &str| text.len() > TEXT_LEN_MAX;
    let value = |change: &Change| change.value.as_deref().is_some_and(is_long);
    if is_long(name) || changes.iter().any(|change| is_long(&change.name) || value(change)) {
        return Err(ApiError::new(ResponseError::InvalidRequest, "A name or a value is too long."));
    }
    let brokers = BrokerSettings::kept(storage);
    let before = match kind {
        BROKER if name.is_empty() => brokers.all.clone(),
        _ => storage.resource_config(kind, name),
    };
    let settings = if replace { Settings::new() } else { before };
    let after = match kind {
        BROKER => apply_to_broker(settings, changes)?,
        _ => apply(settings, changes, not_a_list)?,
    };
    match kind {
        BROKER => broker::validate(name, &brokers, &after)?,
        GROUP => group::validate(name, &after)?,
        _ => client_metrics::validate(name, &after)?,
    }
    if validate_only {
        return Ok(());
    }
    let topics = (kind == BROKER).then(|| brokers.with(name, after.clone()).topic_defaults());
    storage.alter_resource_config(kind, name, after, topics).map_err(|error| match error {
        AlterResourceError::TooMany(_) | AlterResourceError::TooLarge(_) => {
            ApiError::new(ResponseError::PolicyViolation, error.to_string())
        }
        AlterResourceError::Config(error) => ApiError::new(ResponseError::InvalidRequest, error.to_string()),
        AlterResourceError::Storage(error) => error::of_storage(&error).into(),
    })?;
    if kind == BROKER {
        broker::tune(storage);
    }
    Ok(())
}

fn apply_to_broker(settings: Settings, changes: Vec<Change>) -> Result<Settings, ApiError> {
    if let Some(number) = changes.iter().find_map(|change| match change.operation {
        Operation::Unknown(number) => Some(number),
        _ => None,
    }) {
        let message = format!("Unknown operations type {number}");
        return Err(ApiError::new(ResponseError::InvalidRequest, message));
    }
    let known = |name: &str| match broker::definition(name) {
        Some(definition) => Some((definition.kind, definition.default)),
        None => broker::at_start(name).map(|(kind, default)| (kind, default.unwrap_or_default())),
    };
    apply(settings, changes, |name, operation| match known(name) {
        Some((Kind::List, default)) => Ok(default),
        Some(_) => {
            let what = if operation == Operation::Append { "append" } else { "subtract" };
            let message = format!("Config value {what} is not allowed for config key: {name}");
            Err(ApiError::new(ResponseError::InvalidConfig, message))
        }
        // Kafka fails on it.
        None => Err(ResponseError::UnknownServerError.into()),
    })
}
