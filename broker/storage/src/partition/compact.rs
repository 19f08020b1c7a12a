//! A compaction pass over a log: the latest offset of each key of the dirty part, then all closed segments up to there
//! written anew without what they no longer need (`kafka.log.Cleaner.doClean`).

use brooklet_model::{Batch, BatchHeader};

use super::batches::Batches;
use super::index::{INTERVAL, IndexEntry};
use super::{HeaderScan, PartitionLog, Point, Segment};
use crate::cleaner::Cleaned;
use crate::cleaner::filter::{Filter, Rules, marker_of, unfolded_records};
use crate::cleaner::offset_map::OffsetMap;
use crate::cleaner::plan::{Part, View, groups};
use crate::cleaner::transactions::{AbortedFinder, AbortedTransaction, Transactions};
use crate::{Fsync, StorageError};

/// Bytes collected before they are written.
const WRITE_BYTES: usize = 1 << 20;
/// Bytes written before they are synced: one sync of a whole segment would keep the disk from the appends.
const SYNC_BYTES: u64 = 16 << 20;

/// The segment that a group of others becomes.
pub(super) struct Built {
    pub(super) facts: Segment,
    pub(super) entries: Vec<IndexEntry>,
    /// Markers of aborted transactions of which nothing is left.
    pub(super) ended_aborts: Vec<i64>,
    /// Bytes since the last entry.
    since: u64,
}

impl Built {
    fn new(group: &[Segment]) -> Option<Self> {
        let (first, last) = (group.first()?, group.last()?);
        let facts = Segment::new(first.base, first.bytes_before, last.created);
        Some(Self { facts, entries: Vec::new(), ended_aborts: Vec::new(), since: 0 })
    }

    fn note(&mut self, header: &BatchHeader) {
        let facts = &mut self.facts;
        let point = Point { offset: header.base_offset.0, segment: facts.base, position: facts.size };
        if self.since >= INTERVAL {
            self.entries.push(IndexEntry { point, max_timestamp: facts.max_timestamp });
            self.since = 0;
        }
        self.since += header.size as u64;
        if facts.size == 0 {
            facts.first_timestamp = header.max_timestamp;
        }
        if header.max_timestamp > facts.max_timestamp {
            facts.max_timestamp = header.max_timestamp;
            facts.max_timestamp_offset = point.offset;
        }
        facts.size += header.size as u64;
    }
}

impl PartitionLog {
    /// The part of the log that may be compacted; `None` if there is none, or its topic is not.
    pub(crate) fn cleanable(&self) -> Option<Part> {
        let config = self.config();
        if !config.cleanup_policy.compact || self.check_open().is_err() || !self.compaction.is_possible() {
            return None;
        }
        let now = self.shared.clock.now();
        let (log_start, stable) = (self.log_start_offset().0, self.last_stable_offset().0);
        let mut state = self.state.lock();
        if state.poisoned.is_some() {
            return None;
        }
        let (log_end, segments) = (state.end.offset, state.segments.make_contiguous());
        let stable = stable.min(self.high_watermark().0);
        View { segments, log_start, log_end, stable, cleaned_to: self.compaction.to() }.part(&config, now)
    }

    /// Compacts `part`, with a table of keys of at most `bytes_max` bytes. Nothing changes for the rest when it fails.
    pub(crate) fn clean(&self, part: &Part, bytes_max: usize) -> Result<Cleaned, StorageError> {
        let Some(_only_pass) = self.compaction.begin() else { return Ok(Cleaned::default()) };
        let config = self.config();
        let (segments, producers) = {
            let state = self.state.lock();
            let segments = state.segments.iter().filter(|segment| segment.base < part.end).copied();
            (segments.collect::<Vec<_>>(), state.producers.last_records())
        };
        let aborted = self.aborted_transactions(part.first_dirty, part.end)?;
        let records = part.end.abs_diff(part.first_dirty);
        let mut map = OffsetMap::new(records, bytes_max);
        self.map_keys(&segments, part, &aborted, &mut map)?;
        let to = map.latest() + 1;
        if to <= part.first_dirty {
            return Ok(Cleaned { to: part.first_dirty, ..Cleaned::default() });
        }
        let rules = Rules {
            map: &map,
            now: self.shared.clock.now(),
            delete_retention_ms: config.delete_retention_ms,
            end: part.end,
            producers: &producers,
        };
        let mut filter = Filter::new(rules, Transactions::new(aborted));
        let cleaned = segments.partition_point(|segment| segment.base < to);
        let end = segments.get(cleaned).map_or(part.end, |next| next.base);
        let mut done = Cleaned { to, ..Cleaned::default() };
        let groups = groups(segments.get(..cleaned).unwrap_or_default(), end, config.segment_bytes);
        let ends = groups.iter().skip(1).filter_map(|group| group.first()).map(|first| first.base).chain([end]);
        for (group, end) in groups.iter().zip(ends) {
            let built = self.clean_group(group, end, &mut filter)?;
            done.bytes_before += group.iter().map(|segment| segment.size).sum::<u64>();
            done.bytes_after += built;
        }
        if filter.unreadable() > 0 {
            let batches = filter.unreadable();
            tracing::warn!(log = %self.id, batches, "batches that cannot be read were not compacted");
        }
        self.compaction.finish(to);
        if let Some(index) = &self.shared.index {
            let _maintenance = self.maintenance.lock();
            index.set_cleaned(self.number, [self.store.generation(), to]);
        }
        Ok(done)
    }

