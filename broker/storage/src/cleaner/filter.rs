//! What compaction keeps of a batch (`kafka.log.Cleaner.cleanInto`, `MemoryRecords.filterTo`). No I/O, no clock.

use std::collections::HashMap;

use brooklet_model::{
    Batch, BatchHeader, RecordError, Records, Rewritten, Timestamp, TimestampType, shift_timestamp, take_varint,
};

use super::offset_map::OffsetMap;
use super::transactions::{Marker, Transactions};
use crate::producers::LastRecord;

/// A batch may unfold to this.
const UNFOLDED_BYTES_MAX: usize = 256 << 20;

/// What a pass over a log goes by.
pub(crate) struct Rules<'a> {
    pub(crate) map: &'a OffsetMap,
    pub(crate) now: Timestamp,
    pub(crate) delete_retention_ms: i64,
    /// The pass ends before this offset; the batch that ends here stays, emptied if it must be, so that the log's
    /// offsets have no hole at their end.
    pub(crate) end: i64,
    /// The last of each producer that is remembered: its sequence or epoch must be found again.
    pub(crate) producers: &'a HashMap<i64, LastRecord>,
}

/// Filters batch after batch, in the log's order.
pub(crate) struct Filter<'a> {
    rules: Rules<'a>,
    transactions: Transactions,
    /// Unfolded records.
    unfolded: Vec<u8>,
    /// Records that are kept.
    kept: Vec<u8>,
    /// Batches that could not be read, and were kept as they are.
    unreadable: u64,
    /// Offsets of the markers of aborted transactions of which nothing is left: readers must not be told of these any
    /// more, or they would take what the producer wrote later for aborted once the marker is gone.
    ended_aborts: Vec<i64>,
}

/// What is to be done with a batch.
enum Verdict {
    /// It goes if no record of it is kept.
    Filter,
    /// It stays, without records if none is kept.
    FilterKeepEmpty,
    Drop,
    Empty,
}

/// The records of a batch that are kept.
struct Kept {
    count: i32,
    max_timestamp: Timestamp,
    has_tombstone: bool,
}

impl<'a> Filter<'a> {
    pub(crate) fn new(rules: Rules<'a>, transactions: Transactions) -> Self {
        Self { rules, transactions, unfolded: Vec::new(), kept: Vec::new(), unreadable: 0, ended_aborts: Vec::new() }
    }

