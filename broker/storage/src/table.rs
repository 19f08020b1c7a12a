//! A log read as updates: the latest value of each key.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::{
    Batch, BatchBuilder, Compression, EndMarker, NewRecord, Offset, ProducerEpoch, ProducerId, RecordError, Timestamp,
    split_batches,
};
use parking_lot::Mutex;

use crate::partition::PartitionLog;
use pending::Pending;

mod pending;

use crate::{AppendError, Appended, ReadError, StorageError};

/// A batch may unfold to this.
const UNFOLDED_BYTES_MAX: usize = 256 << 20;
/// Bytes of the log read at once.
const READ_BYTES: usize = 1 << 20;

/// Values by key; `None` is removed.
pub(crate) type Values = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key and its new value; `None` removes it.
pub type Update = (Vec<u8>, Option<Vec<u8>>);

/// What is told of an update of an open transaction: see [`Table::for_each_pending`].
pub type EachPending<'a> = dyn FnMut(ProducerId, &[u8], Option<&[u8]>, bool) + 'a;

/// A log whose records are updates of a value by key (a null value removes it), and the values that result. They are
/// kept in sled with the offset they were applied up to; what is newer is read from the log.
///
/// The updates of a transaction count once its commit is in the log. Of two updates of a key the one that stands later
/// in the log counts, whenever their transactions end, as after compaction.
pub struct Table {
    log: Arc<PartitionLog>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Newer than `storing`.
    newest: Values,
    /// Newer than what sled has, on their way there.
    storing: Arc<Values>,
    /// Of open transactions.
    pending: Pending,
    /// Offset of the first record not looked at yet.
    applied: i64,
}

/// What a checkpoint puts into sled.
pub(crate) struct TableCheckpoint {
    pub(crate) values: Arc<Values>,
    pub(crate) applied: i64,
}

impl Table {
    pub(crate) fn open(log: Arc<PartitionLog>) -> Result<Arc<Self>, StorageError> {
        let mut slot = log.table_slot();
        if let Some(table) = slot.upgrade() {
            return Ok(table);
        }
        let applied = log.shared().index.as_ref().map_or(0, |index| index.table_applied(log.number()));
        let table = Arc::new(Self { log: log.clone(), state: Mutex::new(State { applied, ..State::default() }) });
        *slot = Arc::downgrade(&table);
        drop(slot);
        table.catch_up(&mut table.state.lock())?;
        Ok(table)
    }

    /// The log behind it.
    pub fn log(&self) -> &Arc<PartitionLog> {
        &self.log
    }

    /// Calls `f` with each key and its latest value, in the order of the keys; `f` may not use the table.
    pub fn for_each(&self, f: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        self.catch_up(&mut state)?;
        let mut newer = (*state.storing).clone();
        newer.extend(state.newest.iter().map(|(key, value)| (key.clone(), value.clone())));
        let mut newer = newer.into_iter().peekable();
        let mut emit = |key: &[u8], value: &Option<Vec<u8>>| {
            if let Some(value) = value {
                f(key, value);
            }
        };
        if let Some(index) = &self.log.shared().index {
            index.for_each_in_table(self.log.number(), &mut |key, value| {
                while let Some((newer_key, newer_value)) = newer.next_if(|(newer, _)| newer.as_slice() < key) {
                    emit(&newer_key, &newer_value);
                }
                match newer.next_if(|(newer, _)| newer.as_slice() == key) {
                    Some((_, newer_value)) => emit(key, &newer_value),
                    None => emit(key, &Some(value)),
                }
            })?;
        }
        for (key, value) in newer {
            emit(&key, &value);
        }
        Ok(())
    }

    /// Appends the updates as one batch: after a crash all of them hold or none.
    pub fn append(&self, timestamp: Timestamp, updates: &[Update]) -> Result<Appended, AppendError> {
        let batch = batch_of(BatchBuilder::new(), timestamp, updates)?;
        let mut state = self.state.lock();
        let appended = self.log.append(batch.clone())?;
        state.note(&batch, &appended)?;
        Ok(appended)
    }

    /// As [`Table::append`], as a part of the producer's transaction.
    pub fn append_in_transaction(
        &self,
        timestamp: Timestamp,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        updates: &[Update],
    ) -> Result<Appended, AppendError> {
        let builder = BatchBuilder::new().producer(producer_id, epoch, -1).transactional();
        let batch = batch_of(builder, timestamp, updates)?;
        let mut state = self.state.lock();
        let appended = self.log.append_for_producer(batch.clone())?;
        state.note(&batch, &appended)?;
        Ok(appended)
    }

