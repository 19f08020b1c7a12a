//! Where the last batches are, and the bytes of small ones: reads at the tail touch neither index nor file.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Batches remembered.
const BATCHES_MAX: usize = 64;
/// A batch above this is read from where it is stored: a copy would cost more than the read.
const CACHED_BATCH_MAX: usize = 8 * 1024;
/// Bytes cached of one log.
const CACHED_BYTES_MAX: usize = 32 * 1024;

/// One of the last batches.
#[derive(Clone, Debug)]
pub(super) struct TailBatch {
    pub(super) base: i64,
    pub(super) next: i64,
    pub(super) segment: i64,
    pub(super) position: u64,
    pub(super) size: usize,
    /// As stored; only of the newest small ones.
    pub(super) bytes: Option<Bytes>,
}

/// The last batches, oldest first, without a gap up to the log's end.
#[derive(Debug, Default)]
pub(super) struct Tail {
    batches: VecDeque<TailBatch>,
    cached_bytes: usize,
}

impl Tail {
    /// Adds the batch just written; `stored` is its first 16 bytes and the rest.
    pub(super) fn push(&mut self, mut batch: TailBatch, stored: (&[u8], &[u8])) {
        if batch.size <= CACHED_BATCH_MAX {
            let mut bytes = BytesMut::with_capacity(batch.size);
            bytes.extend_from_slice(stored.0);
            bytes.extend_from_slice(stored.1);
            batch.bytes = Some(bytes.freeze());
            self.cached_bytes += batch.size;
        }
        if self.batches.len() == BATCHES_MAX
            && let Some(TailBatch { bytes: Some(bytes), .. }) = self.batches.pop_front()
        {
            self.cached_bytes -= bytes.len();
        }
        self.batches.push_back(batch);
        for old in &mut self.batches {
            if self.cached_bytes <= CACHED_BYTES_MAX {
                break;
            }
            if let Some(bytes) = old.bytes.take() {
                self.cached_bytes -= bytes.len();
            }
        }
    }

    /// Drops the bytes: nobody has written for a while.
    pub(super) fn forget_bytes(&mut self) {
        self.batches.iter_mut().for_each(|batch| batch.bytes = None);
        self.cached_bytes = 0;
    }

    /// Forgets the batches of segments before `base`.
    pub(super) fn remove_before(&mut self, base: i64) {
        while self.batches.front().is_some_and(|batch| batch.segment < base) {
            if let Some(TailBatch { bytes: Some(bytes), .. }) = self.batches.pop_front() {
                self.cached_bytes -= bytes.len();
            }
        }
    }

    /// The batches from the one that holds `offset` on; `None` if that is not among the last.
    pub(super) fn from(&self, offset: i64) -> Option<impl Iterator<Item = &TailBatch>> {
        let at = self.batches.partition_point(|batch| batch.next <= offset);
        let batch = self.batches.get(at)?;
        (batch.base <= offset).then(|| self.batches.iter().skip(at))
    }

    /// The end of the last remembered batch of `segment` that does not reach beyond `limit`.
    pub(super) fn boundary(&self, segment: i64, limit: u64) -> Option<u64> {
        let ends = self.batches.iter().rev().filter(|batch| batch.segment == segment);
        ends.map(|batch| batch.position + batch.size as u64).find(|end| *end <= limit)
    }

    /// The first offset of the remembered batch that begins at `position` of `segment`, or after it there.
    pub(super) fn base_at(&self, segment: i64, position: u64) -> Option<i64> {
        let at = self.batches.partition_point(|batch| (batch.segment, batch.position) < (segment, position));
        let known_before = at > 0 || self.batches.front().is_some_and(|batch| batch.position == position);
        self.batches.get(at).filter(|batch| batch.segment == segment && known_before).map(|batch| batch.base)
    }
}
