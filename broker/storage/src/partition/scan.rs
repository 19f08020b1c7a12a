//! Walks from batch to batch of a segment by their headers.

use brooklet_model::{BatchHeader, HEADER_LEN};

use crate::StorageError;
use crate::store::RecordStore;

/// Bytes read at once: many small batches in one read, little waste where batches are large.
const CHUNK: usize = 4096;

/// The batches of a segment from a position on, up to a limit.
pub(crate) struct HeaderScan<'a> {
    store: &'a dyn RecordStore,
    segment: i64,
    position: u64,
    limit: u64,
    chunk: Vec<u8>,
    chunk_start: u64,
}

impl<'a> HeaderScan<'a> {
    pub(crate) fn new(store: &'a dyn RecordStore, segment: i64, position: u64, limit: u64) -> Self {
        Self { store, segment, position, limit, chunk: Vec::new(), chunk_start: position }
    }

    /// The next header and where its batch begins; `None` at the limit. A batch that crosses the limit is damage.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, BatchHeader)>, StorageError> {
        if self.position >= self.limit {
            return Ok(None);
        }
        let position = self.position;
        let header = BatchHeader::parse(self.head()?).map_err(|error| self.damaged(&error))?;
        if header.size as u64 > self.limit - position {
            return Err(self.damaged(&format!("a batch of {} bytes crosses the end", header.size)));
        }
        self.position += header.size as u64;
        Ok(Some((position, header)))
    }

    fn head(&mut self) -> Result<&[u8], StorageError> {
        let skip = usize::try_from(self.position - self.chunk_start).unwrap_or(usize::MAX);
        if self.chunk.get(skip..).is_none_or(|rest| rest.len() < HEADER_LEN) {
            self.chunk.resize(CHUNK, 0);
            let filled = self.store.read_into(self.segment, self.position, &mut self.chunk)?;
            self.chunk.truncate(filled);
            self.chunk_start = self.position;
        }
        let skip = usize::try_from(self.position - self.chunk_start).unwrap_or(usize::MAX);
        Ok(self.chunk.get(skip..).unwrap_or_default())
    }

    fn damaged(&self, what: &dyn std::fmt::Display) -> StorageError {
        StorageError::Damaged(format!("segment {} at {}: {what}", self.segment, self.position).into())
    }
}