    /// Ends the producer's transaction: see [`PartitionLog::end_transaction`].
    pub fn end_transaction(
        &self,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        marker: EndMarker,
        outdates: bool,
    ) -> Result<Appended, AppendError> {
        let mut state = self.state.lock();
        let appended = self.log.end_transaction(producer_id, epoch, marker, outdates)?;
        if state.applied == appended.base_offset.0 {
            state.end_transaction(producer_id, marker);
            state.applied = appended.last_offset.0 + 1;
        }
        Ok(appended)
    }

    /// Calls `f` with each update of an open transaction: whose it is, key, value, and whether a later update of the
    /// key counts already, so that this one never will. In the order of the log; a transaction's last update of a key alone.
    pub fn for_each_pending(&self, f: &mut EachPending<'_>) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        self.catch_up(&mut state)?;
        state.pending.for_each(f);
        Ok(())
    }

    /// Applies what others appended to the log.
    fn catch_up(&self, state: &mut State) -> Result<(), StorageError> {
        let mut scratch = Vec::new();
        loop {
            let from = Offset(state.applied.max(self.log.log_start_offset().0));
            let slice = match self.log.read(from, READ_BYTES) {
                Ok(slice) if slice.is_empty() => return Ok(()),
                Ok(slice) => slice,
                Err(ReadError::OutOfRange { start, .. }) if start > from => continue,
                Err(error) => return Err(error.into()),
            };
            let damaged = |error: &dyn std::fmt::Display| StorageError::Damaged(error.to_string().into());
            for batch in split_batches(slice.into_bytes()?) {
                let batch = batch.map_err(|error| damaged(&error))?;
                state.apply(&batch, &mut scratch).map_err(|error| damaged(&error))?;
                state.applied = batch.header.next_offset().0;
            }
        }
    }

    /// What sled does not have; to be called before the log is synced.
    pub(crate) fn begin_checkpoint(&self) -> TableCheckpoint {
        let mut state = self.state.lock();
        let newest = std::mem::take(&mut state.newest);
        // What an earlier checkpoint could not store goes with this one.
        let mut values = std::mem::take(&mut state.storing);
        Arc::make_mut(&mut values).extend(newest);
        state.storing = values.clone();
        // What is pending is not in sled: the next start reads it again, and what stands after it. That gives the same
        // values, for the latest in the log counts.
        let applied = state.pending.first_offset().map_or(state.applied, |first| first.min(state.applied));
        TableCheckpoint { values, applied }
    }

    /// Notes that the last checkpoint is in sled.
    pub(crate) fn end_checkpoint(&self) {
        self.state.lock().storing = Arc::default();
    }
}

/// The updates as one batch.
fn batch_of(mut builder: BatchBuilder, timestamp: Timestamp, updates: &[Update]) -> Result<Batch, AppendError> {
    for (key, value) in updates {
        builder.push(NewRecord { timestamp, key: Some(key), value: value.as_deref(), headers: &[] });
    }
    let bytes = builder.finish(Compression::None).map_err(StorageError::from)?;
    Ok(Batch::parse(&bytes)?)
}

impl State {
    /// Takes a batch up that was appended just now, unless there is something before it that was not looked at yet.
    fn note(&mut self, batch: &Batch, appended: &Appended) -> Result<(), AppendError> {
        if self.applied == appended.base_offset.0 {
            let mut stored = batch.clone();
            stored.header.base_offset = appended.base_offset;
            self.apply(&stored, &mut Vec::new())?;
            self.applied = appended.last_offset.0 + 1;
        }
        Ok(())
    }

    fn apply(&mut self, batch: &Batch, scratch: &mut Vec<u8>) -> Result<(), RecordError> {
        if batch.header.is_control() {
            if let Some(marker) = EndMarker::parse(batch) {
                self.end_transaction(batch.header.producer_id, marker);
            }
            return Ok(());
        }
        for record in batch.records(scratch, UNFOLDED_BYTES_MAX)? {
            let record = record?;
            let Some(key) = record.key.filter(|_| record.offset.0 >= self.applied) else { continue };
            let (key, value) = (key.to_vec(), record.value.map(<[u8]>::to_vec));
            if batch.header.is_transactional() {
                self.pending.push(batch.header.producer_id, record.offset.0, (key, value));
            } else {
                self.pending.supersede(record.offset.0, &key, value.is_none());
                self.newest.insert(key, value);
            }
        }
        Ok(())
    }

    fn end_transaction(&mut self, producer_id: ProducerId, marker: EndMarker) {
        for (offset, (key, value)) in self.pending.take(producer_id, marker.commit) {
            self.pending.supersede(offset, &key, value.is_none());
            self.newest.insert(key, value);
        }
    }
}
