//! The partition log: offsets, sequence checks, sparse index, waiters, retention, above whatever engine keeps the
//! bytes.

mod append;
mod batches;
mod checks;
mod compact;
mod compaction;
mod durability;
#[cfg(test)]
mod fault_tests;
mod index;
mod read;
mod recover;
mod retention;
mod scan;
mod swap;
#[cfg(test)]
mod swap_tests;
mod tail;
mod time;
mod transactions;
mod validate;
mod waiters;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use brooklet_model::{LeaderEpoch, Offset, ProducerId, Timestamp, TopicPartition};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

pub use append::Appended;
use compaction::Compaction;
pub(crate) use durability::Checkpoint;
pub(crate) use index::IndexEntry;
pub(crate) use recover::Restored;
use scan::HeaderScan;
pub(crate) use transactions::Transactions;
pub use transactions::{AbortedTransaction, Verified};

use crate::producers::Producers;
use crate::shared::Shared;
use crate::store::RecordStore;
use crate::{LogConfig, ProducerEntry, StorageError, Table};
use index::SparseIndex;
use tail::Tail;
use waiters::Waiters;

/// One partition's log, or one of brooklet's own hidden logs. Shared by all who write and read it.
pub struct PartitionLog {
    this: Weak<PartitionLog>,
    id: TopicPartition,
    /// Names the log in sled's keys; never used twice.
    number: u32,
    store: Box<dyn RecordStore>,
    shared: Arc<Shared>,
    config: RwLock<Arc<LogConfig>>,
    state: Mutex<State>,
    start: AtomicI64,
    high_watermark: AtomicI64,
    /// First offset of the oldest transaction that is open; `i64::MAX` is none.
    first_unstable: AtomicI64,
    waiters: Waiters,
    lifecycle: AtomicU8,
    /// Waits for the next checkpoint.
    dirty: AtomicBool,
    /// Waits for the next group commit.
    uncommitted: AtomicBool,
    table: Mutex<Weak<Table>>,
    /// Held while syncing, so that one who syncs knows what another has taken on.
    syncing: Mutex<()>,
    compaction: Compaction,
    /// Held by whoever takes segments away, puts one in place of others, or tells sled of them. Before `layout`, and
    /// that before `state`.
    maintenance: Mutex<()>,
    /// Held while a place in a segment is found and read, and alone while segments are replaced.
    layout: RwLock<()>,
}

const OPEN: u8 = 0;
const DELETED: u8 = 1;
const CLOSED: u8 = 2;

/// What appends change.
struct State {
    /// At least one, the active one last.
    segments: VecDeque<Segment>,
    /// Where the next batch goes.
    end: Point,
    /// What may be served ends here.
    committed: Point,
    tail: Tail,
    index: SparseIndex,
    producers: Producers,
    transactions: Transactions,
    poisoned: Option<Arc<str>>,
    /// Bases of the segments written to since the last sync, the active one aside.
    unsynced: Vec<i64>,
    /// The active segment at the last checkpoint; sled knows those before it as they are.
    stored_segment: i64,
    /// Bytes of the log before the last checkpoint.
    stored_bytes: u64,
}

/// A place between two batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Offset of the batch that begins here.
    pub(crate) offset: i64,
    /// Base of the segment.
    pub(crate) segment: i64,
    /// Byte in the segment.
    pub(crate) position: u64,
}

/// What is known of a segment without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) base: i64,
    pub(crate) size: u64,
    /// Bytes of the log before it, counted from the first segment that was there at the start.
    pub(crate) bytes_before: u64,
    /// Max timestamp of its first batch; -1 while empty.
    pub(crate) first_timestamp: Timestamp,
    /// The largest timestamp; -1 while empty.
    pub(crate) max_timestamp: Timestamp,
    /// Base offset of the first batch that has it.
    pub(crate) max_timestamp_offset: i64,
    /// By the clock.
    pub(crate) created: Timestamp,
}

impl Segment {
    fn new(base: i64, bytes_before: u64, created: Timestamp) -> Self {
        Self {
            base,
            size: 0,
            bytes_before,
            first_timestamp: -1,
            max_timestamp: -1,
            max_timestamp_offset: base,
            created,
        }
    }
}

impl State {
    /// The segment of that base.
    fn segment(&self, base: i64) -> Option<&Segment> {
        let at = self.segments.binary_search_by_key(&base, |segment| segment.base).ok()?;
        self.segments.get(at)
    }

