//! From records to state or rows: the operators of a query, straight over the log's bytes.

mod grouping;
mod record;
mod stages;

use std::sync::Arc;

use brooklet_model::{Batch, Offset, Record, split_batches};
use brooklet_storage::{PartitionLog, ReadError};

use crate::bad::{BadReason, BadRecord, BadRecords};
use crate::changelog::Range;
use crate::emit::Emitter;
use crate::error::QueryError;
use crate::expr::Expr;
use crate::json::Scanner;
use crate::options::OnDataLoss;
use crate::plan::{Plan, Stage, Watermark};
use crate::sink::DeadLetters;
use crate::source::lost;
use crate::state::{State, TooManyGroups};
use crate::step::{Gate, Step};
use crate::types::Value;
use grouping::Grouper;
use record::{Cell, Cells, RecordRow};
use stages::Flow;

pub(crate) use grouping::new_state;
pub(crate) use record::Origin;

/// Bytes of a log that are read at once; small enough to stay in the processor's cache until they are scanned.
const READ_BYTES: usize = 1 << 20;
/// Unfolded bytes are kept for the next batch up to this much memory.
const SCRATCH_BYTES_KEPT: usize = 4 << 20;

/// Source, columns, WHERE, and GROUP BY or SELECT of one query.
pub(crate) struct Operators {
    topic: Arc<str>,
    cells: Vec<Cell>,
    scanner: Scanner,
    early_filter: Option<Expr>,
    watermark: Option<Watermark>,
    filter: Option<Expr>,
    stages: Vec<Stage>,
    grouper: Option<Grouper>,
    scratch: Vec<u8>,
    unfolded_bytes_max: usize,
    on_data_loss: OnDataLoss,
}

/// Where a batch's records go, and what holds for all of them.
pub(crate) struct Target<'t, 'e> {
    pub(crate) state: &'t mut State,
    pub(crate) state_bytes_max: usize,
    /// Takes the rows of a query without GROUP BY.
    pub(crate) emitter: &'t mut Emitter<'e>,
    /// Asked after each read and after each write.
    pub(crate) gate: &'t mut Gate,
    /// Groups whose time is at or before it (microseconds) take no more records.
    pub(crate) late_by: Option<i64>,
    pub(crate) read: &'t mut Read,
    /// Takes bad records, if that was asked for.
    pub(crate) dead_letters: Option<&'t mut DeadLetters>,
    /// What the LIMIT of an inner query has let pass so far.
    pub(crate) limited: &'t mut Limited,
}

impl Target<'_, '_> {
    /// Counts `count` records that are bad for one reason, and sends on the one that stands for them.
    #[cold]
    fn bad(&mut self, count: u64, bad: BadRecord, record: Option<&Record<'_>>) -> Result<(), QueryError> {
        if let Some(letters) = &mut self.dead_letters
            && letters.push(&bad, record)?
        {
            self.gate.pass(Step::Emitted)?;
        }
        self.read.bad.add(count, bad.with_value(record.and_then(|record| record.value)));
        Ok(())
    }

    pub(crate) fn check_memory(&self) -> Result<(), QueryError> {
        let (bytes, bytes_max) = (self.state.bytes(), self.state_bytes_max);
        if bytes > bytes_max {
            return Err(QueryError::StateTooLarge { groups: self.state.len(), bytes, bytes_max });
        }
        Ok(())
    }
}

/// What the LIMIT of an inner query has let pass in the query's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limited {
    pub(crate) taken: u64,
}

impl Limited {
    /// From the state: of a query that groups, the last aggregate counts the rows of each group; of one that does not, the
    /// only group counts those that passed.
    pub(crate) fn of(plan: &Plan, state: &State) -> Self {
        let has_limit = plan.stages.iter().any(|stage| matches!(stage, Stage::Limit(_)));
        let State::Groups(groups) = state else { return Self::default() };
        let count = |value: Option<Value<'_>>| match value {
            Some(Value::BigInt(count)) => u64::try_from(count).unwrap_or(0),
            _ => 0,
        };
        let taken = if has_limit { groups.ids().map(|id| count(groups.values(id).last())).sum() } else { 0 };
        Self { taken }
    }
}

/// What a micro-batch read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) records: u64,
    pub(crate) bad: BadRecords,
    /// Rows that came too late for their group.
    pub(crate) late: u64,
    /// The latest event time, in microseconds.
    pub(crate) event_time_max: Option<i64>,
}

impl Operators {
    pub(crate) fn new(plan: &Plan, unfolded_bytes_max: usize, on_data_loss: OnDataLoss) -> Self {
        let Cells { cells, json } = Cells::new(&plan.source.columns);
        let json: Vec<_> = json.iter().map(|(name, data_type)| (name.as_str(), data_type.clone())).collect();
        Self {
            topic: plan.source.topic.as_str().into(),
            scanner: Scanner::typed(&json),
            early_filter: plan.early_filter.clone(),
            watermark: plan.source.watermark,
            filter: plan.filter.clone(),
            stages: plan.stages.clone(),
            grouper: plan.grouping.as_ref().map(|grouping| Grouper::new(grouping, &cells)),
            cells,
            scratch: Vec::new(),
            unfolded_bytes_max,
            on_data_loss,
        }
    }

    /// The topic that is read.
    pub(crate) fn topic(&self) -> Arc<str> {
        self.topic.clone()
    }