    /// Transactions that were aborted and have batches from `from` to before `to`. All of these have ended, but their
    /// markers may stand further on.
    fn aborted_transactions(&self, from: i64, to: i64) -> Result<Vec<AbortedTransaction>, StorageError> {
        let segments: Vec<(Segment, u64)> = {
            let state = self.state.lock();
            let first = state.segments.partition_point(|segment| segment.base <= from).saturating_sub(1);
            state.segments.iter().skip(first).map(|segment| (*segment, state.served_size(segment))).collect()
        };
        let mut finder = AbortedFinder::default();
        let mut scratch = Vec::new();
        for (segment, limit) in segments {
            if segment.base >= to && !finder.is_open_before(to) {
                break;
            }
            self.check_cleaning()?;
            let mut scan = HeaderScan::new(self.store.as_ref(), segment.base, 0, limit);
            while let Some((position, header)) = scan.next()? {
                if header.last_offset().0 < from {
                    continue;
                }
                if header.is_control() {
                    let bytes = self.store.read(segment.base, position, header.size)?.into_bytes()?;
                    finder.meet_marker(&header, marker_of(&Batch { header, bytes }, &mut scratch));
                } else {
                    finder.meet_batch(&header);
                }
            }
        }
        Ok(finder.found())
    }

    /// Notes the latest offset of each key from `part` on, until that ends or the table is full.
    fn map_keys(
        &self,
        segments: &[Segment],
        part: &Part,
        aborted: &[AbortedTransaction],
        map: &mut OffsetMap,
    ) -> Result<(), StorageError> {
        let mut transactions = Transactions::new(aborted.iter().copied());
        let mut unfolded = Vec::new();
        let first = segments.partition_point(|segment| segment.base <= part.first_dirty).saturating_sub(1);
        let dirty = segments.get(first..).unwrap_or_default();
        let ends = dirty.iter().skip(1).map(|next| next.base).chain([part.end]);
        for (segment, end) in dirty.iter().zip(ends) {
            let mut batches = Batches::new(self.store.as_ref(), segment);
            while let Some(batch) = batches.next()? {
                self.check_cleaning()?;
                let last = batch.header.last_offset().0;
                let is_of_no_use = if batch.header.is_control() {
                    transactions.meet_marker(&batch.header, marker_of(&batch, &mut unfolded));
                    true
                } else {
                    transactions.meet_batch(&batch.header)
                };
                if last < part.first_dirty {
                    continue;
                }
                if !is_of_no_use && !put_keys(&batch, part.first_dirty, &mut unfolded, map) {
                    return Ok(());
                }
                map.advance(last);
            }
            // Compacted before, its last offsets may be gone.
            map.advance(end - 1);
        }
        Ok(())
    }

    /// Writes what is kept of `group` and puts it in its place; returns its size.
    fn clean_group(&self, group: &[Segment], end: i64, filter: &mut Filter<'_>) -> Result<u64, StorageError> {
        let Some(mut built) = Built::new(group) else { return Ok(0) };
        let base = built.facts.base;
        let written = self.write_group(group, filter, &mut built);
        built.ended_aborts = filter.take_ended_aborts();
        let swapped = written.and_then(|()| {
            let size = built.facts.size;
            self.swap_in(group, end, built).map(|()| size)
        });
        if swapped.is_err()
            && let Err(error) = self.store.drop_cleaned(base)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::debug!(log = %self.id, base, %error, "what was written for a swap stays until the next start");
        }
        swapped
    }

    fn write_group(&self, group: &[Segment], filter: &mut Filter<'_>, built: &mut Built) -> Result<(), StorageError> {
        let base = built.facts.base;
        let syncs = self.shared.fsync != Fsync::Never;
        let mut out = Vec::with_capacity(WRITE_BYTES + WRITE_BYTES / 4);
        let (mut written, mut unsynced) = (0, 0);
        self.store.begin_cleaned(base)?;
        let mut write = |out: &mut Vec<u8>| -> Result<(), StorageError> {
            self.store.append_cleaned(base, written, out)?;
            written += out.len() as u64;
            unsynced += out.len() as u64;
            out.clear();
            if syncs && unsynced >= SYNC_BYTES {
                self.store.sync_cleaned(base)?;
                unsynced = 0;
            }
            Ok(())
        };
        for segment in group {
            let mut batches = Batches::new(self.store.as_ref(), segment);
            while let Some(batch) = batches.next()? {
                self.check_cleaning()?;
                if let Some(header) = filter.apply(&batch, &mut out)? {
                    built.note(&header);
                }
                if out.len() >= WRITE_BYTES {
                    write(&mut out)?;
                }
            }
        }
        if !out.is_empty() {
            write(&mut out)?;
        }
        if syncs {
            self.store.sync_cleaned(base)?;
        }
        Ok(())
    }
}

/// Notes the keys of the batch from `from` on; false when the table is full, and then of the batch what fits is noted.
fn put_keys(batch: &Batch, from: i64, unfolded: &mut Vec<u8>, map: &mut OffsetMap) -> bool {
    // A batch that cannot be read is kept as it is.
    let Ok(records) = unfolded_records(batch, unfolded) else { return true };
    for record in records {
        let Ok(record) = record else { return true };
        if let Some(key) = record.key.filter(|_| record.offset.0 >= from)
            && !map.put(key, record.offset.0)
        {
            return false;
        }
    }
    true
}
