//! How a log is opened: what sled knows of it, and what has to be read again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8};
use std::sync::{Arc, Weak};
use std::time::Duration;

use brooklet_model::{Batch, BatchHeader, EndMarker, Timestamp, TopicPartition};
use bytes::{Buf, Bytes, BytesMut};
use parking_lot::{Mutex, RwLock};

use super::index::SparseIndex;
use super::tail::Tail;
use super::waiters::Waiters;
use super::{AbortedTransaction, Compaction, OPEN, PartitionLog, Point, Segment, State, Transactions};
use crate::producers::Producers;
use crate::shared::Shared;
use crate::store::RecordStore;
use crate::{LogConfig, StorageError};

/// What sled has of a log, up to the point that it was applied to.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) end: Point,
    pub(crate) segments: Vec<Segment>,
    pub(crate) producers: Producers,
    pub(crate) aborted: Vec<AbortedTransaction>,
    /// Of the bytes that this speaks of.
    pub(crate) generation: i64,
    /// Compacted up to here.
    pub(crate) cleaned_to: i64,
}

impl PartitionLog {
    /// Opens the log in `store`, new or not. `start` is its recorded start.
    ///
    /// Only what lies after the point that sled was applied to is read: batch by batch, checksums checked; at the
    /// first that is not whole the log is cut, as Kafka cuts it (`org.apache.kafka.storage.internals.log.LogLoader`).
    pub(crate) fn open(
        id: TopicPartition,
        number: u32,
        store: Box<dyn RecordStore>,
        shared: Arc<Shared>,
        config: Arc<LogConfig>,
        start: i64,
    ) -> Result<Arc<Self>, StorageError> {
        let now = shared.clock.now();
        let mut found = store.segments()?;
        if found.is_empty() {
            store.create(start)?;
            found.push((start, 0));
        }
        let mut recovery = Recovery { id: &id, number, store: store.as_ref(), shared: &shared, now, cleaned_to: 0 };
        let mut state = recovery.restore(&found)?;
        let restored = state.end;
        recovery.replay(&mut state, &found)?;
        let compaction = Compaction::new(recovery.cleaned_to);
        if state.end.offset < start {
            recovery.restart_at(&mut state, start)?;
        }
        if let Some(index) = &shared.index
            && index.table_applied(number) > state.end.offset
        {
            index.forget_table(number);
        }
        let replayed = state.end != restored;
        state.committed = state.end;
        state.transactions.remove_from(state.end.offset);
        state.transactions.settle(state.end.offset);
        let first_unstable = state.transactions.first_unstable().map_or(i64::MAX, |begin| begin.offset);
        let first = state.segments.front().map_or(start, |segment| segment.base);
        let end = state.end.offset;
        let log = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            id,
            number,
            store,
            shared,
            config: RwLock::new(config),
            state: Mutex::new(state),
            start: AtomicI64::new(start.max(first)),
            high_watermark: AtomicI64::new(end),
            first_unstable: AtomicI64::new(first_unstable),
            waiters: Waiters::default(),
            lifecycle: AtomicU8::new(OPEN),
            dirty: AtomicBool::new(false),
            uncommitted: AtomicBool::new(false),
            table: Mutex::new(Weak::new()),
            syncing: Mutex::new(()),
            compaction,
            maintenance: Mutex::new(()),
            layout: RwLock::new(()),
        });
        if replayed {
            log.mark_dirty();
        }
        Ok(log)
    }
}

struct Recovery<'a> {
    id: &'a TopicPartition,
    number: u32,
    store: &'a dyn RecordStore,
    shared: &'a Shared,
    now: Timestamp,
    cleaned_to: i64,
}

