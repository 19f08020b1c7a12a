//! Group keys as bytes: equal bytes for what GROUP BY takes as one.
//!
//! A key is its columns, one after the other, each as `types::encode_value` writes it. A window is eight bytes: its
//! start, for its size is the query's. The bytes are those of the changelog, so they are stable, and what is read may
//! be anything.

use crate::types::{DataType, Value, decode_value, encode_value};

/// A column of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyColumn {
    /// Any type but MAP.
    Value(DataType),
    /// A window of this size; its value is a STRUCT of start and end.
    Window { size_micros: i64 },
}

/// The key that says when a group is late and can be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventTime {
    /// The column of this number is a window: late once its end is at or before the watermark.
    WindowEnd(usize),
    /// The column of this number, a TIMESTAMP, is the time.
    Time(usize),
}

/// Bytes of a window.
const WINDOW_BYTES: usize = 8;

impl KeyColumn {
    pub(super) fn is_string(&self) -> bool {
        *self == Self::Value(DataType::String)
    }

    /// Appends the column's bytes; a value of another type is NULL. A window is told by its start.
    #[inline]
    pub(super) fn encode(&self, value: &Value<'_>, out: &mut Vec<u8>) {
        match (self, value) {
            (Self::Value(data_type), value) => encode_value(value, data_type, out),
            (Self::Window { .. }, Value::Struct(window)) => match window.first() {
                Some(Value::Timestamp(start)) => put_window(out, *start),
                _ => put_window(out, 0),
            },
            (Self::Window { .. }, _) => put_window(out, 0),
        }
    }

    /// Takes the column off the front of `bytes`; `None` if they are not such a column's.
    pub(super) fn decode<'a>(&self, bytes: &mut &'a [u8]) -> Option<Value<'a>> {
        match self {
            Self::Value(data_type) => decode_value(data_type, bytes),
            Self::Window { size_micros } => {
                let start = take_window(bytes)?;
                Some(window(start, start.wrapping_add(*size_micros)))
            }
        }
    }

    fn skip(&self, bytes: &mut &[u8]) -> Option<()> {
        match self {
            Self::Value(data_type) => decode_value(data_type, bytes).map(drop),
            Self::Window { .. } => take_window(bytes).map(drop),
        }
    }
}

/// A window as the value of a column.
pub(super) fn window(start: i64, end: i64) -> Value<'static> {
    Value::Struct([Value::Timestamp(start), Value::Timestamp(end)].into())
}

/// Appends a window's bytes.
#[inline]
pub(super) fn put_window(out: &mut Vec<u8>, start: i64) {
    out.extend_from_slice(&start.to_be_bytes());
}

fn take_window(bytes: &mut &[u8]) -> Option<i64> {
    let (start, rest) = bytes.split_first_chunk::<WINDOW_BYTES>()?;
    *bytes = rest;
    Some(i64::from_be_bytes(*start))
}

/// The front of `bytes` that is a key of these columns.
pub(super) fn take_key<'a>(columns: &[KeyColumn], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = bytes;
    for column in columns {
        column.skip(&mut rest)?;
    }
    bytes.get(..bytes.len() - rest.len())
}

/// The columns of a key, NULL where its bytes are not what they must be.
pub(super) fn values<'a>(columns: &'a [KeyColumn], key: &'a [u8]) -> impl Iterator<Item = Value<'a>> {
    let mut rest = key;
    columns.iter().map(move |column| column.decode(&mut rest).unwrap_or(Value::Null))
}

impl EventTime {
    /// The time of a key, in microseconds since 1970; `None` for a NULL, which is never late.
    pub(super) fn of(self, columns: &[KeyColumn], key: &[u8]) -> Option<i64> {
        let (Self::WindowEnd(number) | Self::Time(number)) = self;
        let mut rest = key;
        for column in columns.iter().take(number) {
            column.skip(&mut rest)?;
        }
        match columns.get(number)? {
            KeyColumn::Window { size_micros } => Some(take_window(&mut rest)?.saturating_add(*size_micros)),
            column => time_of(&column.decode(&mut rest)?),
        }
    }
}

/// The time of a key column: a TIMESTAMP, or the end of a window that an inner query has made.
pub(crate) fn time_of(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Timestamp(time) => Some(*time),
        Value::Struct(window) => match window.get(1) {
            Some(Value::Timestamp(end)) => Some(*end),
            _ => None,
        },
        _ => None,
    }
}
