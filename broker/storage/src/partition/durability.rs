//! Group commits and checkpoints: what the background threads do with a log.

use std::sync::atomic::Ordering;

use super::{AbortedTransaction, PartitionLog, Point, Segment};
use crate::partition::index::IndexEntry;
use crate::sled_index::SledIndex;
use crate::{Fsync, StorageError};

/// What a checkpoint puts into sled of one log.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// All before this is in the log and, unless syncing is off, on the disk.
    pub(crate) end: Point,
    pub(crate) entries: Vec<IndexEntry>,
    /// Those that may have changed since the last one.
    pub(crate) segments: Vec<Segment>,
    pub(crate) producers: Vec<(i64, Option<Vec<u8>>)>,
    pub(crate) aborted: Vec<AbortedTransaction>,
    /// Of the bytes that all this speaks of.
    pub(crate) generation: i64,
    /// Compacted up to here.
    pub(crate) cleaned_to: i64,
}

impl PartitionLog {
    /// Syncs what was appended so far; returns its end. Appends go on meanwhile.
    pub(crate) fn sync(&self) -> Result<Point, StorageError> {
        let _syncing = self.syncing.lock();
        let (end, unsynced) = {
            let mut state = self.state.lock();
            self.check_poison(&state)?;
            (state.end, std::mem::take(&mut state.unsynced))
        };
        for base in unsynced.into_iter().chain([end.segment]) {
            match self.store.sync(base) {
                Ok(()) => {}
                // Retention was faster.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(self.poison(&mut self.state.lock(), &error)),
            }
        }
        Ok(end)
    }

    /// To be called before [`PartitionLog::sync`] of a group commit: later appends ask for another one.
    pub(crate) fn begin_commit(&self) {
        self.uncommitted.store(false, Ordering::Release);
    }

    /// Serves everything before `end`.
    pub(crate) fn commit(&self, end: Point) {
        let mut state = self.state.lock();
        if end.offset > state.committed.offset {
            state.committed = end;
            if !state.transactions.is_stable() {
                self.publish_stable_end(&mut state);
            }
            self.high_watermark.store(end.offset, Ordering::Release);
        }
        drop(state);
        self.waiters.wake();
    }

    /// Refuses writes since the engine's commit failed.
    pub(crate) fn fail_commit(&self, error: &std::io::Error) {
        self.poison(&mut self.state.lock(), error);
    }

    /// To be called before the log is synced: later appends ask for another round.
    pub(crate) fn begin_round(&self) {
        self.dirty.store(false, Ordering::Release);
        self.state.lock().tail.forget_bytes();
    }

    /// Bytes that sled does not know of.
    pub(crate) fn bytes_behind(&self) -> u64 {
        let state = self.state.lock();
        state.bytes_before(state.end).saturating_sub(state.stored_bytes)
    }

    /// Whether sled lacks anything of the log.
    pub(crate) fn needs_checkpoint(&self) -> bool {
        let state = self.state.lock();
        state.bytes_before(state.end) != state.stored_bytes
            || state.end.segment != state.stored_segment
            || state.producers.has_changes()
    }

    /// Syncs the log and puts what is new of it into sled.
    pub(crate) fn checkpoint(&self, index: &SledIndex) {
        let _maintenance = self.maintenance.lock();
        self.checkpoint_locked(index);
    }

    /// As [`PartitionLog::checkpoint`], for who holds `maintenance`; whether sled has all of it.
    pub(super) fn checkpoint_locked(&self, index: &SledIndex) -> bool {
        let table = self.table_slot().upgrade();
        let values = table.as_ref().map(|table| table.begin_checkpoint());
        let checkpoint = self.begin_checkpoint();
        // A poisoned log: what was written is unknown.
        if self.shared.fsync != Fsync::Never && self.sync().is_err() || self.is_deleted() {
            return false;
        }
        let mut has_all = true;
        if let (Some(table), Some(values)) = (&table, &values) {
            match index.store_table(self.number, values) {
                true => table.end_checkpoint(),
                false => has_all = false,
            }
        }
        has_all &= index.store(self.number, &checkpoint);
        self.end_checkpoint(&checkpoint);
        has_all
    }

    /// What sled does not have; to be called before the log is synced.
    fn begin_checkpoint(&self) -> Checkpoint {
        let mut state = self.state.lock();
        let stored = state.stored_segment;
        Checkpoint {
            end: state.end,
            entries: state.index.unstored(),
            segments: state.segments.iter().filter(|segment| segment.base >= stored).copied().collect(),
            producers: state.producers.take_changes(),
            aborted: state.transactions.unstored(),
            generation: self.store.generation(),
            cleaned_to: self.compaction.to(),
        }
    }

    /// Notes that `checkpoint` is in sled.
    fn end_checkpoint(&self, checkpoint: &Checkpoint) {
        let mut state = self.state.lock();
        state.stored_segment = checkpoint.end.segment;
        state.stored_bytes = state.bytes_before(checkpoint.end);
        if let Some(last) = checkpoint.entries.last() {
            state.index.stored(last.point.offset);
        }
        if let Some(last) = checkpoint.aborted.last() {
            state.transactions.stored(last.last_offset.0);
        }
    }
}
