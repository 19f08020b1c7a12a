//! Reading: from an offset to the bytes that hold it.

use brooklet_model::Offset;

use super::{AbortedTransaction, HeaderScan, PartitionLog, Point, State};
use crate::{LogSlice, ReadError, SlicePart, StorageError};

/// A batch and how far its segment may be served.
struct Located {
    segment: i64,
    position: u64,
    /// Bytes of the batch.
    size: u64,
    /// Bytes of the segment that may be served.
    limit: u64,
}

/// What was read.
#[derive(Default)]
struct Read {
    slice: LogSlice,
    /// Where it ends: the segment and the byte in it. Nothing has no place.
    end: Option<(i64, u64)>,
    /// The offset up to which it was to be at most.
    limit: i64,
}

impl PartitionLog {
    /// The stored batches from the one that holds `from` on, or the first after it where that was compacted away, up to
    /// about `bytes_max` bytes and to the high watermark at most; empty at the high watermark.
    ///
    /// The first batch is whole even when it is larger than `bytes_max`. The end may lie inside a batch. One read
    /// stays in one segment.
    pub fn read(&self, from: Offset, bytes_max: usize) -> Result<LogSlice, ReadError> {
        if from == self.high_watermark() {
            self.check_open()?;
            return Ok(LogSlice::default());
        }
        let _layout = self.layout.read();
        Ok(self.read_before(from, bytes_max, |state| state.committed)?.slice)
    }

    /// As [`PartitionLog::read`], up to the last stable offset at most; and the transactions with records in what was
    /// read that were aborted, ordered by their markers.
    pub fn read_committed(
        &self,
        from: Offset,
        bytes_max: usize,
    ) -> Result<(LogSlice, Vec<AbortedTransaction>), ReadError> {
        // Until the end of what was read is known by its offset.
        let _layout = self.layout.read();
        let read = self.read_before(from, bytes_max, State::stable_end)?;
        let state = self.state.lock();
        let aborted = match read.end {
            Some(end) => {
                let end = self.offset_after(&state, end).min(read.limit);
                state.aborted_between(from.0, end)
            }
            None => Vec::new(),
        };
        drop(state);
        Ok((read.slice, aborted))
    }

    /// For who holds `layout`.
    fn read_before(&self, from: Offset, bytes_max: usize, end: impl Fn(&State) -> Point) -> Result<Read, ReadError> {
        self.check_open()?;
        let (candidate, ask_sled, limit, end) = {
            let state = self.state.lock();
            let (log_start, log_end) = (self.log_start_offset(), Offset(state.end.offset));
            if from < log_start || from > log_end {
                return Err(ReadError::OutOfRange { start: log_start, end: log_end });
            }
            let end = end(&state);
            if from.0 >= end.offset {
                return Ok(Read::default());
            }
            if let Some(read) = self.read_tail(&state, from.0, bytes_max, end)? {
                return Ok(read);
            }
            let (candidate, ask_sled, limit) = self.candidate(&state, from.0, end)?;
            (candidate, ask_sled, limit, end)
        };
        let located = self.locate(candidate, ask_sled, from.0, limit, end);
        // Nothing that is served has this offset or a later one.
        let Some(located) = self.unless_removed(from, located)? else { return Ok(Read::default()) };
        let wanted = (bytes_max as u64).max(located.size).min(located.limit - located.position);
        let whole = if located.position + wanted < located.limit {
            let (first_end, end) = (located.position + located.size, located.position + wanted);
            let state = self.state.lock();
            let known = state.tail.boundary(located.segment, end).or(state.index.boundary(located.segment, end));
            known.filter(|end| *end >= first_end).map_or(wanted, |end| end - located.position)
        } else {
            wanted
        };
        let whole = usize::try_from(whole).unwrap_or(usize::MAX);
        let slice = self.store.read(located.segment, located.position, whole).map_err(StorageError::from);
        let read_to = Some((located.segment, located.position + whole as u64));
        Ok(Read { slice: self.unless_removed(from, slice)?, end: read_to, limit: end.offset })
    }

    /// The first offset that certainly lies after a place in a segment: exact near the log's end, up to one index
    /// interval too much further back.
    fn offset_after(&self, state: &State, (segment, position): (i64, u64)) -> i64 {
        let of_segment = state.tail.base_at(segment, position).or(state.index.offset_at(segment, position));
        let next = state.segments.partition_point(|known| known.base <= segment);
        let next = state.segments.get(next).map_or(state.end.offset, |next| next.base);
        of_segment.unwrap_or(next)
    }

    /// How many bytes a read from `from` on could return: exact near the end, about one index interval too much
    /// further back.
    pub fn readable_bytes(&self, from: Offset) -> u64 {
        if from >= self.high_watermark() {
            return 0;
        }
        let _layout = self.layout.read();
        let state = self.state.lock();
        let end = state.committed;
        self.bytes_between(state, from, end)
    }

