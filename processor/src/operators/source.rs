//! The topic that is queried: from its records to groups or rows.

use std::sync::Arc;

use brooklet_model::Record;

use super::grouping::Grouper;
use super::record::{Cell, Cells, Origin, RecordRow};
use super::stages::{Flow, arrive};
use super::walk::Take;
use super::{Target, too_large};
use crate::bad::BadRecord;
use crate::error::QueryError;
use crate::expr::{Expr, Row};
use crate::json::Scanner;
use crate::plan::{Plan, Stage, Watermark};
use crate::state::State;
use crate::types::Value;

/// Columns, WHERE, and GROUP BY or SELECT of one query.
pub(super) struct SourceReader {
    topic: Arc<str>,
    cells: Vec<Cell>,
    scanner: Scanner,
    early_filter: Option<Expr>,
    watermark: Option<Watermark>,
    filter: Option<Expr>,
    stages: Vec<Stage>,
    grouper: Option<Grouper>,
}

impl SourceReader {
    pub(super) fn new(plan: &Plan) -> Self {
        let Cells { cells, scanner } = Cells::new(&plan.source.columns);
        Self {
            topic: plan.source.topic.as_str().into(),
            scanner,
            early_filter: plan.early_filter.clone(),
            watermark: plan.source.watermark,
            filter: plan.filter.clone(),
            stages: plan.stages.clone(),
            grouper: plan.groupings().next().map(|(grouping, width)| {
                Grouper::new(grouping, width, |column| matches!(cells.get(column), Some(Cell::Json(_))))
            }),
            cells,
        }
    }

    /// Begins a batch's input.
    pub(super) fn begin_batch(&self, state: &mut State) -> Result<(), QueryError> {
        match &self.grouper {
            Some(grouper) => grouper.begin_batch(state).map_err(|error| too_large(state, error)),
            None => Ok(()),
        }
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
        if let Some(filter) = &self.early_filter
            && filter.test(&row) != Some(true)
        {
            return Ok(());
        }
        if let Some(watermark) = &self.watermark
            && let Value::Timestamp(time) = row.value(watermark.column)
        {
            target.read.event_time_max = target.read.event_time_max.max(Some(time));
        }
        if let Some(filter) = &self.filter
            && filter.test(&row) != Some(true)
        {
            return Ok(());
        }
        if !self.stages.is_empty() {
            let flow = Flow { stages: &self.stages, grouper: self.grouper.as_ref() };
            return flow.run(0, &mut row, target);
        }
        arrive(self.grouper.as_ref(), &mut row, target)
    }
}
