//! The engine that keeps record bytes in sled: values of at most [`VALUE_BYTES`], keyed by where they stand.
//!
//! A write is in the hands of the operating system only after sled's flush, which the group commit does for all logs
//! at once.

use std::io;
use std::time::Duration;

use bytes::Bytes;

use super::sled_slots::Slots;
use super::{RecordStore, SledRecords};
use crate::{LogSlice, SlicePart, keys};

/// Bytes of a value at most; see the segment size in `sled_index`.
const VALUE_BYTES: usize = 16 << 10;

pub(super) struct SledStore {
    records: sled::Tree,
    slots: Slots,
    number: u32,
}

impl SledStore {
    pub(super) fn open(trees: SledRecords, number: u32) -> io::Result<Self> {
        let slots = Slots::open(&trees, number)?;
        Ok(Self { records: trees.records, slots, number })
    }

    /// Removes what a crash left of a deleted log.
    pub(super) fn remove_log(trees: &SledRecords, number: u32) -> io::Result<()> {
        remove_prefix(&trees.records, &keys::log(number))?;
        remove_prefix(&trees.slots, &keys::log(number))
    }

    /// Where the bytes of a segment stand: under its base, or in the slot that a compaction put them into.
    fn key(&self, base: i64, position: u64) -> [u8; 20] {
        keys::log_and_two(self.number, self.slots.slot_of(base).unwrap_or(base), position)
    }

    fn insert(&self, base: i64, position: u64, value: impl Into<sled::IVec>) -> io::Result<()> {
        self.records.insert(self.key(base, position), value)?;
        Ok(())
    }

    /// Hands `take` the bytes of a segment from `position` on, run by run, until it returns false.
    fn runs(&self, base: i64, position: u64, mut take: impl FnMut(Bytes) -> bool) -> io::Result<()> {
        let until = self.records.range(self.key(base, 0)..=self.key(base, position)).next_back().transpose()?;
        let Some((first, _)) = until else { return Ok(()) };
        for item in self.records.range(first.as_ref()..self.key(base, u64::MAX).as_slice()) {
            let (key, value) = item?;
            let start = keys::last_number(&key).unwrap_or_default() as u64;
            let skip = usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
            if skip < value.len() && !take(Bytes::from_owner(value).slice(skip..)) {
                break;
            }
        }
        Ok(())
    }

    /// Bytes of the segment under the key of `at`.
    fn size_at(&self, at: i64) -> io::Result<u64> {
        let range = keys::log_and_two(self.number, at, 0)..=keys::log_and_two(self.number, at, u64::MAX);
        let last = self.records.range(range).next_back().transpose()?;
        Ok(last.map_or(0, |(key, value)| keys::last_number(&key).unwrap_or_default() as u64 + value.len() as u64))
    }
}

/// Removes all keys that begin with `prefix`.
pub(super) fn remove_prefix(tree: &sled::Tree, prefix: &[u8]) -> io::Result<()> {
    for key in tree.scan_prefix(prefix).keys() {
        tree.remove(key?)?;
    }
    Ok(())
}

impl RecordStore for SledStore {
    fn segments(&self) -> io::Result<Vec<(i64, u64)>> {
        let mut segments = Vec::new();
        let mut from = 0;
        let end = keys::log_and_two(self.number, i64::MAX, u64::MAX);
        while let Some((key, _)) =
            self.records.range(keys::log_and_two(self.number, from, 0)..end).next().transpose()?
        {
            let base = key.get(4..12).and_then(keys::last_number).unwrap_or_default();
            segments.push((base, self.size_at(base)?));
            from = base.saturating_add(1);
        }
        for (base, slot) in self.slots.all() {
            segments.push((base, self.size_at(slot)?));
        }
        segments.sort_unstable();
        Ok(segments)
    }

    fn create(&self, base: i64) -> io::Result<()> {
        // An empty value says that the segment is there: a log without records still knows its next offset. The first
        // batch takes its place.
        self.insert(base, 0, &[])
    }

