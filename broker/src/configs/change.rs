//! What is done to settings (`AlterConfigOp`, `ConfigurationControlManager.incrementalAlterConfigResource`).

use brooklet_storage::Settings;
use kafka_protocol::ResponseError;

use crate::error::ApiError;

/// What is done to a setting (`AlterConfigOp.OpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Set,
    Delete,
    Append,
    Subtract,
    /// None that there is.
    Unknown(i8),
}

impl Operation {
    pub(crate) fn from_wire(number: i8) -> Self {
        match number {
            0 => Self::Set,
            1 => Self::Delete,
            2 => Self::Append,
            3 => Self::Subtract,
            other => Self::Unknown(other),
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

/// The settings with the changes made; all of them or none. `list` has the default of a setting that is a list, or says
/// why nothing can be appended to it or subtracted from it.
pub(crate) fn apply(
    settings: Settings,
    changes: Vec<Change>,
    list: impl Fn(&str, Operation) -> Result<&'static str, ApiError>,
) -> Result<Settings, ApiError> {
    let one = |mut settings: Settings, change: Change| {
        let Change { name, operation, value } = change;
        let value = value.unwrap_or_default();
        match operation {
            Operation::Set => drop(settings.insert(name, value)),
            Operation::Delete => drop(settings.remove(&name)),
            Operation::Append | Operation::Subtract => {
                let default = list(&name, operation)?;
                let present = settings.get(&name).map_or(default, String::as_str);
                let given: Vec<_> = words(&value).collect();
                let mut joined: Vec<_> = words(present).collect();
                if operation == Operation::Append {
                    joined.extend(given.into_iter().filter(|word| !words(present).any(|it| it == *word)));
                } else {
                    joined.retain(|word| !given.contains(word));
                }
                let joined = joined.join(",");
                settings.insert(name, joined);
            }
            // Kafka fails on it.
            Operation::Unknown(_) => return Err(ResponseError::UnknownServerError.into()),
        }
        Ok(settings)
    };
    changes.into_iter().try_fold(settings, one)
}

/// Has settings changed on a thread that may wait for the disk.
pub(crate) async fn make(work: impl FnOnce() -> Result<(), ApiError> + Send + 'static) -> Result<(), ApiError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "changing settings ended early");
        Err(ResponseError::UnknownServerError.into())
    })
}

/// What is said of appending to what is no list, or subtracting from it.
pub(crate) fn not_a_list<T>(name: &str, operation: Operation) -> Result<T, ApiError> {
    let what = if operation == Operation::Append { "APPEND" } else { "SUBTRACT" };
    let message = format!("Can't {what} to key {name} because its type is not LIST.");
    Err(ApiError::new(ResponseError::InvalidConfig, message))
}

/// The elements of a list.
pub(crate) fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}
