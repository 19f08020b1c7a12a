//! A query's changelog: a hidden log that holds its plans, the changes of its state, its commits, and snapshots.
//!
//! ```text
//! snapshot (empty, with the query and its producer id) · plan 0 · changes 0… commit 0 · plan 1 · … · snapshot · …
//! ```
//! A batch's changes hold only once its commit is there. After a restart the state is the first complete snapshot and
//! the changes of every committed batch; a batch with a plan and no commit runs again, over exactly its ranges. When
//! what follows the last snapshot outgrows it, the state is written anew and everything before is deleted.

mod entry;
mod replay;
mod replay_bytes;
mod sources;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord, Offset, Timestamp};
use brooklet_storage::{AppendError, PartitionLog};

pub(crate) use entry::{Base, Commit, Entry, OutputPosition, PlannedBatch, Rows, Totals, Watermark};
pub(crate) use replay::{Replayed, identity, replay};
pub use replay_bytes::replay_bytes;
pub(crate) use sources::{Range, TopicPositions, TopicRanges};

use crate::codec::Malformed;
use crate::state::Stores;
use crate::step::{Gate, Step, Stopped};

/// How a changelog cuts what it writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Rows are gathered into records of about this size.
    pub(crate) record_bytes: usize,
    /// Records are gathered into batches of this size; a batch is appended whole or not at all.
    pub(crate) batch_bytes: usize,
    /// A snapshot is not worth its bytes before this many follow the last one, and as many as twice the last one.
    pub(crate) snapshot_bytes_min: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { record_bytes: 64 << 10, batch_bytes: 512 << 10, snapshot_bytes_min: 8 << 20 }
    }
}

/// Why a changelog cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChangelogError {
    /// Its bytes are not those of a changelog that this version knows.
    #[error("the record at offset {offset} of the changelog is malformed: {what}")]
    Malformed {
        /// Which record.
        offset: Offset,
        /// What is wrong with it.
        what: String,
    },
    /// It cannot be read.
    #[error("the changelog cannot be read: {0}")]
    Read(String),
    /// It cannot be written.
    #[error("the changelog cannot be written: {0}")]
    Write(String),
    /// The groups that it holds do not fit into the memory that the query may use.
    #[error("the state that the changelog holds is larger than the {0} bytes that the query may use")]
    StateTooLarge(usize),
    /// The query was told to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<Malformed> for ChangelogError {
    /// Whoever reads the record adds its offset.
    fn from(what: Malformed) -> Self {
        Self::Malformed { offset: Offset(-1), what: what.0 }
    }
}

/// The writing side.
#[derive(Debug)]
pub(crate) struct Changelog {
    log: Arc<PartitionLog>,
    sizes: Sizes,
    snapshot_bytes: u64,
    bytes_since: u64,
}

impl Changelog {
    /// Begins a changelog: an empty snapshot, in one batch.
    pub(crate) fn create(log: Arc<PartitionLog>, sizes: Sizes, base: &Base) -> Result<Self, ChangelogError> {
        let mut writer = Writer::new(&log, sizes);
        writer.push(&Entry::SnapshotBegin(base.clone()))?;
        writer.push(&Entry::SnapshotEnd { rows: 0 })?;
        writer.flush()?;
        Ok(Self { log, sizes, snapshot_bytes: 0, bytes_since: 0 })
    }

    /// Goes on with a changelog that was read back.
    pub(crate) fn resume(log: Arc<PartitionLog>, sizes: Sizes, replayed: &Replayed) -> Self {
        Self { log, sizes, snapshot_bytes: replayed.snapshot_bytes, bytes_since: replayed.bytes_since }
    }

    /// Writes that a batch is going to run, first or again.
    pub(crate) fn plan(&mut self, planned: &PlannedBatch) -> Result<(), ChangelogError> {
        let mut writer = Writer::new(&self.log, self.sizes);
        writer.push(&Entry::Planned(planned.clone()))?;
        self.bytes_since += writer.flush()?;
        Ok(())
    }

    /// Writes the batch's changes and, last, its commit: in one batch of records where they fit.
    pub(crate) fn commit(&mut self, commit: &Commit, state: &Stores, gate: &mut Gate) -> Result<(), ChangelogError> {
        let mut writer = Writer::new(&self.log, self.sizes);
        writer.rows(state, Some(commit.number), gate)?;
        writer.push(&Entry::Committed(commit.clone()))?;
        self.bytes_since += writer.flush()?;
        Ok(())
    }

    /// Waits until all that was written is safe by the storage's rules.
    pub(crate) async fn durable(&self) -> Result<(), ChangelogError> {
        durable(&self.log).await
    }