impl Recovery<'_> {
    /// The state as sled has it, if that fits the segments there are; else that of an empty log at the first.
    fn restore(&mut self, found: &[(i64, u64)]) -> Result<State, StorageError> {
        let Some(index) = &self.shared.index else { return Ok(self.state_at_first(found)) };
        let known = index.load(self.number);
        // A compaction came between: what sled has may speak of records, and of a table's values, that are gone.
        let is_outdated = known.as_ref().is_some_and(|restored| restored.generation != self.store.generation());
        if is_outdated {
            tracing::info!(log = %self.id, "the index is of before the last compaction; it is made again");
            index.forget_table(self.number);
        }
        let Some(restored) = known.filter(|restored| !is_outdated && fits(restored, found)) else {
            index.forget(self.number);
            return Ok(self.state_at_first(found));
        };
        self.cleaned_to = restored.cleaned_to;
        let mut segments = VecDeque::with_capacity(found.len());
        let mut bytes_before = 0;
        for (base, size) in found.iter().take_while(|(base, _)| *base <= restored.end.segment) {
            let known = restored.segments.iter().find(|segment| segment.base == *base).copied();
            let mut segment = known.unwrap_or_else(|| Segment::new(*base, 0, self.now));
            segment.bytes_before = bytes_before;
            segment.size = if *base == restored.end.segment { restored.end.position } else { *size };
            bytes_before += segment.size;
            segments.push_back(segment);
        }
        let stored_segment = restored.end.segment;
        let stored_bytes = bytes_before;
        Ok(State {
            segments,
            end: restored.end,
            committed: restored.end,
            tail: Tail::default(),
            index: SparseIndex::new(true),
            transactions: Transactions::restore(&restored.producers, restored.aborted),
            producers: restored.producers,
            poisoned: None,
            unsynced: Vec::new(),
            stored_segment,
            stored_bytes,
        })
    }

    fn state_at_first(&self, found: &[(i64, u64)]) -> State {
        let base = found.first().map_or(0, |(base, _)| *base);
        let end = Point { offset: base, segment: base, position: 0 };
        State {
            segments: VecDeque::from([Segment::new(base, 0, self.now)]),
            end,
            committed: end,
            tail: Tail::default(),
            index: SparseIndex::new(false),
            producers: Producers::default(),
            transactions: Transactions::default(),
            poisoned: None,
            unsynced: Vec::new(),
            stored_segment: base,
            stored_bytes: 0,
        }
    }

    /// Reads on from the state's end, to the end of the last segment or the first damage, where the log is cut.
    fn replay(&mut self, state: &mut State, found: &[(i64, u64)]) -> Result<(), StorageError> {
        let first = state.end.segment;
        let mut cut = false;
        let compacted_to = self.store.compacted_to();
        for (at, (base, size)) in found.iter().enumerate().filter(|(_, (base, _))| *base >= first) {
            if cut || *base < state.end.offset && *base != first {
                tracing::warn!(log = %self.id, segment = base, bytes = size, "removed a segment that follows damage");
                self.store.remove(*base, Duration::ZERO)?;
                cut = true;
                continue;
            }
            if *base != first {
                let before = state.segments.back().map_or(0, |last| last.bytes_before + last.size);
                state.unsynced.push(state.end.segment);
                state.segments.push_back(Segment::new(*base, before, self.now));
                state.end = Point { offset: *base, segment: *base, position: 0 };
            }
            let next_base = found.get(at + 1).map_or(i64::MAX, |(base, _)| *base);
            self.replay_segment(state, *size, compacted_to.min(next_base))?;
            if state.end.position < *size {
                let bytes = size - state.end.position;
                tracing::warn!(log = %self.id, segment = base, at = state.end.position, bytes, "cut a torn tail");
                self.store.truncate(*base, state.end.position)?;
                if let Some(index) = &self.shared.index {
                    index.remove_from(self.number, state.end.offset);
                }
                cut = true;
            }
        }
        Ok(())
    }

    /// Before the offset `gaps_until` batches may be missing.
    fn replay_segment(&self, state: &mut State, size: u64, gaps_until: i64) -> Result<(), StorageError> {
        let mut chunk = Bytes::new();
        while state.end.position < size {
            let left = size - state.end.position;
            let next = match whole_batch(&chunk, state.end.offset, gaps_until) {
                Some(batch) => batch,
                // Perhaps the chunk ends inside the batch: take one that begins with it.
                None => {
                    let declared = BatchHeader::parse(&chunk).map_or(0, |header| header.size as u64);
                    let wanted = declared.max(CHUNK).min(left);
                    if chunk.len() as u64 >= wanted {
                        return Ok(());
                    }
                    let mut bytes = BytesMut::zeroed(usize::try_from(wanted).unwrap_or(usize::MAX));
                    let filled = self.store.read_into(state.end.segment, state.end.position, &mut bytes)?;
                    bytes.truncate(filled);
                    let longer = bytes.freeze();
                    if longer.len() <= chunk.len() {
                        return Ok(());
                    }
                    chunk = longer;
                    continue;
                }
            };
            chunk.advance(next.header.size);
            let marker = next.header.is_control().then(|| EndMarker::parse(&next)).flatten();
            state.note(&next.header, marker, self.now);
        }
        Ok(())
    }

    /// Leaves an empty log that begins at `start`: deleted records were recorded as such, the log was cut before.
    fn restart_at(&self, state: &mut State, start: i64) -> Result<(), StorageError> {
        for segment in &state.segments {
            self.store.remove(segment.base, Duration::ZERO)?;
        }
        self.store.create(start)?;
        if let Some(index) = &self.shared.index {
            index.forget(self.number);
        }
        *state = self.state_at_first(&[(start, 0)]);
        Ok(())
    }
}

/// Bytes read at once.
const CHUNK: u64 = 1 << 20;

/// The batch at the front of `chunk`, if it is whole, undamaged, and has the offset `next` or, where those between may
/// have been compacted away, a later one. (No checksum covers the offset.)
fn whole_batch(chunk: &Bytes, next: i64, gaps_until: i64) -> Option<Batch> {
    let batch = Batch::parse(chunk).ok()?;
    let base = batch.header.base_offset.0;
    let fits = (base == next || base > next && base < gaps_until)
        && batch.header.leader_epoch.0 == 0
        && batch.header.last_offset_delta >= 0
        && batch.verify_checksum().is_ok();
    fits.then_some(batch)
}

/// Whether sled speaks of these segments.
fn fits(restored: &Restored, found: &[(i64, u64)]) -> bool {
    let end = restored.end;
    let known = |base: &i64| restored.segments.iter().any(|segment| segment.base == *base);
    found.iter().any(|(base, size)| *base == end.segment && *size >= end.position)
        && found.iter().all(|(base, _)| *base > end.segment || known(base))
}