    fn append(&self, base: i64, position: u64, prefix: &[u8; 16], rest: &[u8]) -> io::Result<()> {
        let (head, rest) = rest.split_at(rest.len().min(VALUE_BYTES - prefix.len()));
        self.insert(base, position, [prefix, head].concat())?;
        let mut position = position + (prefix.len() + head.len()) as u64;
        for part in rest.chunks(VALUE_BYTES) {
            self.insert(base, position, part)?;
            position += part.len() as u64;
        }
        Ok(())
    }

    fn read(&self, base: i64, position: u64, len: usize) -> io::Result<LogSlice> {
        let mut parts = Vec::new();
        let mut left = len;
        self.runs(base, position, |run| {
            let taken = left.min(run.len());
            parts.push(SlicePart::Bytes(run.slice(..taken)));
            left -= taken;
            left > 0
        })?;
        if left > 0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(LogSlice { parts })
    }

    fn read_into(&self, base: i64, position: u64, out: &mut [u8]) -> io::Result<usize> {
        let len = out.len();
        let mut rest = out;
        self.runs(base, position, |run| {
            let out = std::mem::take(&mut rest);
            let count = run.len().min(out.len());
            let (filled, left) = out.split_at_mut(count);
            filled.copy_from_slice(run.get(..count).unwrap_or_default());
            rest = left;
            !rest.is_empty()
        })?;
        Ok(len - rest.len())
    }

    fn truncate(&self, base: i64, len: u64) -> io::Result<()> {
        let crossing = self.records.range(self.key(base, 0)..self.key(base, len)).next_back().transpose()?;
        for key in self.records.range(self.key(base, len)..=self.key(base, u64::MAX)).keys() {
            self.records.remove(key?)?;
        }
        if len == 0 {
            self.create(base)?;
        }
        if let Some((key, value)) = crossing {
            let start = keys::last_number(&key).unwrap_or_default() as u64;
            let keep = usize::try_from(len - start).unwrap_or(usize::MAX);
            if let Some(kept) = value.get(..keep) {
                self.records.insert(key, kept)?;
            }
        }
        Ok(())
    }

    fn remove(&self, base: i64, _delay: Duration) -> io::Result<()> {
        let at = self.slots.slot_of(base).unwrap_or(base);
        self.slots.forget(base)?;
        remove_prefix(&self.records, &keys::log_and(self.number, at))
    }

    fn sync(&self, _base: i64) -> io::Result<()> {
        Ok(())
    }

    fn destroy(&self, _delay: Duration) -> io::Result<()> {
        remove_prefix(&self.records, &keys::log(self.number))?;
        self.slots.destroy()
    }

    fn begin_cleaned(&self, base: i64) -> io::Result<()> {
        let slot = self.slots.begin(base)?;
        self.records.insert(keys::log_and_two(self.number, slot, 0), &[])?;
        Ok(())
    }

    fn append_cleaned(&self, base: i64, position: u64, bytes: &[u8]) -> io::Result<()> {
        let slot = self.slots.begun(base).ok_or(io::ErrorKind::NotFound)?;
        let mut position = position;
        for part in bytes.chunks(VALUE_BYTES) {
            self.records.insert(keys::log_and_two(self.number, slot, position), part)?;
            position += part.len() as u64;
        }
        Ok(())
    }

    fn sync_cleaned(&self, _base: i64) -> io::Result<()> {
        Ok(())
    }

    fn drop_cleaned(&self, base: i64) -> io::Result<()> {
        match self.slots.end(base) {
            Some(slot) => remove_prefix(&self.records, &keys::log_and(self.number, slot)),
            None => Ok(()),
        }
    }

    fn decide_swap(&self, base: i64, end: i64, _sync: bool) -> io::Result<()> {
        // sled writes in order: whatever of this has survived a crash, the records before it have.
        self.slots.decide(base, end)
    }

    fn finish_swap(&self, base: i64, end: i64, _delay: Duration) -> io::Result<()> {
        self.slots.finish(&self.records, base, end)
    }

    fn generation(&self) -> i64 {
        self.slots.generation()
    }

    fn compacted_to(&self) -> i64 {
        self.slots.compacted_to()
    }
}
