//! A log read as changes, in its order: what a coordinator writes, and replays when it starts
//! (`org.apache.kafka.coordinator.common.runtime.CoordinatorLoader`).

use std::sync::Arc;

use brooklet_model::{
    Batch, BatchBuilder, Compression, EndMarker, NewRecord, Offset, ProducerEpoch, ProducerId, Timestamp, split_batches,
};

use crate::partition::PartitionLog;
use crate::{AppendError, Appended, ReadError, StorageError};

/// A batch may unfold to this.
pub(crate) const UNFOLDED_BYTES_MAX: usize = 256 << 20;
/// Bytes of the log read at once.
const READ_BYTES: usize = 4 << 20;

/// A key and its new value; `None` removes it.
pub type Update = (Vec<u8>, Option<Vec<u8>>);

/// What stands in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed<'a> {
    /// A value by key; `None` removes it.
    Update {
        /// Whose transaction it is part of, if of any: it counts once that is committed.
        producer_id: Option<ProducerId>,
        /// The key.
        key: &'a [u8],
        /// The value.
        value: Option<&'a [u8]>,
    },
    /// A producer's transaction is over.
    TransactionEnded {
        /// Whose.
        producer_id: ProducerId,
        /// Committed, or aborted.
        commit: bool,
    },
}

impl PartitionLog {
    /// Appends the updates as one batch: after a crash all of them are there or none.
    pub fn append_updates(&self, timestamp: Timestamp, updates: &[Update]) -> Result<Appended, AppendError> {
        self.append(batch_of(BatchBuilder::new(), timestamp, updates)?)
    }

    /// As [`PartitionLog::append_updates`], as a part of the producer's transaction.
    pub fn append_updates_in_transaction(
        &self,
        timestamp: Timestamp,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        updates: &[Update],
    ) -> Result<Appended, AppendError> {
        let builder = BatchBuilder::new().producer(producer_id, epoch, -1).transactional();
        self.append_for_producer(batch_of(builder, timestamp, updates)?)
    }

    /// Calls `f` with all that the log holds below the high watermark, in its order. Records without a key are passed
    /// over; those of aborted transactions are told of as long as compaction has left them.
    pub fn replay(&self, f: &mut dyn FnMut(Replayed<'_>)) -> Result<(), StorageError> {
        self.for_each_batch(Offset(0), |batch, unfolded| {
            if batch.header.is_control() {
                if let Some(EndMarker { commit, .. }) = EndMarker::parse(batch) {
                    f(Replayed::TransactionEnded { producer_id: batch.header.producer_id, commit });
                }
                return Ok(());
            }
            let producer_id = batch.header.is_transactional().then_some(batch.header.producer_id);
            for record in batch.records(unfolded, UNFOLDED_BYTES_MAX).map_err(damaged)? {
                let record = record.map_err(damaged)?;
                if let Some(key) = record.key {
                    f(Replayed::Update { producer_id, key, value: record.value });
                }
            }
            Ok(())
        })
    }

    /// Calls `f` with each batch from the one that holds `from` on to the high watermark, and a buffer to unfold it in.
    pub(crate) fn for_each_batch(
        &self,
        from: Offset,
        mut f: impl FnMut(&Batch, &mut Vec<u8>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut unfolded = Vec::new();
        let mut next = from.max(self.log_start_offset());
        loop {
            let slice = match self.read(next, READ_BYTES) {
                Ok(slice) if slice.is_empty() => return Ok(()),
                Ok(slice) => slice,
                Err(ReadError::OutOfRange { start, .. }) if start > next => {
                    next = start;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for batch in split_batches(slice.into_bytes()?) {
                let batch = batch.map_err(damaged)?;
                f(&batch, &mut unfolded)?;
                next = batch.header.next_offset();
            }
        }
    }
}

/// The updates as one batch.
pub(crate) fn batch_of(
    mut builder: BatchBuilder,
    timestamp: Timestamp,
    updates: &[Update],
) -> Result<Batch, AppendError> {
    for (key, value) in updates {
        builder.push(NewRecord { timestamp, key: Some(key), value: value.as_deref(), headers: &[] });
    }
    let bytes = builder.finish(Compression::None).map_err(StorageError::from)?;
    Ok(Batch::parse(&bytes)?)
}

fn damaged(error: impl std::fmt::Display) -> StorageError {
    StorageError::Damaged(Arc::from(error.to_string()))
}
