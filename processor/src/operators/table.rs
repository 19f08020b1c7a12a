//! A topic joined as a table of latest values: from its records to the table, and from a row to its row of the table.
//!
//! The table is a group table: a group for each key, with the last value of each column, and last of all whether the
//! key's last record is one, and no tombstone. Rows that a tombstone ends are evicted when the batch's input of the
//! table ends, so before anything looks for them.

use std::sync::Arc;

use brooklet_model::Record;

use super::Target;
use super::record::{Cell, Cells, Origin, RecordRow};
use super::walk::Take;
use crate::aggregate::{AggregateFunction, Aggregates};
use crate::bad::BadRecord;
use crate::error::QueryError;
use crate::expr::Row;
use crate::json::Scanner;
use crate::plan::{JoinedTable, Lookup};
use crate::state::{GroupTable, KeyColumn, State};
use crate::types::{DataType, Value};

/// An empty table.
pub(super) fn new_store(table: &JoinedTable) -> GroupTable {
    let column = |number: &usize| table.columns.get(*number).map_or(DataType::Null, |column| column.data_type.clone());
    let kept: Vec<DataType> = table.kept.iter().map(column).chain([DataType::Boolean]).collect();
    let last = AggregateFunction::Last { ignore_nulls: false };
    let keys = table.key.iter().map(|number| KeyColumn::Value(column(number))).collect();
    GroupTable::with_aggregates(keys, Aggregates::new(kept.iter().map(|data_type| (last.clone(), data_type))), None)
}

/// Takes the records of a table's topic.
pub(super) struct TableReader {
    topic: Arc<str>,
    /// The table's number.
    number: usize,
    cells: Vec<Cell>,
    scanner: Scanner,
    key: Vec<usize>,
    kept: Vec<usize>,
    reads_json: bool,
}

impl TableReader {
    pub(super) fn new(number: usize, table: &JoinedTable) -> Self {
        let Cells { cells, scanner } = Cells::new(&table.columns);
        Self {
            topic: table.topic.as_str().into(),
            number,
            reads_json: cells.iter().any(|cell| matches!(cell, Cell::Json(_))),
            cells,
            scanner,
            key: table.key.clone(),
            kept: table.kept.clone(),
        }
    }

    /// Forgets every row, as if each had a tombstone.
    pub(super) fn forget(&self, target: &mut Target<'_, '_>) {
        let Some(State::Groups(table)) = target.tables.get_mut(self.number) else { return };
        for id in table.touch_all() {
            table.update(id, self.kept.len(), &[Value::Boolean(false)]);
        }
    }

    /// Evicts what tombstones have ended.
    pub(super) fn end_input(&self, target: &mut Target<'_, '_>) {
        let Some(State::Groups(table)) = target.tables.get_mut(self.number) else { return };
        let present = self.kept.len();
        table.evict_touched(|table, id| !matches!(table.result(id, present), Value::Boolean(true)));
    }
}

impl Take for TableReader {
    fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// A record that is bad is passed over: what was known of its key stays. So is one whose key is NULL, for nothing is
    /// equal to that.
    fn take(&mut self, record: &Record<'_>, origin: Origin<'_>, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        target.read.records += 1;
        let json = self.scanner.scan(record.value);
        let is_tombstone = record.value.is_none();
        if self.reads_json
            && !is_tombstone
            && let Some(bad) = BadRecord::of(&json, record, &self.topic, origin.partition)
        {
            return target.bad(1, bad, Some(record));
        }
        let row = RecordRow { cells: &self.cells, json, record, origin, window: None, made: Vec::new() };
        let Some(State::Groups(table)) = target.tables.get_mut(self.number) else { return Ok(()) };
        table.begin_key();
        for column in &self.key {
            let value = row.value(*column);
            if value.is_null() {
                return Ok(());
            }
            table.push_key(&value);
        }
        let Ok(id) = table.touch_key() else {
            let (groups, bytes) = (table.len(), table.bytes());
            return Err(QueryError::StateTooLarge { groups, bytes, bytes_max: bytes });
        };
        if !is_tombstone {
            for (number, column) in self.kept.iter().enumerate() {
                table.update(id, number, &[row.value(*column)]);
            }
        }
        table.update(id, self.kept.len(), &[Value::Boolean(!is_tombstone)]);
        Ok(())
    }
}

impl Lookup {
    /// The columns that the join adds to a row; `None` if the row has no partner and is left out.
    pub(super) fn columns<R: Row>(&self, row: &R, tables: &mut [State]) -> Option<Vec<Value<'static>>> {
        let found = match tables.get_mut(self.table) {
            Some(State::Groups(table)) => self.find(row, table),
            _ => None,
        };
        found.or_else(|| self.outer.then(|| vec![Value::Null; self.columns.len()]))
    }

    fn find<R: Row>(&self, row: &R, table: &mut GroupTable) -> Option<Vec<Value<'static>>> {
        table.begin_key();
        for key in &self.keys {
            let value = key.eval(row);
            if value.is_null() {
                return None;
            }
            table.push_key(&value);
        }
        let id = table.find_key()?;
        let values: Vec<Value<'_>> = table.values(id).collect();
        let column = |from: &Option<usize>| from.and_then(|from| values.get(from)).cloned().unwrap_or(Value::Null);
        Some(self.columns.iter().map(|from| column(from).into_owned()).collect())
    }
}
