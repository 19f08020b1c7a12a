//! Reads a segment from front to back, batch by batch.

use brooklet_model::{Batch, BatchError};
use bytes::{Buf, Bytes, BytesMut};

use super::Segment;
use crate::StorageError;
use crate::store::RecordStore;

/// Bytes read at once; more where a batch has more.
const CHUNK: u64 = 1 << 20;

/// The batches of a closed segment, in order.
pub(crate) struct Batches<'a> {
    store: &'a dyn RecordStore,
    segment: i64,
    /// Of the next chunk.
    position: u64,
    size: u64,
    chunk: Bytes,
}

impl<'a> Batches<'a> {
    pub(crate) fn new(store: &'a dyn RecordStore, segment: &Segment) -> Self {
        Self { store, segment: segment.base, position: 0, size: segment.size, chunk: Bytes::new() }
    }

    /// The next batch; its checksum is not looked at.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, StorageError> {
        match Batch::parse(&self.chunk) {
            Ok(batch) => {
                self.chunk.advance(batch.header.size);
                return Ok(Some(batch));
            }
            Err(BatchError::Truncated { .. }) if self.chunk.is_empty() && self.position >= self.size => {
                return Ok(None);
            }
            Err(BatchError::Truncated { need, .. }) => self.fill(need as u64)?,
            Err(error) => return Err(self.damaged(&error)),
        }
        // The rest of a header may ask for more still, once.
        if let Err(BatchError::Truncated { need, .. }) = Batch::parse(&self.chunk) {
            self.fill(need as u64)?;
        }
        let batch = Batch::parse(&self.chunk).map_err(|error| self.damaged(&error))?;
        self.chunk.advance(batch.header.size);
        Ok(Some(batch))
    }

    /// Reads on, so that the chunk has `need` bytes if the segment has.
    fn fill(&mut self, need: u64) -> Result<(), StorageError> {
        let begin = self.position - self.chunk.len() as u64;
        let wanted = need.max(CHUNK).min(self.size - begin);
        let mut bytes = BytesMut::zeroed(usize::try_from(wanted).unwrap_or(usize::MAX));
        let filled = self.store.read_into(self.segment, begin, &mut bytes)?;
        if filled < bytes.len() {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        self.chunk = bytes.freeze();
        self.position = begin + wanted;
        Ok(())
    }

    fn damaged(&self, what: &dyn std::fmt::Display) -> StorageError {
        let at = self.position - self.chunk.len() as u64;
        StorageError::Damaged(format!("segment {} at {at}: {what}", self.segment).into())
    }
}
