//! The engine of tests: a log's batches, each a buffer, in memory.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use parking_lot::{Mutex, RwLock};

use super::RecordStore;
use crate::{LogSlice, SlicePart};

/// The batches of a segment with their positions.
type Segment = Vec<(u64, Bytes)>;

#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    segments: RwLock<BTreeMap<i64, Segment>>,
    /// What is to take the place of others.
    cleaned: Mutex<BTreeMap<i64, Segment>>,
}

impl MemoryStore {
    fn collect(&self, base: i64, position: u64, len: usize) -> io::Result<Vec<Bytes>> {
        let segments = self.segments.read();
        let segment = segments.get(&base).ok_or(io::ErrorKind::NotFound)?;
        let first = segment.partition_point(|(start, _)| *start <= position).saturating_sub(1);
        let mut parts = Vec::new();
        let mut left = len;
        for (start, bytes) in segment.iter().skip(first) {
            let skip = usize::try_from(position.saturating_sub(*start)).unwrap_or(usize::MAX);
            if left == 0 {
                break;
            }
            if skip < bytes.len() {
                let end = bytes.len().min(skip.saturating_add(left));
                left -= end - skip;
                parts.push(bytes.slice(skip..end));
            }
        }
        Ok(parts)
    }
}

impl RecordStore for MemoryStore {
    fn segments(&self) -> io::Result<Vec<(i64, u64)>> {
        let end = |segment: &Segment| segment.last().map_or(0, |(start, bytes)| start + bytes.len() as u64);
        Ok(self.segments.read().iter().map(|(base, segment)| (*base, end(segment))).collect())
    }

    fn create(&self, base: i64) -> io::Result<()> {
        self.segments.write().insert(base, Segment::new());
        Ok(())
    }

    fn append(&self, base: i64, position: u64, prefix: &[u8; 16], rest: &[u8]) -> io::Result<()> {
        // A copy of its own: a slice of the producer's frame would keep the whole frame in memory.
        let mut bytes = BytesMut::with_capacity(prefix.len() + rest.len());
        bytes.extend_from_slice(prefix);
        bytes.extend_from_slice(rest);
        let mut segments = self.segments.write();
        let segment = segments.get_mut(&base).ok_or(io::ErrorKind::NotFound)?;
        segment.push((position, bytes.freeze()));
        Ok(())
    }

    fn read(&self, base: i64, position: u64, len: usize) -> io::Result<LogSlice> {
        Ok(LogSlice { parts: self.collect(base, position, len)?.into_iter().map(SlicePart::Bytes).collect() })
    }

    fn read_into(&self, base: i64, position: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        for part in self.collect(base, position, out.len())? {
            out.get_mut(filled..filled + part.len()).unwrap_or_default().copy_from_slice(&part);
            filled += part.len();
        }
        Ok(filled)
    }

    fn truncate(&self, base: i64, len: u64) -> io::Result<()> {
        let mut segments = self.segments.write();
        let segment = segments.get_mut(&base).ok_or(io::ErrorKind::NotFound)?;
        segment.retain(|(start, _)| *start < len);
        if let Some((start, bytes)) = segment.last_mut() {
            bytes.truncate(usize::try_from(len - *start).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    fn remove(&self, base: i64, _delay: Duration) -> io::Result<()> {
        self.segments.write().remove(&base);
        Ok(())
    }

    fn sync(&self, _base: i64) -> io::Result<()> {
        Ok(())
    }

    fn destroy(&self, _delay: Duration) -> io::Result<()> {
        self.segments.write().clear();
        Ok(())
    }

    fn begin_cleaned(&self, base: i64) -> io::Result<()> {
        self.cleaned.lock().insert(base, Segment::new());
        Ok(())
    }

    fn append_cleaned(&self, base: i64, position: u64, bytes: &[u8]) -> io::Result<()> {
        let mut cleaned = self.cleaned.lock();
        cleaned.get_mut(&base).ok_or(io::ErrorKind::NotFound)?.push((position, Bytes::copy_from_slice(bytes)));
        Ok(())
    }

    fn sync_cleaned(&self, _base: i64) -> io::Result<()> {
        Ok(())
    }

    fn drop_cleaned(&self, base: i64) -> io::Result<()> {
        self.cleaned.lock().remove(&base);
        Ok(())
    }

    fn decide_swap(&self, _base: i64, _end: i64, _sync: bool) -> io::Result<()> {
        Ok(())
    }

    fn finish_swap(&self, base: i64, end: i64, _delay: Duration) -> io::Result<()> {
        let cleaned = self.cleaned.lock().remove(&base).ok_or(io::ErrorKind::NotFound)?;
        let mut segments = self.segments.write();
        segments.retain(|old, _| !(base..end).contains(old));
        segments.insert(base, cleaned);
        Ok(())
    }

    fn generation(&self) -> i64 {
        0
    }

    fn compacted_to(&self) -> i64 {
        0
    }
}