    /// As [`PartitionLog::readable_bytes`], up to the last stable offset.
    pub fn stable_bytes(&self, from: Offset) -> u64 {
        let _layout = self.layout.read();
        let state = self.state.lock();
        let end = state.stable_end();
        if from.0 >= end.offset {
            return 0;
        }
        self.bytes_between(state, from, end)
    }

    fn bytes_between(&self, state: parking_lot::MutexGuard<'_, State>, from: Offset, to: Point) -> u64 {
        let end = state.bytes_before(to);
        if let Some(batch) = state.tail.from(from.0).and_then(|mut batches| batches.next()) {
            let at = Point { offset: batch.base, segment: batch.segment, position: batch.position };
            return end.saturating_sub(state.bytes_before(at));
        }
        let Ok((candidate, ask_sled, _)) = self.candidate(&state, from.0, to) else { return 0 };
        let before = state.bytes_before(candidate);
        drop(state);
        let closer = if ask_sled { self.closer_in_sled(candidate, from.0) } else { candidate };
        end.saturating_sub(before + (closer.position - candidate.position))
    }

    /// A removed segment is not an error: the log's start has moved.
    fn unless_removed<T>(&self, from: Offset, result: Result<T, StorageError>) -> Result<T, ReadError> {
        result.map_err(|error| {
            let start = self.log_start_offset();
            match self.check_open() {
                Err(closed) => closed.into(),
                Ok(()) if from < start => ReadError::OutOfRange { start, end: self.log_end_offset() },
                Ok(()) => error.into(),
            }
        })
    }

    /// Serves from what is remembered of the last batches.
    fn read_tail(&self, state: &State, from: i64, bytes_max: usize, end: Point) -> Result<Option<Read>, StorageError> {
        let Some(batches) = state.tail.from(from) else { return Ok(None) };
        let mut run: Vec<SlicePart> = Vec::new();
        let mut cached = true;
        let (mut segment, mut position, mut len) = (None, 0, 0);
        for batch in batches {
            let first = segment.is_none();
            if batch.next > end.offset || (!first && (segment != Some(batch.segment) || len + batch.size > bytes_max)) {
                break;
            }
            if first {
                (segment, position) = (Some(batch.segment), batch.position);
            }
            len += batch.size;
            match &batch.bytes {
                Some(bytes) if cached => run.push(SlicePart::Bytes(bytes.clone())),
                _ => cached = false,
            }
        }
        let Some(segment) = segment else { return Ok(None) };
        let slice = if cached { LogSlice { parts: run } } else { self.store.read(segment, position, len)? };
        Ok(Some(Read { slice, end: Some((segment, position + len as u64)), limit: end.offset }))
    }

    /// A batch's place at or before `offset`, whether sled could know a closer one, and how much of the segment lies
    /// before `end`.
    fn candidate(&self, state: &State, offset: i64, end: Point) -> Result<(Point, bool, u64), StorageError> {
        let missing = || StorageError::Damaged(format!("no segment holds the offset {offset}").into());
        let segment = state.segment_of(offset).or(state.segments.front()).ok_or_else(missing)?;
        let begin = Point { offset: segment.base, segment: segment.base, position: 0 };
        let (entry, ask_sled) = state.index.before_offset(offset);
        let closest = entry.filter(|entry| entry.segment == segment.base).unwrap_or(begin);
        Ok((closest, ask_sled, state.size_before(segment, end)))
    }

    fn closer_in_sled(&self, candidate: Point, offset: i64) -> Point {
        let known = self.shared.index.as_ref().and_then(|index| index.before_offset(self.number, offset));
        known.filter(|known| known.segment == candidate.segment).unwrap_or(candidate)
    }

    /// Walks from `candidate` to the batch that holds `offset` or, if that was compacted away, to the next one; `None`
    /// if none is served.
    fn locate(
        &self,
        candidate: Point,
        ask_sled: bool,
        offset: i64,
        limit: u64,
        end: Point,
    ) -> Result<Option<Located>, StorageError> {
        let mut from = if ask_sled { self.closer_in_sled(candidate, offset) } else { candidate };
        let mut limit = limit;
        loop {
            let mut scan = HeaderScan::new(self.store.as_ref(), from.segment, from.position, limit);
            while let Some((position, header)) = scan.next()? {
                if header.next_offset().0 > offset {
                    return Ok(Some(Located { segment: from.segment, position, size: header.size as u64, limit }));
                }
            }
            let state = self.state.lock();
            let after = state.segments.partition_point(|segment| segment.base <= from.segment);
            let Some(next) = state.segments.get(after) else { return Ok(None) };
            from = Point { offset: next.base, segment: next.base, position: 0 };
            limit = state.size_before(next, end);
        }
    }
}