    /// The segment that holds `offset`, if any does.
    fn segment_of(&self, offset: i64) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.base <= offset);
        self.segments.get(after.checked_sub(1)?)
    }

    /// How many bytes of a segment may be served.
    fn served_size(&self, segment: &Segment) -> u64 {
        self.size_before(segment, self.committed)
    }

    /// How many bytes of a segment lie before `end`.
    fn size_before(&self, segment: &Segment, end: Point) -> u64 {
        match segment.base.cmp(&end.segment) {
            std::cmp::Ordering::Less => segment.size,
            std::cmp::Ordering::Equal => end.position,
            std::cmp::Ordering::Greater => 0,
        }
    }

    /// Bytes of the log before `point`.
    fn bytes_before(&self, point: Point) -> u64 {
        self.segment(point.segment).map_or(0, |segment| segment.bytes_before) + point.position
    }
}

impl PartitionLog {
    /// Which partition this is.
    pub fn id(&self) -> &TopicPartition {
        &self.id
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The settings in force.
    pub fn config(&self) -> Arc<LogConfig> {
        self.config.read().clone()
    }

    pub(crate) fn set_config(&self, config: Arc<LogConfig>) {
        *self.config.write() = config;
    }

    /// The first offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        Offset(self.start.load(Ordering::Acquire))
    }

    /// The end of what is acknowledged and served.
    pub fn high_watermark(&self) -> Offset {
        Offset(self.high_watermark.load(Ordering::Acquire))
    }

    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> Offset {
        Offset(self.state.lock().end.offset)
    }

    /// The leader's term; there is only ever one leader.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(0)
    }

    /// The last that `producer` wrote here, if it is remembered.
    pub fn producer_state(&self, producer: ProducerId) -> Option<ProducerEntry> {
        self.state.lock().producers.get(producer)
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        self.state.lock().segments.iter().map(|segment| segment.size).sum()
    }

    /// Whether its topic is deleted: nothing more can be written or read.
    pub fn is_deleted(&self) -> bool {
        self.lifecycle.load(Ordering::Acquire) == DELETED
    }

    /// Calls `notify.notify_one()` once, when the high watermark next moves or the log is deleted or closed.
    ///
    /// Register, then look at the log, then await: an append in between is not missed.
    pub fn wake_on_advance(&self, notify: &Arc<Notify>) {
        self.waiters.register(notify);
        if self.lifecycle.load(Ordering::Acquire) != OPEN {
            notify.notify_one();
        }
    }

    /// Returns when everything below `end` is acknowledged by the rules of the engine and of
    /// [`Fsync`](crate::Fsync); at once where those are met by the append itself.
    pub async fn durable(&self, end: Offset) -> Result<(), StorageError> {
        if self.high_watermark() >= end {
            return Ok(());
        }
        let notify = Arc::new(Notify::new());
        loop {
            self.wake_on_advance(&notify);
            if self.high_watermark() >= end {
                return Ok(());
            }
            self.check_open()?;
            self.check_poison(&self.state.lock())?;
            notify.notified().await;
        }
    }

    fn check_open(&self) -> Result<(), StorageError> {
        match self.lifecycle.load(Ordering::Acquire) {
            OPEN => Ok(()),
            DELETED => Err(StorageError::Deleted),
            _ => Err(StorageError::Closed),
        }
    }

    fn check_poison(&self, state: &State) -> Result<(), StorageError> {
        match &state.poisoned {
            None => Ok(()),
            Some(why) => Err(StorageError::Poisoned(why.clone())),
        }
    }

    pub(crate) fn check_writable(&self) -> Result<(), StorageError> {
        self.check_open()?;
        self.check_poison(&self.state.lock())
    }

    /// No write or read from now on.
    pub(crate) fn close(&self) {
        self.end_life(CLOSED);
    }

    /// As [`PartitionLog::close`], for good; the bytes are removed.
    pub(crate) fn delete(&self) -> std::io::Result<()> {
        self.end_life(DELETED);
        let _maintenance = self.maintenance.lock();
        self.store.destroy(self.config().file_delete_delay())
    }

    fn end_life(&self, lifecycle: u8) {
        // Under the lock, so that no append is under way when this returns.
        let state = self.state.lock();
        self.lifecycle.store(lifecycle, Ordering::Release);
        drop(state);
        self.waiters.wake();
    }

    /// The table over this log, if one is in use.
    pub(crate) fn table_slot(&self) -> parking_lot::MutexGuard<'_, Weak<Table>> {
        self.table.lock()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl std::fmt::Debug for PartitionLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitionLog")
            .field("id", &self.id)
            .field("start", &self.log_start_offset())
            .field("high_watermark", &self.high_watermark())
            .finish_non_exhaustive()
    }
}