    /// Whether what follows the last snapshot has outgrown it.
    pub(crate) fn snapshot_is_due(&self) -> bool {
        self.bytes_since > self.sizes.snapshot_bytes_min.max(2 * self.snapshot_bytes)
    }

    /// Writes the whole state, and gives the space of what is before it back.
    pub(crate) async fn snapshot(
        &mut self,
        base: &Base,
        state: &Stores,
        gate: &mut Gate,
    ) -> Result<(), ChangelogError> {
        let storage = |error: brooklet_storage::StorageError| ChangelogError::Write(error.to_string());
        self.log.roll().map_err(storage)?;
        let begin = self.log.log_end_offset();
        let mut writer = Writer::new(&self.log, self.sizes);
        writer.push(&Entry::SnapshotBegin(base.clone()))?;
        let rows = writer.rows(state, None, gate)?;
        writer.push(&Entry::SnapshotEnd { rows })?;
        self.snapshot_bytes = writer.flush()?;
        self.bytes_since = 0;
        self.durable().await?;
        gate.pass(Step::Snapshot)?;
        self.forget_before(begin)?;
        Ok(())
    }

    /// Deletes the records before a snapshot.
    pub(crate) fn forget_before(&self, snapshot: Offset) -> Result<(), ChangelogError> {
        if self.log.log_start_offset() < snapshot {
            self.log.delete_records_before(snapshot).map_err(|error| ChangelogError::Write(error.to_string()))?;
        }
        Ok(())
    }
}

/// Waits until all that is in `log` is safe, and can be read.
pub(crate) async fn durable(log: &PartitionLog) -> Result<(), ChangelogError> {
    log.durable(log.log_end_offset()).await.map_err(|error| ChangelogError::Write(error.to_string()))
}

/// Gathers records into batches and appends them.
struct Writer<'a> {
    log: &'a PartitionLog,
    sizes: Sizes,
    builder: BatchBuilder,
    bytes: u64,
}

impl<'a> Writer<'a> {
    fn new(log: &'a PartitionLog, sizes: Sizes) -> Self {
        Self { log, sizes, builder: BatchBuilder::new(), bytes: 0 }
    }

    /// Adds a record; true if those before it were appended.
    fn push(&mut self, entry: &Entry<'_>) -> Result<bool, ChangelogError> {
        let value = entry.encode();
        let full = !self.builder.is_empty() && self.builder.bytes() + value.len() > self.sizes.batch_bytes;
        if full {
            self.flush()?;
        }
        self.bytes += value.len() as u64;
        self.builder.push(NewRecord { timestamp: now(), value: Some(&value), ..NewRecord::default() });
        Ok(full)
    }

    /// Adds what the batch changed, or if it is none the whole state, gathered into records; returns how many rows.
    fn rows(&mut self, state: &Stores, batch: Option<u64>, gate: &mut Gate) -> Result<u64, ChangelogError> {
        let mut gathered = Vec::with_capacity(self.sizes.record_bytes.min(64 << 10));
        let mut count = 0;
        for (store, state) in (0..).zip(state.all()) {
            let (rows, step) = match batch {
                Some(_) => (state.changes(), Step::Changed),
                None => (state.rows(), Step::SnapshotPart),
            };
            for row in rows {
                match batch {
                    Some(_) => state.put_change(row, &mut gathered),
                    None => state.put_whole(row, &mut gathered),
                }
                count += 1;
                if gathered.len() >= self.sizes.record_bytes && self.push_rows(batch, store, &mut gathered)? {
                    gate.pass(step)?;
                }
            }
            if !gathered.is_empty() {
                self.push_rows(batch, store, &mut gathered)?;
            }
        }
        Ok(count)
    }

    /// Adds a record of rows, and clears them; true if the records before it were appended.
    fn push_rows(&mut self, batch: Option<u64>, store: u64, gathered: &mut Vec<u8>) -> Result<bool, ChangelogError> {
        let rows = Rows::new(store, gathered);
        let appended = self.push(&match batch {
            Some(batch) => Entry::Changes { batch, rows },
            None => Entry::SnapshotRows(rows),
        })?;
        gathered.clear();
        Ok(appended)
    }

    /// Appends what is gathered; returns the bytes of all entries so far.
    fn flush(&mut self) -> Result<u64, ChangelogError> {
        let builder = std::mem::take(&mut self.builder);
        if !builder.is_empty() {
            let bytes = builder.finish(Compression::None).map_err(|error| ChangelogError::Write(error.to_string()))?;
            let batch = Batch::parse(&bytes).map_err(|error| ChangelogError::Write(error.to_string()))?;
            self.log.append(batch).map_err(|error: AppendError| ChangelogError::Write(error.to_string()))?;
        }
        Ok(self.bytes)
    }
}

/// Milliseconds since 1970 by the system's clock.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as Timestamp)
}
