//! Values of flags.

use std::str::FromStr;

use brooklet_processor::{StartFrom, Trigger};
use clap::ValueEnum;
use tracing::level_filters::LevelFilter;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputMode {
    /// Groups that changed
    Update,
    /// All groups, every time
    Complete,
    /// Rows that are final: of groups, once the watermark has passed them
    Append,
}

impl From<OutputMode> for brooklet_processor::OutputMode {
    fn from(mode: OutputMode) -> Self {
        match mode {
            OutputMode::Update => Self::Update,
            OutputMode::Complete => Self::Complete,
            OutputMode::Append => Self::Append,
        }
    }
}

/// A host and a port, `[::1]:9092` included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}` is not HOST:PORT");
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let host = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').ok_or_else(expected)?,
            None if host.contains(':') => return Err(expected()),
            None => host,
        };
        if host.is_empty() {
            return Err(expected());
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| expected())? })
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

pub(super) fn level(text: &str) -> Result<LevelFilter, String> {
    text.parse().map_err(|_| "expected off, error, warn, info, debug or trace".to_owned())
}

pub(super) fn start_from(text: &str) -> Result<StartFrom, String> {
    match text {
        "latest" => return Ok(StartFrom::Latest),
        "earliest" => return Ok(StartFrom::Earliest),
        _ => {}
    }
    if let Ok(millis) = text.parse::<i64>() {
        return Ok(StartFrom::Timestamp(millis));
    }
    let time = humantime::parse_rfc3339_weak(text)
        .map_err(|_| "expected latest, earliest, a time such as 2026-01-31T12:00:00Z, or milliseconds".to_owned())?;
    let since = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| "a time before 1970".to_owned())?;
    i64::try_from(since.as_millis()).map(StartFrom::Timestamp).map_err(|_| "too far ahead".to_owned())
}

pub(super) fn trigger(text: &str) -> Result<Trigger, String> {
    match text {
        "available-now" => return Ok(Trigger::AvailableNow),
        "once" => return Ok(Trigger::Once),
        _ => {}
    }
    let every = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; expected a duration such as 0s, 500ms or 10s, or available-now, or once"))?;
    Ok(if every.is_zero() { Trigger::Asap } else { Trigger::Interval(every) })
}
