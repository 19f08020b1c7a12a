//! What leaves a log at its front: whole segments by age or size, and records a client deletes.

use std::sync::atomic::Ordering;

use brooklet_model::{Offset, Timestamp};

use super::{PartitionLog, Point, Segment, State};
use crate::{LogConfig, ReadError, StorageError};

impl PartitionLog {
    /// Removes what `retention.ms` and `retention.bytes` no longer keep, and forgets producers that have long been
    /// silent. Returns how many segments went.
    pub fn enforce_retention(&self) -> Result<usize, StorageError> {
        let config = self.config();
        let now = self.shared.clock.now();
        let _maintenance = self.maintenance.lock();
        let mut state = self.state.lock();
        self.check_open()?;
        state.producers.expire(now.saturating_sub(self.shared.producer_expiration_ms()));
        let changed = state.producers.has_changes();
        let count = state.expired(&config, now, self.log_start_offset().0);
        // The active segment goes like the others, once there is another.
        if count == state.segments.len() && count > 0 {
            self.check_poison(&state)?;
            self.roll_locked(&mut state, now)?;
        }
        let removed = self.remove_front(&mut state, count);
        drop(state);
        if changed || count > 0 {
            self.mark_dirty();
        }
        self.remove_segments(&removed)?;
        Ok(count)
    }

    /// Moves the log's start to `offset` (the high watermark for -1) and frees the segments before it; returns the
    /// start. The start never moves back. See `kafka.server.ReplicaManager.deleteRecords`.
    pub fn delete_records_before(&self, offset: Offset) -> Result<Offset, ReadError> {
        let (start, end) = (self.log_start_offset(), self.high_watermark());
        self.check_open()?;
        let offset = if offset.0 == -1 { end } else { offset };
        if offset > end || offset.0 < 0 {
            return Err(ReadError::OutOfRange { start, end });
        }
        if offset <= start {
            return Ok(start);
        }
        let _maintenance = self.maintenance.lock();
        // On record before it holds: a restart must not bring deleted records back.
        self.shared.record_log_start(self.number, offset.0)?;
        let now = self.shared.clock.now();
        let mut state = self.state.lock();
        self.start.fetch_max(offset.0, Ordering::AcqRel);
        if offset.0 == state.end.offset && self.check_poison(&state).is_ok() {
            self.roll_locked(&mut state, now)?;
        }
        let bases = state.segments.iter().skip(1).map(|segment| segment.base);
        let count = bases.take_while(|base| *base <= offset.0).count();
        let removed = self.remove_front(&mut state, count);
        drop(state);
        self.mark_dirty();
        self.remove_segments(&removed)?;
        Ok(self.log_start_offset())
    }

    /// Takes the first `count` segments out of the log.
    fn remove_front(&self, state: &mut State, count: usize) -> Vec<i64> {
        let removed: Vec<i64> = state.segments.drain(..count).map(|segment| segment.base).collect();
        if let Some(first) = state.segments.front().copied() {
            self.start.fetch_max(first.base, Ordering::AcqRel);
            state.index.remove_before(first.base);
            state.unsynced.retain(|base| *base >= first.base);
            if state.committed.segment < first.base {
                state.committed = Point { offset: first.base, segment: first.base, position: 0 };
            }
            if count > 0 {
                state.tail.remove_before(first.base);
                state.transactions.remove_before(first.base);
            }
        }
        removed
    }

    fn remove_segments(&self, bases: &[i64]) -> Result<(), StorageError> {
        let delay = self.config().file_delete_delay();
        for base in bases {
            self.store.remove(*base, delay)?;
        }
        if let (Some(index), false) = (&self.shared.index, bases.is_empty()) {
            index.remove_before(self.number, self.state.lock().segments.front().map_or(0, |first| first.base));
        }
        Ok(())
    }
}

impl State {
    /// How many segments, from the first, need not be kept. Only what is committed may go; without the policy `delete`
    /// only what lies before the log's start.
    fn expired(&self, config: &LogConfig, now: Timestamp, start: i64) -> usize {
        let deletes = config.cleanup_policy.delete;
        let mut excess: i64 = match config.retention_bytes {
            limit if limit < 0 || !deletes => -1,
            limit => {
                let size: u64 = self.segments.iter().map(|segment| segment.size).sum();
                i64::try_from(size).unwrap_or(i64::MAX).saturating_sub(limit)
            }
        };
        let too_old = |segment: &Segment| {
            let last = if segment.max_timestamp >= 0 { segment.max_timestamp } else { segment.created };
            deletes && config.retention_ms >= 0 && now.saturating_sub(last) > config.retention_ms
        };
        let mut count = 0;
        for (index, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(index + 1).map_or(self.end.offset, |next| next.base);
            let size = i64::try_from(segment.size).unwrap_or(i64::MAX);
            let too_large = excess >= size;
            // A compacted segment may be empty.
            let is_active = index + 1 == self.segments.len();
            let served = next <= self.committed.offset && (segment.size > 0 || !is_active);
            if !served || !(too_old(segment) || too_large || next <= start) {
                break;
            }
            excess = excess.saturating_sub(size);
            count = index + 1;
        }
        count
    }
}
