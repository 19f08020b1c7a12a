//! One compacted segment takes the place of others, while the log is read and written
//! (`org.apache.kafka.storage.internals.log.LocalLog.replaceSegments`).
//!
//! The files tell which of both is true after a crash; sled is told last, and by its generation a start sees if it
//! was not.

use super::compact::Built;
use super::{PartitionLog, Point, Segment, State};
use crate::{Fsync, StorageError};

impl PartitionLog {
    /// Puts `built` in the place of `group`, the segments before `end`. Refuses when they are not there any more.
    pub(super) fn swap_in(&self, group: &[Segment], end: i64, built: Built) -> Result<(), StorageError> {
        let base = built.facts.base;
        // Retention and checkpoints wait: neither may see half of this.
        let _maintenance = self.maintenance.lock();
        self.check_cleaning()?;
        {
            let state = self.state.lock();
            self.check_poison(&state)?;
            if !state.has_run(group, end) {
                return Err(removed());
            }
        }
        // From here on sled's end lies behind all that is replaced, and a table has its last values. Until sled has the
        // new places, those who read go through the segment from its begin.
        if let Some(index) = &self.shared.index
            && !(self.checkpoint_locked(index) && index.remove_between(self.number, base, end))
        {
            return Err(std::io::Error::other("the index could not be brought up to the log").into());
        }
        if let Err(error) = self.store.decide_swap(base, end, self.shared.fsync != Fsync::Never) {
            return Err(self.fail_swap(&error));
        }
        let delay = self.config().file_delete_delay();
        let replaced = {
            let _alone = self.layout.write();
            let mut state = self.state.lock();
            state.replace(&built, end, self.shared.index.is_some());
            self.store.finish_swap(base, end, delay)
        };
        if let Err(error) = replaced {
            return Err(self.fail_swap(&error));
        }
        if let Some(index) = &self.shared.index {
            index.remove_aborted(self.number, &built.ended_aborts);
            let cleaned = [self.store.generation(), self.compaction.to()];
            index.replace(self.number, end, &built.facts, &built.entries, cleaned);
        }
        Ok(())
    }

    /// Only a start can tell what is there.
    fn fail_swap(&self, error: &std::io::Error) -> StorageError {
        self.poison(&mut self.state.lock(), error)
    }
}

fn removed() -> StorageError {
    std::io::Error::new(std::io::ErrorKind::NotFound, "segments were removed while they were compacted").into()
}

impl State {
    /// Whether these are segments of the log, and the one that begins at `end` follows them.
    fn has_run(&self, group: &[Segment], end: i64) -> bool {
        let Some(first) = group.first() else { return false };
        let at = self.segments.partition_point(|segment| segment.base < first.base);
        let there = self.segments.iter().skip(at).take(group.len());
        there.map(|segment| segment.base).eq(group.iter().map(|segment| segment.base))
            && self.segments.get(at + group.len()).is_some_and(|next| next.base == end)
    }

    /// Forgets all that it knows of the segments from that of `built` to before `end`, and takes up `built`.
    fn replace(&mut self, built: &Built, end: i64, in_sled: bool) {
        let base = built.facts.base;
        self.tail.remove_before(end);
        self.index.replace(base, end, &built.entries, in_sled);
        self.transactions.forget(&built.ended_aborts);
        self.unsynced.retain(|unsynced| !(base..end).contains(unsynced));
        // Only what is committed is compacted, so that it may well end here.
        if self.committed.segment < end {
            self.committed = Point { offset: self.committed.offset, segment: end, position: 0 };
        }
        let from = self.segments.partition_point(|segment| segment.base < base);
        let to = self.segments.partition_point(|segment| segment.base < end);
        let old: u64 = self.segments.range(from..to).map(|segment| segment.size).sum();
        let mut before = self.segments.get(from).map_or(0, |first| first.bytes_before);
        self.segments.drain(from + 1..to);
        if let Some(first) = self.segments.get_mut(from) {
            *first = built.facts;
        }
        for segment in self.segments.range_mut(from..) {
            segment.bytes_before = before;
            before += segment.size;
        }
        self.stored_bytes = (self.stored_bytes + built.facts.size).saturating_sub(old);
    }
}
