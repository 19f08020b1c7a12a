//! What a record's columns are.

use std::borrow::Cow;

use crate::types::Value;

/// What a column is, or where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    /// A text in the record's value, as it stands there.
    Value {
        start: usize,
        end: usize,
    },
    /// A text in the scratch memory, converted.
    Scratch {
        start: usize,
        end: usize,
    },
    /// Bytes in the scratch memory.
    Binary {
        start: usize,
        end: usize,
    },
    Boolean(bool),
    Int(i32),
    BigInt(i64),
    Double(f64),
    Date(i32),
    Timestamp(i64),
    /// Among the values that are kept whole.
    Whole(usize),
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) malformed: bool,
    pub(super) unconverted: bool,
    pub(super) outdated: bool,
}

/// What was read of a record; its memory is used for the next.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) cells: Vec<Cell>,
    pub(super) scratch: Vec<u8>,
    pub(super) whole: Vec<Value<'static>>,
    pub(super) faults: Faults,
}

/// One record's columns, borrowed from its value and the scanner.
#[derive(Clone, Copy, Debug)]
pub struct Scanned<'a> {
    pub(super) value: &'a [u8],
    pub(super) read: &'a Read,
}

impl<'a> Scanned<'a> {
    /// The text of the STRING column with this index, in UTF-8; `None` is NULL (also past the last column, and for a
    /// column of another type).
    #[inline]
    pub fn column(&self, index: usize) -> Option<&'a [u8]> {
        match *self.read.cells.get(index)? {
            Cell::Value { start, end } => self.value.get(start..end),
            Cell::Scratch { start, end } => self.read.scratch.get(start..end),
            _ => None,
        }
    }

    /// All columns in order, as `column` gives them.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Option<&'a [u8]>> + use<'a> {
        let this = *self;
        (0..self.read.cells.len()).map(move |index| this.column(index))
    }

    /// The column with this index; NULL past the last one.
    #[inline]
    pub(crate) fn value(&self, index: usize) -> Value<'a> {
        let text = |text: Option<&'a [u8]>| Cow::Borrowed(text.unwrap_or_default());
        match self.read.cells.get(index).copied().unwrap_or(Cell::Null) {
            Cell::Null => Value::Null,
            Cell::Value { start, end } => Value::String(text(self.value.get(start..end))),
            Cell::Scratch { start, end } => Value::String(text(self.read.scratch.get(start..end))),
            Cell::Binary { start, end } => Value::Binary(text(self.read.scratch.get(start..end))),
            Cell::Boolean(value) => Value::Boolean(value),
            Cell::Int(value) => Value::Int(value),
            Cell::BigInt(value) => Value::BigInt(value),
            Cell::Double(value) => Value::Double(value),
            Cell::Date(value) => Value::Date(value),
            Cell::Timestamp(value) => Value::Timestamp(value),
            Cell::Whole(index) => self.read.whole.get(index).map_or(Value::Null, Value::borrowed),
        }
    }

    /// Whether the value is there, holds more than whitespace, and does not begin with a well-formed JSON object. (An
    /// empty value is null columns, but not malformed.)
    #[inline]
    pub fn malformed(&self) -> bool {
        self.read.faults.malformed
    }

    /// Whether a column's value, or a part of it, is not of the column's type; it is then NULL, or what an earlier member
    /// of its name gave. Together with `malformed`: what Spark would put into `_corrupt_record`.
    #[inline]
    pub fn unconverted(&self) -> bool {
        self.read.faults.unconverted
    }

    /// Whether it is unconverted because of a time of a form that only Spark 2 could read: Spark would end the query
    /// (`SparkUpgradeException`), unless `spark.sql.legacy.timeParserPolicy` is CORRECTED.
    #[inline]
    pub fn outdated(&self) -> bool {
        self.read.faults.outdated
    }
}
