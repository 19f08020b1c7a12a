//! A record as expressions see it: the columns of the source, and the window that it is being counted in.

use std::borrow::Cow;

use brooklet_model::{Headers, Record, TimestampType};

use crate::expr::Row;
use crate::json::{Scanned, Scanner};
use crate::plan::{ReadFrom, SourceColumn};
use crate::types::Value;

/// Where a record came from, beside its batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) timestamp_type: TimestampType,
}

/// How a source column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Of the scanner's columns, by number.
    Json(usize),
    Kafka(ReadFrom),
}

/// The columns of a source, sorted by where they come from.
pub(super) struct Cells {
    pub(super) cells: Vec<Cell>,
    /// Looks for those of the JSON value.
    pub(super) scanner: Scanner,
}

impl Cells {
    pub(super) fn new(columns: &[SourceColumn]) -> Self {
        let mut json = Vec::new();
        let cells: Vec<Cell> = columns
            .iter()
            .map(|column| match column.from {
                ReadFrom::Json => {
                    json.push((column.name.as_str(), column.data_type.clone()));
                    Cell::Json(json.len() - 1)
                }
                other => Cell::Kafka(other),
            })
            .collect();
        Self { cells, scanner: Scanner::typed(&json) }
    }
}

/// A row on its way to its groups: its columns, after them the window that it is being counted in, and what generators
/// made.
pub(super) trait FlowRow: Row {
    /// The text of a STRING column of the JSON value.
    fn text(&self, column: usize) -> Option<&[u8]>;

    /// Start and end, in microseconds.
    fn window(&self) -> Option<(i64, i64)>;

    /// Puts it into a window.
    fn enter(&mut self, start: i64, end: i64);

    /// What generators made.
    fn made(&mut self) -> &mut Vec<Value<'static>>;
}

/// What stands at a place behind a row's own columns.
fn behind<'r>(window: Option<(i64, i64)>, made: &'r [Value<'static>], place: usize) -> Value<'r> {
    match (window, place) {
        (Some((start, end)), 0) => Value::Struct([Value::Timestamp(start), Value::Timestamp(end)].into()),
        (None, 0) => Value::Null,
        (_, place) => made.get(place - 1).map_or(Value::Null, Value::borrowed),
    }
}

/// One record's columns; the column after the last is its window.
pub(super) struct RecordRow<'r> {
    pub(super) cells: &'r [Cell],
    pub(super) json: Scanned<'r>,
    pub(super) record: &'r Record<'r>,
    pub(super) origin: Origin<'r>,
    /// Start and end, in microseconds.
    pub(super) window: Option<(i64, i64)>,
    /// What generators made: the columns after the window.
    pub(super) made: Vec<Value<'static>>,
}

impl FlowRow for RecordRow<'_> {
    #[inline]
    fn text(&self, column: usize) -> Option<&[u8]> {
        match self.cells.get(column) {
            Some(Cell::Json(index)) => self.json.column(*index),
            _ => None,
        }
    }

    #[inline]
    fn window(&self) -> Option<(i64, i64)> {
        self.window
    }

    #[inline]
    fn enter(&mut self, start: i64, end: i64) {
        self.window = Some((start, end));
    }

    #[inline]
    fn made(&mut self) -> &mut Vec<Value<'static>> {
        &mut self.made
    }
}

/// A row of groups, or of a UNION ALL.
pub(super) struct MadeRow<'r> {
    pub(super) columns: Vec<Value<'r>>,
    pub(super) window: Option<(i64, i64)>,
    pub(super) made: Vec<Value<'static>>,
}

impl Row for MadeRow<'_> {
    fn value(&self, column: usize) -> Value<'_> {
        match column.checked_sub(self.columns.len()) {
            None => self.columns.get(column).map_or(Value::Null, Value::borrowed),
            Some(place) => behind(self.window, &self.made, place),
        }
    }
}

impl FlowRow for MadeRow<'_> {
    fn text(&self, _: usize) -> Option<&[u8]> {
        None
    }

    fn window(&self) -> Option<(i64, i64)> {
        self.window
    }

    fn enter(&mut self, start: i64, end: i64) {
        self.window = Some((start, end));
    }

    fn made(&mut self) -> &mut Vec<Value<'static>> {
        &mut self.made
    }
}

impl Row for RecordRow<'_> {
    #[inline]
    fn value(&self, column: usize) -> Value<'_> {
        match self.cells.get(column) {
            Some(Cell::Json(index)) => self.json.value(*index),
            Some(Cell::Kafka(from)) => self.kafka(*from),
            None => behind(self.window, &self.made, column.saturating_sub(self.cells.len())),
        }
    }
}

impl RecordRow<'_> {
    fn kafka(&self, from: ReadFrom) -> Value<'_> {
        match from {
            ReadFrom::Json => Value::Null,
            ReadFrom::Key => binary(self.record.key),
            ReadFrom::Value => binary(self.record.value),
            ReadFrom::Topic => Value::String(Cow::Borrowed(self.origin.topic.as_bytes())),
            ReadFrom::Partition => Value::Int(self.origin.partition),
            ReadFrom::Offset => Value::BigInt(self.record.offset.0),
            ReadFrom::Timestamp => Value::Timestamp(self.record.timestamp.wrapping_mul(1000)),
            ReadFrom::TimestampType => Value::Int(match self.origin.timestamp_type {
                TimestampType::CreateTime => 0,
                TimestampType::LogAppendTime => 1,
            }),
            ReadFrom::Headers => headers(self.record.headers),
        }
    }
}

fn binary(bytes: Option<&[u8]>) -> Value<'_> {
    bytes.map_or(Value::Null, |bytes| Value::Binary(Cow::Borrowed(bytes)))
}

/// NULL if there are none, as in `KafkaRecordToRowConverter`.
fn headers(headers: Headers<'_>) -> Value<'static> {
    if headers.is_empty() {
        return Value::Null;
    }
    let header = |(key, value): (&[u8], Option<&[u8]>)| {
        let key = Value::String(Cow::Owned(key.to_vec()));
        Value::Struct([key, binary(value).into_owned()].into())
    };
    // A header that cannot be read ends the list; the log has checked the batch's layout.
    Value::Array(headers.iter().map_while(Result::ok).map(header).collect())
}
