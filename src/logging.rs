//! What goes to standard error through `tracing`.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    tracing_subscriber::registry().with(layer).with(filter).init();
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
