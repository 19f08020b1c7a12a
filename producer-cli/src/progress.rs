use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::tally::{Summary, latency};

/// What the bar's length stands for.
pub(crate) enum Extent {
    /// So many records are to be sent.
    Records(u64),
    /// A file of so many bytes, and how far it has been read.
    File(u64, Arc<AtomicU64>),
    /// Nobody knows: no bar, a spinner.
    Unknown,
}

/// The progress of a terminal's user. Draws on standard error, and only where that is a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    extent: Extent,
}

impl Progress {
    pub(crate) fn new(extent: Extent, hidden: bool) -> Self {
        let (bar, template) = match &extent {
            _ if hidden => (ProgressBar::hidden(), "{msg}"),
            Extent::Records(records) => (ProgressBar::new(*records), "{bar:12} {percent:>3}% {msg}"),
            Extent::File(bytes, _) => (ProgressBar::new(*bytes), "{bar:12} {percent:>3}% {msg}"),
            Extent::Unknown => (ProgressBar::new_spinner(), "{spinner} {msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, extent }
    }

    pub(crate) fn show(&self, summary: &Summary) {
        let position = match &self.extent {
            Extent::Records(_) => summary.records + summary.failed,
            Extent::File(_, read) => read.load(Ordering::Relaxed),
            Extent::Unknown => summary.records,
        };
        self.bar.set_position(position);
        self.bar.set_message(format!(
            "{} records {:.0}/s {:.1} MB/s, ack p50 {} p99 {}",
            summary.records,
            summary.records_per_s,
            summary.mb_per_s,
            latency(summary.ack_us_p50),
            latency(summary.ack_us_p99),
        ));
        self.bar.tick();
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
