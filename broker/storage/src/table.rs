//! A log read as updates: the latest value of each key.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::{Batch, BatchBuilder, Offset, RecordError, Timestamp};
use parking_lot::Mutex;

use crate::partition::PartitionLog;
use crate::replay::{UNFOLDED_BYTES_MAX, batch_of};
use crate::{AppendError, Appended, StorageError, Update};

/// Values by key; `None` is removed.
pub(crate) type Values = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A log whose records are updates of a value by key (a null value removes it), and the values that result. They are
/// kept in sled with the offset they were applied up to; what is newer is read from the log. Records of transactions are
/// passed over: a log that has them is to be replayed ([`PartitionLog::replay`]).
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

    /// Applies what others appended to the log.
    fn catch_up(&self, state: &mut State) -> Result<(), StorageError> {
        self.log.for_each_batch(Offset(state.applied), |batch, unfolded| {
            state.apply(batch, unfolded).map_err(|error| StorageError::Damaged(error.to_string().into()))?;
            state.applied = batch.header.next_offset().0;
            Ok(())
        })
    }

    /// What sled does not have; to be called before the log is synced.
    pub(crate) fn begin_checkpoint(&self) -> TableCheckpoint {
        let mut state = self.state.lock();
        let newest = std::mem::take(&mut state.newest);
        // What an earlier checkpoint could not store goes with this one.
        let mut values = std::mem::take(&mut state.storing);
        Arc::make_mut(&mut values).extend(newest);
        state.storing = values.clone();
        TableCheckpoint { values, applied: state.applied }
    }

    /// Notes that the last checkpoint is in sled.
    pub(crate) fn end_checkpoint(&self) {
        self.state.lock().storing = Arc::default();
    }
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

    fn apply(&mut self, batch: &Batch, unfolded: &mut Vec<u8>) -> Result<(), RecordError> {
        if batch.header.is_control() || batch.header.is_transactional() {
            return Ok(());
        }
        for record in batch.records(unfolded, UNFOLDED_BYTES_MAX)? {
            let record = record?;
            if let Some(key) = record.key.filter(|_| record.offset.0 >= self.applied) {
                self.newest.insert(key.to_vec(), record.value.map(<[u8]>::to_vec));
            }
        }
        Ok(())
    }
}
