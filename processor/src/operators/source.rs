//! A topic that is queried: from its records to groups or rows.

use std::sync::Arc;

use brooklet_model::Record;

use super::Target;
use super::record::{Cell, Cells, Origin, RecordRow};
use super::stages::Level;
use super::walk::Take;
use crate::bad::BadRecord;
use crate::error::QueryError;
use crate::expr::Row;
use crate::json::Scanner;
use crate::plan::{Branch, Source};
use crate::types::Value;

/// Columns, WHERE, and what each SELECT makes of them.
pub(super) struct SourceReader {
    topic: Arc<str>,
    cells: Vec<Cell>,
    scanner: Scanner,
    branches: Vec<Branch>,
    levels: Arc<[Level]>,
}

impl SourceReader {
    pub(super) fn new(source: &Source, levels: Arc<[Level]>) -> Self {
        let Cells { cells, scanner } = Cells::new(&source.columns);
        let branches = source.branches.clone();
        Self { topic: source.topic.as_str().into(), cells, scanner, branches, levels }
    }
}

impl Take for SourceReader {
    fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    #[inline]
    fn take(&mut self, record: &Record<'_>, origin: Origin<'_>, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        target.read.records += 1;
        let json = self.scanner.scan(record.value);
        if let Some(bad) = BadRecord::of(&json, record, &self.topic, origin.partition) {
            target.bad(1, bad, Some(record))?;
        }
        let mut row = RecordRow { cells: &self.cells, json, record, origin, window: None, made: Vec::new() };
        for branch in &self.branches {
            branch.take(&mut row, &self.levels, target)?;
            row.window = None;
        }
        Ok(())
    }
}

impl Branch {
    #[inline]
    fn take(&self, row: &mut RecordRow<'_>, levels: &[Level], target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        if let Some(filter) = &self.early_filter
            && filter.test(row) != Some(true)
        {
            return Ok(());
        }
        if let Some(watermark) = &self.watermark
            && let Value::Timestamp(time) = row.value(watermark.column)
        {
            target.read.saw(self.number, time);
        }
        if let Some(filter) = &self.filter
            && filter.test(row) != Some(true)
        {
            return Ok(());
        }
        let Some(level) = levels.get(self.to) else { return Ok(()) };
        match &self.side {
            None => level.take(row, target),
            Some(side) => level.take_side(side, row, target),
        }
    }
}
