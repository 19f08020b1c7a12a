//! What goes to standard error through `tracing`.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use brooklet_broker::{LogLevel, RootLogger};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged, to be changed while the process runs.
static FILTER: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Starts logging at `level`, or without it as RUST_LOG says (levels, `target=level`, commas), or at `info`.
pub(crate) fn start(level: Option<LevelFilter>) {
    let filter = match level {
        Some(level) => Targets::new().with_default(level),
        None => from_environment(),
    };
    // An error while logging would be printed to standard error, where printing just failed, and that panics.
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .log_internal_errors(false);
    let (filter, handle) = reload::Layer::new(filter);
    // Nothing was started before.
    let _ = FILTER.set(handle);
    tracing_subscriber::registry().with(filter).with(layer).init();
}

/// The level of what RUST_LOG does not name.
pub(crate) struct Root;

impl RootLogger for Root {
    fn level(&self) -> LogLevel {
        let level = FILTER.get().and_then(|filter| filter.with_current(Targets::default_level).ok().flatten());
        match level {
            Some(LevelFilter::TRACE) => LogLevel::Trace,
            Some(LevelFilter::DEBUG) => LogLevel::Debug,
            Some(LevelFilter::INFO) => LogLevel::Info,
            Some(LevelFilter::WARN) => LogLevel::Warn,
            Some(LevelFilter::ERROR) => LogLevel::Error,
            _ => LogLevel::Fatal,
        }
    }

    fn set_level(&self, level: LogLevel) {
        let level = match level {
            LogLevel::Trace => LevelFilter::TRACE,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Fatal => LevelFilter::OFF,
        };
        let changed =
            FILTER.get().map(|filter| filter.modify(|targets| *targets = std::mem::take(targets).with_default(level)));
        if let Some(Err(error)) = changed {
            say(format_args!("brooklet: the level of logging is as it was: {error}"));
        }
    }
}

fn from_environment() -> Targets {
    let info = Targets::new().with_default(LevelFilter::INFO);
    let Ok(text) = std::env::var("RUST_LOG") else { return info };
    text.parse().unwrap_or_else(|error| {
        say(format_args!("brooklet: RUST_LOG is ignored: {error}"));
        info
    })
}

/// One line on standard error at any log level. Nobody may be reading it any more, which is no reason to end.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    // In one write: a line of the log may come at the same time.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
