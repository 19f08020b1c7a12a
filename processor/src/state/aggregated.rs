//! For benches/: groups with more than a count, and a changelog's rows in memory.

use super::{GroupTable, KeyColumn, RestoreError, State, TooManyGroups};
use crate::aggregate::{AggregateFunction, Aggregates};
use crate::codec::Reader;
use crate::types::{DataType, Value};

/// Groups of one STRING, with a count alone or with COUNT(*), SUM and MAX of a BIGINT.
#[doc(hidden)]
#[derive(Debug)]
pub struct Aggregated(State);

impl Aggregated {
    /// Counts.
    pub fn counts() -> Self {
        Self(State::Groups(GroupTable::new(1)))
    }

    /// Three aggregates.
    pub fn three() -> Self {
        let functions = [AggregateFunction::CountAll, AggregateFunction::Sum, AggregateFunction::Max];
        let aggregates = Aggregates::new(functions.map(|function| (function, &DataType::BigInt)));
        let keys = vec![KeyColumn::Value(DataType::String)];
        Self(State::Groups(GroupTable::with_aggregates(keys, aggregates, None)))
    }

    /// Begins the next micro-batch.
    pub fn begin_batch(&mut self) {
        self.0.begin_batch();
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If there are too many groups.
    #[inline]
    pub fn add(&mut self, key: &[u8], number: i64) -> Result<(), TooManyGroups> {
        let State::Groups(groups) = &mut self.0 else { return Ok(()) };
        if groups.is_count_alone() {
            groups.count_text(Some(key))?;
            return Ok(());
        }
        let id = groups.touch_text(Some(key))?;
        let argument = [Value::BigInt(number)];
        (0..3).for_each(|aggregate| groups.update(id, aggregate, &argument));
        Ok(())
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.0.len()
    }

    /// Memory in bytes.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// The rows of a snapshot.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut rows = Vec::new();
        self.0.rows().for_each(|row| self.0.put_whole(row, &mut rows));
        rows
    }

    /// Reads the rows of a snapshot; false if they are none.
    pub fn restore(&mut self, rows: &[u8]) -> bool {
        self.0.begin_restore();
        let mut reader = Reader::new(rows);
        let mut read: Result<(), RestoreError> = Ok(());
        while read.is_ok() && !reader.is_empty() {
            read = self.0.restore(2, &mut reader, true);
        }
        self.0.end_restore();
        read.is_ok()
    }
}
