//! The sparse index of a log: which batch begins where, about one entry each [`INTERVAL`] bytes.
//!
//! New entries are collected in memory and go to sled with a checkpoint. The newest stay here, so that whoever
//! reads near the end does not ask sled.

use std::collections::VecDeque;

use brooklet_model::Timestamp;

use super::Point;

/// Bytes of log between two entries.
pub(crate) const INTERVAL: u64 = 64 * 1024;
/// Entries kept in memory once they are in sled.
const RECENT: usize = 128;

/// A batch's place, and the largest timestamp of its segment before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) point: Point,
    pub(crate) max_timestamp: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct SparseIndex {
    entries: VecDeque<IndexEntry>,
    /// How many of the entries, from the front, are in sled.
    stored: usize,
    /// Bytes appended since the last entry.
    since: u64,
    /// Whether sled has entries that are not here.
    more_in_sled: bool,
}

impl SparseIndex {
    /// An empty index in front of what sled has.
    pub(super) fn new(more_in_sled: bool) -> Self {
        Self { more_in_sled, ..Self::default() }
    }

    /// Takes note of a batch of `size` bytes at `point`.
    pub(super) fn note(&mut self, point: Point, size: usize, max_timestamp: Timestamp) {
        if point.position == 0 {
            self.since = 0;
        } else if self.since >= INTERVAL {
            self.entries.push_back(IndexEntry { point, max_timestamp });
            self.since = 0;
        }
        self.since += size as u64;
    }

    /// The last entry at or before `offset`, and whether sled could know a closer one.
    pub(super) fn before_offset(&self, offset: i64) -> (Option<Point>, bool) {
        let after = self.entries.partition_point(|entry| entry.point.offset <= offset);
        let entry = after.checked_sub(1).and_then(|at| self.entries.get(at));
        (entry.map(|entry| entry.point), entry.is_none() && self.more_in_sled)
    }

    /// The last entry of `segment` before which all timestamps are below `target`, and whether sled could know a
    /// closer one.
    pub(super) fn before_time(&self, segment: i64, target: Timestamp) -> (Option<Point>, bool) {
        let from = self.entries.partition_point(|entry| entry.point.segment < segment);
        let of_segment = self.entries.iter().skip(from).take_while(|entry| entry.point.segment == segment);
        let entry = of_segment.take_while(|entry| entry.max_timestamp < target).last();
        (entry.map(|entry| entry.point), entry.is_none() && self.more_in_sled)
    }

    /// The entry of `segment` nearest to and not beyond `limit`.
    pub(super) fn boundary(&self, segment: i64, limit: u64) -> Option<u64> {
        let key = (segment, limit);
        let after = self.entries.partition_point(|entry| (entry.point.segment, entry.point.position) <= key);
        let entry = self.entries.get(after.checked_sub(1)?)?;
        (entry.point.segment == segment).then_some(entry.point.position)
    }

    /// The entries that sled has not.
    pub(super) fn unstored(&self) -> Vec<IndexEntry> {
        self.entries.iter().skip(self.stored).copied().collect()
    }

    /// Notes that the entries up to the offset `last` are in sled; old ones leave memory.
    pub(super) fn stored(&mut self, last: i64) {
        self.stored = self.entries.partition_point(|entry| entry.point.offset <= last);
        let drop = self.stored.saturating_sub(RECENT);
        if drop > 0 {
            self.more_in_sled = true;
            self.entries.drain(..drop);
            self.stored -= drop;
        }
    }

    /// Segments from `base` to before `end` were replaced by one with these entries. With `in_sled` sled has them, and
    /// all entries before; else they are kept here.
    pub(super) fn replace(&mut self, base: i64, end: i64, new: &[IndexEntry], in_sled: bool) {
        if in_sled {
            self.more_in_sled = true;
            self.remove_before(end);
            return;
        }
        self.entries.retain(|entry| !(base..end).contains(&entry.point.segment));
        let at = self.entries.partition_point(|entry| entry.point.segment < base);
        let after = self.entries.split_off(at);
        self.entries.extend(new.iter().copied().chain(after));
    }

    /// Forgets what lies before the segment `base`.
    pub(super) fn remove_before(&mut self, base: i64) {
        while self.entries.front().is_some_and(|entry| entry.point.segment < base) {
            self.entries.pop_front();
            self.stored = self.stored.saturating_sub(1);
        }
    }

    /// The offset of the first known batch at `position` of `segment` or after it there, unless sled could know a
    /// closer one.
    pub(super) fn offset_at(&self, segment: i64, position: u64) -> Option<i64> {
        let key = (segment, position);
        let at = self.entries.partition_point(|entry| (entry.point.segment, entry.point.position) < key);
        let entry = self.entries.get(at).filter(|_| at > 0 || !self.more_in_sled)?;
        (entry.point.segment == segment).then_some(entry.point.offset)
    }
}
