//! From a log's bytes to its records.

use std::sync::Arc;

use brooklet_model::{Batch, Offset, Record, split_batches};
use brooklet_storage::{PartitionLog, ReadError};
use bytes::BytesMut;

use super::Target;
use super::record::Origin;
use crate::bad::{BadReason, BadRecord};
use crate::changelog::Range;
use crate::error::QueryError;
use crate::options::OnDataLoss;
use crate::source::lost;
use crate::step::Step;

/// Bytes of a log that are read at once; small enough to stay in the processor's cache until they are scanned.
const READ_BYTES: usize = 1 << 20;
/// What was read into is kept for the next read up to this much memory; a batch can be larger than a read.
const BUFFER_BYTES_KEPT: usize = 4 << 20;
/// Unfolded bytes are kept for the next batch up to this much memory.
const SCRATCH_BYTES_KEPT: usize = 4 << 20;

/// What takes the records of a topic.
pub(super) trait Take {
    /// The topic.
    fn topic(&self) -> &Arc<str>;

    /// Takes one record.
    fn take(&mut self, record: &Record<'_>, origin: Origin<'_>, target: &mut Target<'_, '_>) -> Result<(), QueryError>;
}

/// Reads logs.
pub(super) struct Walker {
    /// What is read of a log, for the next read.
    buffer: BytesMut,
    scratch: Vec<u8>,
    unfolded_bytes_max: usize,
    on_data_loss: OnDataLoss,
}

impl Walker {
    pub(super) fn new(unfolded_bytes_max: usize, on_data_loss: OnDataLoss) -> Self {
        Self { buffer: BytesMut::new(), scratch: Vec::new(), unfolded_bytes_max, on_data_loss }
    }

    /// Hands the records of `range` on.
    pub(super) fn read_range<T: Take>(
        &mut self,
        log: &PartitionLog,
        range: Range,
        taker: &mut T,
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
                Err(ReadError::Storage(error)) => return Err(failed(taker.topic(), error)),
            };
            let before = at;
            let read = slice.into_bytes_in(std::mem::take(&mut self.buffer));
            let bytes = read.map_err(|error| failed(taker.topic(), error.into()))?;
            for batch in split_batches(bytes.clone()) {
                let Ok(batch) = batch else {
                    let error = std::io::Error::other(format!("no record batch stands at offset {at}"));
                    return Err(failed(taker.topic(), error.into()));
                };
                at = batch.header.next_offset().max(at);
                if !batch.header.is_control() {
                    self.read_batch(&batch, range, taker, target)?;
                }
                if at >= end {
                    break;
                }
            }
            // Somebody else has them where the log itself keeps these bytes in memory.
            self.buffer = bytes.try_into_mut().unwrap_or_default();
            if self.buffer.capacity() > BUFFER_BYTES_KEPT {
                self.buffer = BytesMut::new();
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

    /// Hands those records of a batch on that are in `range`.
    fn read_batch<T: Take>(
        &mut self,
        batch: &Batch,
        range: Range,
        taker: &mut T,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let taken = self.read_records(batch, &mut scratch, range, taker, target);
        if scratch.capacity() <= SCRATCH_BYTES_KEPT {
            self.scratch = scratch;
        }
        taken
    }

    fn read_records<T: Take>(
        &self,
        batch: &Batch,
        scratch: &mut Vec<u8>,
        range: Range,
        taker: &mut T,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        let topic = taker.topic().clone();
        let origin =
            Origin { topic: &topic, partition: range.partition, timestamp_type: batch.header.timestamp_type() };
        let records = match batch.records(scratch, self.unfolded_bytes_max) {
            Ok(records) => records,
            Err(error) => {
                let count = u64::try_from(batch.header.record_count).unwrap_or(0).max(1);
                target.read.records += count;
                let what = format!("its batch cannot be read: {error}");
                return target.bad(count, unreadable(batch, &topic, range, batch.header.base_offset, what), None);
            }
        };
        let mut seen: u64 = 0;
        for record in records {
            seen += 1;
            match record {
                Ok(record) if record.offset.0 < range.from || record.offset.0 >= range.to => {}
                Ok(record) => taker.take(&record, origin, target)?,
                Err(error) => {
                    let count = (batch.header.record_count.max(0) as u64).saturating_sub(seen - 1).max(1);
                    target.read.records += count;
                    let offset = batch.header.base_offset.plus(seen as i64 - 1);
                    let what = format!("the rest of its batch cannot be read: {error}");
                    return target.bad(count, unreadable(batch, &topic, range, offset, what), None);
                }
            }
        }
        Ok(())
    }
}

fn unreadable(batch: &Batch, topic: &Arc<str>, range: Range, offset: Offset, what: String) -> BadRecord {
    BadRecord {
        topic: topic.clone(),
        partition: range.partition,
        offset,
        timestamp: batch.header.max_timestamp,
        reason: BadReason::Unreadable,
        what,
        value: None,
    }
}
