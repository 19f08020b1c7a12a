//! From records to groups: the operators of a micro-batch, straight over the log's bytes.

use brooklet_model::{Batch, Offset, split_batches};
use brooklet_storage::{PartitionLog, ReadError};

use crate::changelog::Range;
use crate::error::QueryError;
use crate::groups::GroupTable;
use crate::json::Scanner;
use crate::options::OnDataLoss;
use crate::plan::Plan;
use crate::predicate::Predicate;
use crate::source::lost;
use crate::step::{Gate, Step};

/// Bytes of a log that are read at once; small enough to stay in the processor's cache until they are scanned.
const READ_BYTES: usize = 1 << 20;
/// Unfolded bytes are kept for the next batch up to this much memory.
const SCRATCH_BYTES_KEPT: usize = 4 << 20;

/// Source, JSON columns, WHERE, GROUP BY and COUNT of one query.
pub(crate) struct Operators {
    topic: String,
    scanner: Scanner,
    filter: Option<Predicate>,
    key_count: usize,
    scratch: Vec<u8>,
    unfolded_bytes_max: usize,
    on_data_loss: OnDataLoss,
}

/// What a micro-batch read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) records: u64,
    pub(crate) bad: u64,
    /// The last bad record, and what is wrong with it.
    pub(crate) last_bad: Option<BadRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadRecord {
    pub(crate) partition: i32,
    pub(crate) offset: Offset,
    pub(crate) what: String,
}

impl Operators {
    pub(crate) fn new(plan: &Plan, unfolded_bytes_max: usize, on_data_loss: OnDataLoss) -> Self {
        let columns: Vec<&str> = plan.source.columns.iter().map(String::as_str).collect();
        Self {
            topic: plan.source.topic.clone(),
            scanner: Scanner::new(&columns),
            filter: plan.filter.clone(),
            key_count: plan.key_count,
            scratch: Vec::new(),
            unfolded_bytes_max,
            on_data_loss,
        }
    }

    /// Counts the records of `range` into `groups`. `gate` is asked after each read.
    pub(crate) fn read_range(
        &mut self,
        log: &PartitionLog,
        range: Range,
        groups: &mut GroupTable,
        state_bytes_max: usize,
        read: &mut Read,
        gate: &mut Gate,
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
                    self.read_batch(&batch, range, groups, read)?;
                }
                if at >= end {
                    break;
                }
            }
            if at == before {
                lost(self.on_data_loss, || format!("nothing can be read at offset {at} of {}", log.id()))?;
                break;
            }
            let bytes = groups.bytes();
            if bytes > state_bytes_max {
                return Err(QueryError::StateTooLarge { groups: groups.len(), bytes, bytes_max: state_bytes_max });
            }
            gate.pass(Step::Read)?;
        }
        Ok(())
    }

    fn read_batch(
        &mut self,
        batch: &Batch,
        range: Range,
        groups: &mut GroupTable,
        read: &mut Read,
    ) -> Result<(), QueryError> {
        let partition = range.partition;
        let bad = |read: &mut Read, offset, count: u64, what: String| {
            read.bad += count;
            read.last_bad = Some(BadRecord { partition, offset, what });
        };
        let records = match batch.records(&mut self.scratch, self.unfolded_bytes_max) {
            Ok(records) => records,
            Err(error) => {
                let count = u64::try_from(batch.header.record_count).unwrap_or(0).max(1);
                read.records += count;
                bad(read, batch.header.base_offset, count, format!("its batch cannot be read: {error}"));
                return Ok(());
            }
        };
        let mut seen: u64 = 0;
        for record in records {
            seen += 1;
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let count = (batch.header.record_count.max(0) as u64).saturating_sub(seen - 1).max(1);
                    read.records += count;
                    let offset = batch.header.base_offset.plus(seen as i64 - 1);
                    bad(read, offset, count, format!("the rest of its batch cannot be read: {error}"));
                    break;
                }
            };
            if record.offset.0 < range.from || record.offset.0 >= range.to {
                continue;
            }
            read.records += 1;
            let row = self.scanner.scan(record.value);
            if row.malformed() {
                bad(read, record.offset, 1, "it is not a JSON object".to_owned());
            }
            if let Some(filter) = &self.filter
                && filter.evaluate(&|index| row.column(index)) != Some(true)
            {
                continue;
            }
            let key = row.columns().take(self.key_count);
            groups.count_one(key).map_err(|_| QueryError::StateTooLarge {
                groups: groups.len(),
                bytes: groups.bytes(),
                bytes_max: groups.bytes(),
            })?;
        }
        if self.scratch.capacity() > SCRATCH_BYTES_KEPT {
            self.scratch = Vec::new();
        }
        Ok(())
    }
}