    /// Begins a batch's input.
    pub(crate) fn begin_batch(&self, state: &mut State) -> Result<(), QueryError> {
        state.begin_batch();
        match &self.grouper {
            Some(grouper) => grouper.begin_batch(state).map_err(|error| too_large(state, error)),
            None => Ok(()),
        }
    }

    /// Takes the records of `range`.
    pub(crate) fn read_range(
        &mut self,
        log: &PartitionLog,
        range: Range,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        let partition = range.partition;
        let failed = |topic: &str, error| QueryError::Source { topic: topic.to_owned(), partition, error };
        let mut at = Offset(range.from);
        let end = Offset(range.to);
        while at < end {
            let slice = match log.read(at, READ_BYTES) {
                Ok(slice) => slice,
                Err(ReadError::OutOfRange { start, .. }) => {
                    lost(self.on_data_loss, || {
                        format!("the records {at} to {} of {} are gone", start.0 - 1, log.id())
                    })?;
                    if start <= at {
                        break;
                    }
                    at = start;
                    continue;
                }
                Err(ReadError::Storage(error)) => return Err(failed(&self.topic, error)),
            };
            let before = at;
            let bytes = slice.into_bytes().map_err(|error| failed(&self.topic, error.into()))?;
            for batch in split_batches(bytes) {
                let Ok(batch) = batch else {
                    let error = std::io::Error::other(format!("no record batch stands at offset {at}"));
                    return Err(failed(&self.topic, error.into()));
                };
                at = batch.header.next_offset().max(at);
                if !batch.header.is_control() {
                    self.read_batch(&batch, range, target)?;
                }
                if at >= end {
                    break;
                }
            }
            if at == before {
                lost(self.on_data_loss, || format!("nothing can be read at offset {at} of {}", log.id()))?;
                break;
            }
            target.check_memory()?;
            target.gate.pass(Step::Read)?;
        }
        Ok(())
    }

    /// Takes those records of a batch that are in `range`.
    pub(crate) fn read_batch(
        &mut self,
        batch: &Batch,
        range: Range,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let taken = self.read_records(batch, &mut scratch, range, target);
        if scratch.capacity() <= SCRATCH_BYTES_KEPT {
            self.scratch = scratch;
        }
        taken
    }

    fn read_records(
        &mut self,
        batch: &Batch,
        scratch: &mut Vec<u8>,
        range: Range,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        let partition = range.partition;
        let records = match batch.records(scratch, self.unfolded_bytes_max) {
            Ok(records) => records,
            Err(error) => {
                let count = u64::try_from(batch.header.record_count).unwrap_or(0).max(1);
                target.read.records += count;
                let what = format!("its batch cannot be read: {error}");
                return target.bad(count, unreadable(batch, partition, batch.header.base_offset, what), None);
            }
        };
        let topic = self.topic.clone();
        let origin = Origin { topic: &topic, partition, timestamp_type: batch.header.timestamp_type() };
        let mut seen: u64 = 0;
        for record in records {
            seen += 1;
            match record {
                Ok(record) if record.offset.0 < range.from || record.offset.0 >= range.to => {}
                Ok(record) => self.take(&record, origin, target)?,
                Err(error) => {
                    let count = (batch.header.record_count.max(0) as u64).saturating_sub(seen - 1).max(1);
                    target.read.records += count;
                    let offset = batch.header.base_offset.plus(seen as i64 - 1);
                    let what = format!("the rest of its batch cannot be read: {error}");
                    return target.bad(count, unreadable(batch, partition, offset, what), None);
                }
            }
        }
        Ok(())
    }

    /// Takes one record.
    #[inline]
    pub(crate) fn take(
        &mut self,
        record: &Record<'_>,
        origin: Origin<'_>,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        target.read.records += 1;
        let json = self.scanner.scan(record.value);
        let reason = if json.malformed() {
            Some((BadReason::NotAnObject, "it is not a JSON object"))
        } else if json.outdated() {
            Some((BadReason::OutdatedTime, "a time in it has a form that Spark reads no longer"))
        } else {
            None
        };
        if let Some((reason, what)) = reason {
            let Record { offset, timestamp, .. } = *record;
            let (partition, what) = (origin.partition, what.to_owned());
            target.bad(1, BadRecord { partition, offset, timestamp, reason, what, value: None }, Some(record))?;
        }
        let mut row = RecordRow { cells: &self.cells, json, record, origin, window: None, made: Vec::new() };
        if let Some(filter) = &self.early_filter
            && filter.test(&row) != Some(true)
        {
            return Ok(());
        }
        if let Some(watermark) = &self.watermark
            && let Value::Timestamp(time) = crate::expr::Row::value(&row, watermark.column)
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
        match &self.grouper {
            Some(grouper) => {
                let added = grouper.add(&mut row, target.state, target.late_by);
                target.read.late += added.map_err(|error| too_large(target.state, error))?;
                Ok(())
            }
            None => target.emitter.push_record(&row, target.gate),
        }
    }
}

fn unreadable(batch: &Batch, partition: i32, offset: Offset, what: String) -> BadRecord {
    let timestamp = batch.header.max_timestamp;
    BadRecord { partition, offset, timestamp, reason: BadReason::Unreadable, what, value: None }
}

fn too_large(state: &State, _: TooManyGroups) -> QueryError {
    QueryError::StateTooLarge { groups: state.len(), bytes: state.bytes(), bytes_max: state.bytes() }
}