    /// Those met since the last call.
    pub(crate) fn take_ended_aborts(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.ended_aborts)
    }

    pub(crate) fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Appends to `out` what is kept of `batch`; returns its header, or nothing if the batch goes.
    pub(crate) fn apply(&mut self, batch: &Batch, out: &mut Vec<u8>) -> std::io::Result<Option<BatchHeader>> {
        let (verdict, is_marker_of_nothing) = self.judge(batch);
        match verdict {
            Verdict::Drop => return Ok(None),
            Verdict::Empty => return Ok(Some(batch.header.write_emptied(out))),
            Verdict::Filter | Verdict::FilterKeepEmpty => {}
        }
        let mut unfolded = std::mem::take(&mut self.unfolded);
        let kept = self.keep(batch, &mut unfolded);
        self.unfolded = unfolded;
        let Ok(kept) = kept else {
            // Nobody can read it, and what stands in it is not ours to judge.
            self.unreadable += 1;
            out.extend_from_slice(&batch.bytes);
            return Ok(Some(batch.header));
        };
        if kept.count == 0 {
            return Ok(match verdict {
                Verdict::FilterKeepEmpty => Some(batch.header.write_emptied(out)),
                _ => None,
            });
        }
        let begins_horizon = (kept.has_tombstone || is_marker_of_nothing) && batch.header.delete_horizon().is_none();
        if kept.count == batch.header.record_count && !begins_horizon {
            out.extend_from_slice(&batch.bytes);
            return Ok(Some(batch.header));
        }
        // A sum made anew must not make damaged bytes good.
        if batch.verify_checksum().is_err() {
            self.unreadable += 1;
            out.extend_from_slice(&batch.bytes);
            return Ok(Some(batch.header));
        }
        self.write(&batch.header, &kept, begins_horizon, out).map(Some)
    }

    fn write(
        &mut self,
        header: &BatchHeader,
        kept: &Kept,
        begins_horizon: bool,
        out: &mut Vec<u8>,
    ) -> std::io::Result<BatchHeader> {
        let is_append_time = header.timestamp_type() == TimestampType::LogAppendTime;
        let max_timestamp = if is_append_time { header.max_timestamp } else { kept.max_timestamp };
        if !begins_horizon {
            let new = Rewritten { max_timestamp, ..header.rewritten(&self.kept, kept.count) };
            return header.write_rewritten(&new, out);
        }
        let horizon = self.rules.now.saturating_add(self.rules.delete_retention_ms);
        let later = header.base_timestamp.wrapping_sub(horizon);
        let mut shifted = Vec::with_capacity(self.kept.len() + 8 * kept.count as usize);
        let mut rest = self.kept.as_slice();
        while let Some((record, after)) = split_record(rest) {
            shift_timestamp(record, later, &mut shifted).map_err(std::io::Error::other)?;
            rest = after;
        }
        let new = Rewritten {
            base_timestamp: horizon,
            max_timestamp,
            has_delete_horizon: true,
            ..header.rewritten(&shifted, kept.count)
        };
        header.write_rewritten(&new, out)
    }

    /// What is to be done with the batch as a whole, and whether it is the marker of a transaction of which nothing is
    /// left.
    fn judge(&mut self, batch: &Batch) -> (Verdict, bool) {
        let header = &batch.header;
        let (drops, is_marker_of_nothing) = if header.is_control() {
            let marker = marker_of(batch, &mut self.unfolded);
            let may_go = self.transactions.meet_marker(header, marker);
            if may_go && marker != Some(Marker::Commit) {
                self.ended_aborts.push(header.base_offset.0);
            }
            let is_past = header.delete_horizon().is_some_and(|horizon| horizon <= self.rules.now);
            (may_go && is_past, may_go)
        } else {
            (self.transactions.meet_batch(header), false)
        };
        let stays = self.is_last_of_producer(header) || header.next_offset().0 == self.rules.end;
        let verdict = match (stays, drops) {
            (true, true) => Verdict::Empty,
            (true, false) => Verdict::FilterKeepEmpty,
            (false, true) => Verdict::Drop,
            (false, false) => Verdict::Filter,
        };
        (verdict, is_marker_of_nothing)
    }

    fn is_last_of_producer(&self, header: &BatchHeader) -> bool {
        let last = if header.producer_id.0 >= 0 { self.rules.producers.get(&header.producer_id.0) } else { None };
        last.is_some_and(|last| match last.data_offset {
            Some(offset) => header.last_offset().0 == offset,
            None => header.is_control() && header.producer_epoch.0 == last.epoch,
        })
    }

    /// Collects the records that are kept.
    fn keep(&mut self, batch: &Batch, unfolded: &mut Vec<u8>) -> Result<Kept, RecordError> {
        self.kept.clear();
        let mut kept = Kept { count: 0, max_timestamp: -1, has_tombstone: false };
        let header = &batch.header;
        let keeps_tombstones = header.delete_horizon().is_none_or(|horizon| self.rules.now < horizon);
        let mut records = unfolded_records(batch, unfolded)?;
        // Neighbours that are kept are copied at once, and nothing is where the batch stays as it is.
        let all = records.remaining();
        let (mut run, mut at) = (0, 0);
        while let Some((raw, record)) = records.next_raw() {
            let record = record?;
            let keep = header.is_control()
                || record.offset.0 > self.rules.map.latest()
                || record.key.is_some_and(|key| {
                    record.offset.0 >= self.rules.map.get(key) && (record.value.is_some() || keeps_tombstones)
                });
            let next = at + raw.len();
            if keep {
                kept.count += 1;
                kept.max_timestamp = kept.max_timestamp.max(record.timestamp);
                kept.has_tombstone |= record.value.is_none() && !header.is_control();
            } else {
                self.kept.extend_from_slice(all.get(run..at).unwrap_or_default());
                run = next;
            }
            at = next;
        }
        if run > 0 || kept.has_tombstone || header.is_control() {
            self.kept.extend_from_slice(all.get(run..at).unwrap_or_default());
        }
        Ok(kept)
    }
}

/// The records of a batch, whatever its codec.
pub(crate) fn unfolded_records<'a>(batch: &'a Batch, scratch: &'a mut Vec<u8>) -> Result<Records<'a>, RecordError> {
    batch.records(scratch, UNFOLDED_BYTES_MAX)
}

/// The kind of a control batch's marker; `None` if the batch is empty.
pub(crate) fn marker_of(batch: &Batch, scratch: &mut Vec<u8>) -> Option<Marker> {
    match unfolded_records(batch, scratch).ok().and_then(|mut records| records.next()) {
        None if batch.header.record_count <= 0 => None,
        Some(Ok(record)) => Some(Marker::of_key(record.key)),
        _ => Some(Marker::Other),
    }
}

/// The first of encoded records, and the others.
fn split_record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = records;
    let length = take_varint(&mut rest).and_then(|length| usize::try_from(length).ok())?;
    let prefix = records.len() - rest.len();
    records.split_at_checked(prefix + length)
}
