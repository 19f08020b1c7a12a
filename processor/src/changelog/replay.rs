//! A changelog read back: the state as of the last committed batch, and the batch that was planned and not committed.

use brooklet_model::{Offset, split_batches};
use brooklet_storage::{PartitionLog, ReadError};

use super::ChangelogError;
use super::entry::{Base, Entry, PlannedBatch, Rows};
use crate::codec::{Malformed, Reader};
use crate::state::{RestoreError, Stores};

/// Bytes of the log that are read at once.
const READ_BYTES: usize = 1 << 20;

/// What a changelog tells.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// As of the last committed batch.
    pub(crate) base: Base,
    /// To be run again.
    pub(crate) pending: Option<PlannedBatch>,
    /// Where the last complete snapshot begins: what is before it is not needed.
    pub(crate) snapshot: Offset,
    /// Bytes of that snapshot, and of what follows it.
    pub(crate) snapshot_bytes: u64,
    pub(crate) bytes_since: u64,
}

/// Whose changelog it is: what the snapshot at its front begins with. `None` if nothing is there.
pub(crate) fn identity(log: &PartitionLog) -> Result<Option<Base>, ChangelogError> {
    let mut identity = None;
    for_each_record(log, &mut |_, _, value| match Entry::decode(value)? {
        Entry::SnapshotBegin(base) => {
            identity = Some(base);
            Ok(false)
        }
        _ => Err(Malformed::new("no snapshot stands at the front").into()),
    })?;
    Ok(identity)
}

/// Reads the whole log into `state`, which is empty and may take `bytes_max` bytes; `None` if the log holds no complete
/// snapshot.
pub(crate) fn replay(
    log: &PartitionLog,
    state: &mut Stores,
    bytes_max: usize,
) -> Result<Option<Replayed>, ChangelogError> {
    let mut replay = Replay::new(state, bytes_max);
    for_each_record(log, &mut |offset, bytes, value| {
        replay.record(offset, bytes, Entry::decode(value)?)?;
        Ok(true)
    })?;
    Ok(replay.finish())
}

/// A changelog on its way into a state.
pub(super) struct Replay<'s> {
    state: &'s mut Stores,
    bytes_max: usize,
    /// Known from the first complete snapshot on.
    base: Option<Base>,
    /// The snapshot that is being read.
    reading: Option<Reading>,
    pending: Option<PlannedBatch>,
    /// Rows of the pending batch: their format, their store, and they themselves.
    staged: Vec<(u8, u64, Vec<u8>)>,
    snapshot: Offset,
    snapshot_bytes: u64,
    bytes_since: u64,
}

struct Reading {
    base: Base,
    begin: Offset,
    rows: u64,
    bytes: u64,
}

impl<'s> Replay<'s> {
    pub(super) fn new(state: &'s mut Stores, bytes_max: usize) -> Self {
        state.begin_restore();
        Self {
            state,
            bytes_max,
            base: None,
            reading: None,
            pending: None,
            staged: Vec::new(),
            snapshot: Offset(0),
            snapshot_bytes: 0,
            bytes_since: 0,
        }
    }

    /// Takes the next record: its offset, the size of its value, and what it says.
    pub(super) fn record(&mut self, offset: Offset, bytes: u64, entry: Entry<'_>) -> Result<(), ChangelogError> {
        self.bytes_since += bytes;
        if let Some(reading) = &mut self.reading {
            reading.bytes += bytes;
        }
        match entry {
            Entry::SnapshotBegin(base) => {
                self.reading = Some(Reading { base, begin: offset, rows: 0, bytes });
            }
            Entry::SnapshotRows(rows) => {
                if self.reading.is_none() {
                    return Err(Malformed::new("rows of a snapshot stand outside of one").into());
                }
                // The state is complete since the first snapshot; a later one says the same again.
                let count = self.rows(rows, self.base.is_none())?;
                if let Some(reading) = &mut self.reading {
                    reading.rows += count;
                }
            }
            Entry::SnapshotEnd { rows } => {
                let Some(reading) = self.reading.take() else {
                    return Err(Malformed::new("a snapshot ends that did not begin").into());
                };
                if reading.rows != rows {
                    let what = format!("a snapshot has {} rows where its end says {rows}", reading.rows);
                    return Err(Malformed::new(what).into());
                }
                self.snapshot = reading.begin;
                self.snapshot_bytes = reading.bytes;
                self.bytes_since = 0;
                // A changed query goes on with the state from its own snapshot on, and plans its batches itself.
                if self.base.as_ref().is_none_or(|base| base.query != reading.base.query) {
                    self.base = Some(reading.base);
                    self.pending = None;
                    self.staged.clear();
                }
            }
            Entry::Planned(planned) => {
                // A snapshot that was cut off by the end of the process.
                self.reading = None;
                self.expect(planned.number)?;
                self.staged.clear();
                self.pending = Some(planned);
            }
            Entry::Changes { batch, rows } => {
                self.expect_pending(batch)?;
                self.staged.push((rows.format, rows.store, rows.bytes.to_vec()));
            }
            Entry::Committed(commit) => {
                let planned = self.expect_pending(commit.number)?;
                for (format, store, bytes) in std::mem::take(&mut self.staged) {
                    self.rows(Rows { format, store, bytes: &bytes }, true)?;
                }
                if let Some(base) = &mut self.base {
                    base.advance(&planned, commit);
                }
                self.pending = None;
            }
        }
        Ok(())
    }

