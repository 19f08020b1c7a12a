//! Where the bytes of a log live: one trait, three engines.
//!
//! A log is a row of segments, each known by the offset of its first record (its base) and holding whole batches
//! one after the other from position 0. The caller knows how long each is, serialises all changes of a log, and
//! never changes bytes once written save by cutting a tail off.

mod files;
mod memory;
mod segments;
mod sled;
mod sled_slots;
mod swap_files;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use brooklet_model::{TopicId, TopicPartition};

use self::sled::SledStore;
use crate::deletions::Deletions;
use crate::{Engine, LogSlice};
use files::Files;
pub(crate) use memory::MemoryStore;
use segments::SegmentStore;
pub(crate) use segments::remove_leftovers;
#[cfg(test)]
pub(crate) use swap_files::fault;

/// The bytes of one log.
pub(crate) trait RecordStore: Send + Sync {
    /// Base and length in bytes of each segment, in order.
    fn segments(&self) -> io::Result<Vec<(i64, u64)>>;

    /// Starts a new, empty segment after the others.
    fn create(&self, base: i64) -> io::Result<()>;

    /// Writes `prefix` and `rest` at `position`, the end of the last segment. When it fails, anything may stand
    /// there.
    fn append(&self, base: i64, position: u64, prefix: &[u8; 16], rest: &[u8]) -> io::Result<()>;

    /// `len` bytes from `position`, all of them written before.
    fn read(&self, base: i64, position: u64, len: usize) -> io::Result<LogSlice>;

    /// Fills as much of `out` as there is from `position`; returns how much.
    fn read_into(&self, base: i64, position: u64, out: &mut [u8]) -> io::Result<usize>;

    /// Cuts the segment to `len` bytes.
    fn truncate(&self, base: i64, len: u64) -> io::Result<()>;

    /// Removes a segment; its space returns, from files after `delay`. Slices read before stay whole.
    fn remove(&self, base: i64, delay: Duration) -> io::Result<()>;

    /// Brings what was written to a segment to the disk, as far as that is done segment by segment.
    fn sync(&self, base: i64) -> io::Result<()>;

    /// Removes the log; its space returns as with [`RecordStore::remove`].
    fn destroy(&self, delay: Duration) -> io::Result<()>;

    /// Starts what is to take the place of the segments from `base` on; what an earlier try left is dropped.
    fn begin_cleaned(&self, base: i64) -> io::Result<()>;

    /// Writes `bytes` at `position`, the end of what was begun.
    fn append_cleaned(&self, base: i64, position: u64, bytes: &[u8]) -> io::Result<()>;

    /// Brings what was begun to the disk.
    fn sync_cleaned(&self, base: i64) -> io::Result<()>;

    /// Drops what was begun.
    fn drop_cleaned(&self, base: i64) -> io::Result<()>;

    /// Decides that what was begun takes the place of all segments from `base` to before `end`: a crash from now on
    /// leaves that to the next start. With `sync`, the decision outlives the loss of power.
    ///
    /// When it fails, it may be decided or not: only a start can tell.
    fn decide_swap(&self, base: i64, end: i64, sync: bool) -> io::Result<()>;

    /// Does what was decided; the space of what is replaced returns as with [`RecordStore::remove`]. Slices read before
    /// stay whole.
    fn finish_swap(&self, base: i64, end: i64, delay: Duration) -> io::Result<()>;

    /// Changes with each decision, and is 0 before the first: tells an index whether it speaks of these bytes.
    fn generation(&self) -> i64;

    /// Batches before this offset may have been compacted away; from it on, each begins where the last one ends.
    fn compacted_to(&self) -> i64;
}

/// Opens the logs of an engine.
pub(crate) struct Stores {
    engine: Engine,
    data_dir: PathBuf,
    files: Arc<Files>,
    deletions: Arc<Deletions>,
    /// Of the sled engine.
    records: Option<SledRecords>,
}

/// The trees that the sled engine keeps records in.
#[derive(Clone, Debug)]
pub(crate) struct SledRecords {
    pub(crate) records: ::sled::Tree,
    /// Where compacted segments stand in it.
    pub(crate) slots: ::sled::Tree,
}

impl Stores {
    pub(crate) fn new(engine: Engine, data_dir: PathBuf, records: Option<SledRecords>) -> Self {
        Self { engine, data_dir, files: Arc::default(), deletions: Arc::default(), records }
    }

    /// The bytes of the log `number`, which is the partition `id` of the topic `topic_id`.
    pub(crate) fn open(&self, id: &TopicPartition, number: u32, topic_id: TopicId) -> io::Result<Box<dyn RecordStore>> {
        Ok(match (self.engine, &self.records) {
            (Engine::Segments, _) => {
                let (files, deletions) = (self.files.clone(), self.deletions.clone());
                Box::new(SegmentStore::open(&self.data_dir, id, number, topic_id, files, deletions)?)
            }
            (_, Some(records)) => Box::new(SledStore::open(records.clone(), number)?),
            (_, None) => Box::new(MemoryStore::default()),
        })
    }

    /// What waits to be removed.
    pub(crate) fn deletions(&self) -> &Arc<Deletions> {
        &self.deletions
    }

    /// Removes what a crash left of a deleted log.
    pub(crate) fn remove(&self, id: &TopicPartition, number: u32, topic_id: TopicId) -> io::Result<()> {
        match (self.engine, &self.records) {
            (Engine::Segments, _) => segments::remove_log(&self.data_dir, id, number, topic_id, &self.files),
            (_, Some(records)) => SledStore::remove_log(records, number),
            (_, None) => Ok(()),
        }
    }
}
