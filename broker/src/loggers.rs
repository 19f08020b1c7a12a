//! The level at which the process logs, as the one logger that it has: `root` (KIP-412, `RuntimeLoggerManager`).

use std::fmt;
use std::str::FromStr;

use kafka_protocol::ResponseError;

use crate::configs::Told;
use crate::configs::change::{Change, Operation};
use crate::error::ApiError;
use crate::topics::config::{Kind, Source};

const ROOT: &str = "root";

/// How much is logged: messages of a level and of those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find an error.
    Debug,
    /// What one would like to know.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
    /// Nothing that the process survives.
    Fatal,
}

const LEVELS: [(LogLevel, &str); 6] = [
    (LogLevel::Debug, "DEBUG"),
    (LogLevel::Error, "ERROR"),
    (LogLevel::Fatal, "FATAL"),
    (LogLevel::Info, "INFO"),
    (LogLevel::Trace, "TRACE"),
    (LogLevel::Warn, "WARN"),
];

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = LEVELS.iter().find(|(level, _)| level == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl FromStr for LogLevel {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        LEVELS.iter().find(|(_, name)| *name == text).map(|(level, _)| *level).ok_or(())
    }
}

/// Knows at which level the process logs, and can change it.
pub trait RootLogger: Send + Sync {
    /// The level.
    fn level(&self) -> LogLevel;

    /// Logs at that level from now on.
    fn set_level(&self, level: LogLevel);
}

/// The loggers that there are.
pub(crate) fn told(root: Option<&dyn RootLogger>) -> Vec<Told> {
    let tell = |root: &dyn RootLogger| Told {
        name: ROOT.into(),
        kind: Kind::Unknown,
        value: Some(root.level().to_string()),
        source: Source::Logger,
        read_only: false,
        sensitive: false,
        synonyms: Vec::new(),
        doc: "",
    };
    root.map(tell).into_iter().collect()
}

/// Changes levels; all of them or none.
pub(crate) fn alter(root: Option<&dyn RootLogger>, changes: &[Change], validate_only: bool) -> Result<(), ApiError> {
    let mut level = None;
    for Change { name, operation, value } in changes {
        let refuse = |kind, message: String| Err(ApiError::new(kind, message));
        match operation {
            Operation::Set | Operation::Delete if root.is_none() || name != ROOT => {
                return refuse(ResponseError::InvalidConfig, format!("Logger {name} does not exist!"));
            }
            Operation::Set => {
                let value = value.as_deref().unwrap_or_default();
                let Ok(parsed) = value.parse() else {
                    let levels = LEVELS.map(|(_, name)| name).join(", ");
                    return refuse(
                        ResponseError::InvalidConfig,
                        format!(
                            "Cannot set the log level of {name} to {value} as it is not a supported log level. Valid \
                             log levels are {levels}"
                        ),
                    );
                };
                level = Some(parsed);
            }
            Operation::Delete => {
                let message = "Removing the log level of the root logger is not allowed".to_owned();
                return refuse(ResponseError::InvalidRequest, message);
            }
            Operation::Append | Operation::Subtract => {
                let what = if *operation == Operation::Append { "APPEND" } else { "SUBTRACT" };
                let message = format!("{what} operation is not allowed for the BROKER_LOGGER resource");
                return refuse(ResponseError::InvalidRequest, message);
            }
            // Kafka fails on it.
            Operation::Unknown(_) => return Err(ResponseError::UnknownServerError.into()),
        }
    }
    if let (Some(root), Some(level), false) = (root, level, validate_only) {
        root.set_level(level);
    }
    Ok(())
}