    /// Does what each row tells, if `keep`, and returns how many there are.
    fn rows(&mut self, rows: Rows<'_>, keep: bool) -> Result<u64, ChangelogError> {
        let bytes_max = self.bytes_max;
        let mut reader = Reader::new(rows.bytes);
        let Some(store) = self.state.store(rows.store) else {
            return Err(Malformed::new(format!("it has rows of store {}, which the query has not", rows.store)).into());
        };
        let mut count = 0;
        while !reader.is_empty() {
            let before = reader.rest().len();
            store.restore(rows.format, &mut reader, keep).map_err(|error| match error {
                RestoreError::Malformed(what) => ChangelogError::from(what),
                RestoreError::TooManyGroups(_) => ChangelogError::StateTooLarge(bytes_max),
            })?;
            if reader.rest().len() == before {
                return Err(Malformed::new("a row has no bytes").into());
            }
            count += 1;
        }
        if self.state.bytes() > bytes_max {
            return Err(ChangelogError::StateTooLarge(bytes_max));
        }
        Ok(count)
    }

    fn expect(&self, number: u64) -> Result<(), ChangelogError> {
        let next = self.base.as_ref().map(|base| base.next_batch);
        if next == Some(number) {
            return Ok(());
        }
        let what = match next {
            Some(next) => format!("batch {number} stands where batch {next} must follow"),
            None => format!("batch {number} stands before the first snapshot"),
        };
        Err(Malformed::new(what).into())
    }

    fn expect_pending(&self, number: u64) -> Result<PlannedBatch, ChangelogError> {
        match &self.pending {
            Some(planned) if planned.number == number => Ok(planned.clone()),
            _ => Err(Malformed::new(format!("batch {number} was not planned")).into()),
        }
    }

    pub(super) fn finish(self) -> Option<Replayed> {
        self.state.end_restore();
        let Self { base, pending, snapshot, snapshot_bytes, bytes_since, .. } = self;
        Some(Replayed { base: base?, pending, snapshot, snapshot_bytes, bytes_since })
    }
}

/// Takes a record's offset, size and value, and says whether to go on.
type Visit<'a> = dyn FnMut(Offset, u64, &[u8]) -> Result<bool, ChangelogError> + 'a;

/// Calls `each` with every record, until it returns false.
fn for_each_record(log: &PartitionLog, each: &mut Visit<'_>) -> Result<(), ChangelogError> {
    let mut at = log.log_start_offset();
    let mut scratch = Vec::new();
    while at < log.high_watermark() {
        let slice = log.read(at, READ_BYTES).map_err(read_error)?;
        let before = at;
        for batch in split_batches(slice.into_bytes().map_err(|error| ChangelogError::Read(error.to_string()))?) {
            let damaged = |at: Offset, what: String| ChangelogError::Malformed { offset: at, what };
            let batch = batch.map_err(|error| damaged(at, error.to_string()))?;
            for record in batch.records(&mut scratch, READ_BYTES).map_err(|error| damaged(at, error.to_string()))? {
                let record = record.map_err(|error| damaged(at, error.to_string()))?;
                // The first batch of a read may begin before what was asked for.
                if record.offset < before {
                    continue;
                }
                let value = record.value.unwrap_or_default();
                let go_on = each(record.offset, value.len() as u64, value).map_err(|error| match error {
                    ChangelogError::Malformed { what, .. } => ChangelogError::Malformed { offset: record.offset, what },
                    other => other,
                })?;
                if !go_on {
                    return Ok(());
                }
            }
            at = batch.header.next_offset();
        }
        if at == before {
            return Err(ChangelogError::Read(format!("nothing can be read at offset {at}")));
        }
    }
    Ok(())
}

fn read_error(error: ReadError) -> ChangelogError {
    ChangelogError::Read(error.to_string())
}
