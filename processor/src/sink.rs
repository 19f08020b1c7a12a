//! Where a micro-batch's rows go.

mod appender;
mod console;
mod csv;
mod dead_letters;
mod file;
mod json_lines;
mod json_row;
mod live;
mod partitioner;
mod table;
mod topic;

use std::io::Write;
use std::sync::Arc;

use brooklet_model::ProducerId;
use brooklet_storage::Storage;

use crate::adhoc::Format;
use crate::changelog::OutputPosition;
use crate::error::QueryError;
use crate::options::QueryOptions;
use crate::plan::{Plan, Sink};
use crate::step::Gate;
use crate::types::Value;
use console::ConsoleSink;
use csv::CsvSink;
pub(crate) use dead_letters::{DeadLetters, new_topic as new_dead_letter_topic};
use file::FileSink;
use json_lines::JsonLines;
use live::LiveSink;
pub use live::TerminalSize;
use table::TableSink;
use topic::TopicSink;
pub(crate) use topic::new_topic;

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputRow<'r> {
    /// The columns of GROUP BY.
    pub(crate) key: &'r [Value<'r>],
    /// The columns of SELECT.
    pub(crate) values: &'r [Value<'r>],
}

/// A plan's sink. A batch's rows are pushed between `begin` and `finish`; they are the same, in the same order,
/// whenever a planned batch runs.
pub(crate) enum Output {
    Console(ConsoleSink),
    Live(Box<LiveSink>),
    Json(JsonLines<Box<dyn Write + Send>>),
    File(Box<FileSink>),
    Topic(Box<TopicSink>),
    Table(TableSink),
    Csv(Box<CsvSink>),
}

impl Output {
    /// `console` is the writer of the sinks that write to standard output.
    pub(crate) fn new(
        storage: &Arc<Storage>,
        plan: &Plan,
        console: Box<dyn Write + Send>,
        producer: ProducerId,
        options: &QueryOptions,
        batch_bytes: usize,
    ) -> Result<Self, QueryError> {
        Ok(match &plan.sink {
            Sink::Console => match options.live {
                Some(size) => Self::Live(Box::new(LiveSink::new(plan, console, size).map_err(QueryError::Console)?)),
                None => Self::Console(ConsoleSink::new(plan, console)),
            },
            Sink::Json => Self::Json(JsonLines::new(plan, console)),
            Sink::File(path) => Self::File(Box::new(FileSink::open(plan, path)?)),
            Sink::Topic(name) => {
                let sink = TopicSink::new(storage.clone(), plan, name, producer, options.partitions, batch_bytes);
                Self::Topic(Box::new(sink))
            }
        })
    }

    /// Of a query that keeps nothing.
    pub(crate) fn ad_hoc(plan: &Plan, format: Format, out: Box<dyn Write + Send>) -> Self {
        match format {
            Format::Table => Self::Table(TableSink::new(plan, out)),
            Format::Console => Self::Console(ConsoleSink::new(plan, out)),
            Format::Json => Self::Json(JsonLines::new(plan, out)),
            Format::Csv => Self::Csv(Box::new(CsvSink::new(plan, out))),
        }
    }

    /// Where the next rows go: into the output topic as it is now (made if it is missing), or behind what the file has.
    pub(crate) fn position(&self, last: &OutputPosition) -> Result<OutputPosition, QueryError> {
        match self {
            Self::Console(_) | Self::Live(_) | Self::Json(_) | Self::Table(_) | Self::Csv(_) => {
                Ok(OutputPosition::default())
            }
            Self::File(sink) => sink.position(last),
            Self::Topic(sink) => sink.position(last),
        }
    }

    /// Where the rows of a batch go that was planned before a restart: where they went then, if that is still there.
    pub(crate) fn planned(&self, planned: &OutputPosition) -> Result<OutputPosition, QueryError> {
        match self {
            Self::Console(_) | Self::Live(_) | Self::Json(_) | Self::Table(_) | Self::Csv(_) => {
                Ok(OutputPosition::default())
            }
            Self::File(_) => Ok(planned.clone()),
            Self::Topic(sink) => sink.planned(planned),
        }
    }

    /// How many of a batch's rows matter, where not all do.
    pub(crate) fn rows_wanted(&self) -> Option<usize> {
        match self {
            Self::Console(_) => Some(console::ROWS_WANTED),
            _ => None,
        }
    }

    /// Begins a batch's rows.
    pub(crate) fn begin(&mut self, position: &OutputPosition) -> Result<(), QueryError> {
        match self {
            Self::Console(sink) => sink.begin(),
            Self::Live(sink) => sink.begin(),
            Self::Json(_) | Self::Table(_) | Self::Csv(_) => {}
            Self::File(sink) => sink.begin(position)?,
            Self::Topic(sink) => sink.begin(position)?,
        }
        Ok(())
    }

    /// Adds a row; true if something was written.
    pub(crate) fn push(&mut self, row: &OutputRow<'_>) -> Result<bool, QueryError> {
        match self {
            Self::Console(sink) => {
                sink.push(row);
                Ok(false)
            }
            Self::Live(sink) => {
                sink.push(row);
                Ok(false)
            }
            Self::Json(lines) => lines.push(row).map_err(QueryError::Console),
            Self::File(sink) => sink.push(row),
            Self::Topic(sink) => sink.push(row),
            Self::Table(sink) => {
                sink.push(row);
                Ok(false)
            }
            Self::Csv(sink) => sink.push(row).map(|()| false).map_err(QueryError::Console),
        }
    }

    /// Ends a batch's rows, and returns where the next ones go; safe by the storage's rules when it returns.
    pub(crate) async fn finish(&mut self, batch: u64, gate: &mut Gate) -> Result<OutputPosition, QueryError> {
        match self {
            Self::Console(sink) => {
                sink.finish(batch).map_err(QueryError::Console)?;
                Ok(OutputPosition::default())
            }
            Self::Live(sink) => {
                sink.finish(batch).map_err(QueryError::Console)?;
                Ok(OutputPosition::default())
            }
            Self::Json(lines) => {
                lines.flush().map_err(QueryError::Console)?;
                Ok(OutputPosition::default())
            }
            Self::File(sink) => sink.finish(),
            Self::Topic(sink) => sink.finish(gate).await,
            Self::Table(sink) => {
                sink.finish().map_err(QueryError::Console)?;
                Ok(OutputPosition::default())
            }
            Self::Csv(sink) => {
                sink.finish().map_err(QueryError::Console)?;
                Ok(OutputPosition::default())
            }
        }
    }
}
