//! Offsets by time, as ListOffsets asks for them.

use std::collections::VecDeque;

use brooklet_model::{Batch, Offset, Timestamp};

use super::{HeaderScan, PartitionLog, Point, Segment};
use crate::StorageError;

/// A batch that is looked into may unfold to this.
const UNFOLDED_BYTES_MAX: usize = 128 << 20;

impl PartitionLog {
    /// The first record whose timestamp is at least `timestamp`, and its timestamp; records before the log's start
    /// and from the high watermark on do not count.
    pub fn offset_for_timestamp(&self, timestamp: Timestamp) -> Result<Option<(Offset, Timestamp)>, StorageError> {
        self.check_open()?;
        let _layout = self.layout.read();
        for (segment, limit) in self.served_segments() {
            if segment.max_timestamp < timestamp {
                continue;
            }
            let from = self.before_time(&segment, timestamp);
            let found = self.find(from, limit, timestamp, |record| record >= timestamp)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The first record that has the largest timestamp of the log (KIP-734), and that timestamp.
    pub fn max_timestamp_offset(&self) -> Result<Option<(Offset, Timestamp)>, StorageError> {
        self.check_open()?;
        let _layout = self.layout.read();
        let mut best: Option<(Offset, Timestamp)> = None;
        for (segment, limit) in self.served_segments() {
            if best.is_some_and(|(_, timestamp)| segment.max_timestamp <= timestamp) {
                continue;
            }
            // What is known of the segment may lie before the log's start or beyond the high watermark: look.
            let from = Point { offset: segment.base, segment: segment.base, position: 0 };
            let timestamp = self.max_timestamp_of(from, limit)?;
            if timestamp > best.map_or(-1, |(_, timestamp)| timestamp) {
                let from = self.before_time(&segment, timestamp);
                best = self.find(from, limit, timestamp, |record| record == timestamp)?.or(best);
            }
        }
        Ok(best)
    }

    /// The segments with how many of their bytes may be served.
    fn served_segments(&self) -> VecDeque<(Segment, u64)> {
        let state = self.state.lock();
        state.segments.iter().map(|segment| (*segment, state.served_size(segment))).collect()
    }

    /// A place in the segment before which all timestamps are below `target`.
    fn before_time(&self, segment: &Segment, target: Timestamp) -> Point {
        let begin = Point { offset: segment.base, segment: segment.base, position: 0 };
        let (known, ask_sled) = self.state.lock().index.before_time(segment.base, target);
        let index = self.shared.index.as_ref().filter(|_| ask_sled);
        known.or(index.and_then(|index| index.before_time(self.number, segment.base, target))).unwrap_or(begin)
    }

    fn max_timestamp_of(&self, from: Point, limit: u64) -> Result<Timestamp, StorageError> {
        let start = self.log_start_offset();
        let mut max = -1;
        let mut scan = HeaderScan::new(self.store.as_ref(), from.segment, from.position, limit);
        while let Some((_, header)) = scan.next()? {
            if header.last_offset() >= start {
                max = max.max(header.max_timestamp);
            }
        }
        Ok(max)
    }

    /// The first record from `from` on that `wanted` says yes to; only batches of at least `min` are looked into.
    fn find(
        &self,
        from: Point,
        limit: u64,
        min: Timestamp,
        wanted: impl Fn(Timestamp) -> bool,
    ) -> Result<Option<(Offset, Timestamp)>, StorageError> {
        let start = self.log_start_offset();
        let mut scan = HeaderScan::new(self.store.as_ref(), from.segment, from.position, limit);
        let mut scratch = Vec::new();
        while let Some((position, header)) = scan.next()? {
            if header.max_timestamp < min || header.last_offset() < start {
                continue;
            }
            let bytes = self.store.read(from.segment, position, header.size)?.into_bytes()?;
            let batch = Batch { header, bytes };
            let damaged = |error: brooklet_model::RecordError| StorageError::Damaged(error.to_string().into());
            for record in batch.records(&mut scratch, UNFOLDED_BYTES_MAX).map_err(damaged)? {
                let record = record.map_err(damaged)?;
                if record.offset >= start && wanted(record.timestamp) {
                    return Ok(Some((record.offset, record.timestamp)));
                }
            }
        }
        Ok(None)
    }
}
