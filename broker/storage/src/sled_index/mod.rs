//! The sled database beside the logs: index, segment facts, producers, latest values of tables, each with the point
//! of the log that it was applied up to. All of it can be made again from the logs, so a failure to read or write it
//! is told and lived with.

mod tables;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use brooklet_model::{Offset, ProducerId, Timestamp};

use crate::partition::{AbortedTransaction, Checkpoint, IndexEntry, Point, Restored, Segment};
use crate::producers::Producers;
use crate::store::SledRecords;
use crate::{Engine, OpenError, keys};

/// Its name in the data folder.
pub(crate) const SLED_FOLDER: &str = "sled";
/// How long a closed storage of this process may hold on to its files.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// Small: what is asked for again and again is kept in memory by the logs themselves.
const CACHE_BYTES: u64 = 8 << 20;
/// Small segments open fast: sled reads them all.
const SEGMENT_BYTES: usize = 64 << 10;
/// With records inside: a page holds up to 17 values, and must stay below a quarter of a segment, or sled puts it into
/// a file of its own that it never syncs.
const SEGMENT_BYTES_WITH_RECORDS: usize = 2 << 20;

pub(crate) struct SledIndex {
    db: sled::Db,
    path: PathBuf,
    ends: sled::Tree,
    index: sled::Tree,
    times: sled::Tree,
    segments: sled::Tree,
    producers: sled::Tree,
    aborted: sled::Tree,
    applied: sled::Tree,
    tables: sled::Tree,
    pieces: sled::Tree,
    /// Generation of the bytes that the rest speaks of, and up to where they are compacted.
    cleaned: sled::Tree,
    /// Of the sled engine.
    records: Option<SledRecords>,
}

impl SledIndex {
    /// Opens the database of a data folder. One that does not open is moved aside: the logs have it all.
    pub(crate) fn open_or_rebuild(data_dir: &Path, engine: Engine, is_new: bool) -> Result<Self, OpenError> {
        let path = data_dir.join(SLED_FOLDER);
        if !is_new && !path.exists() {
            tracing::warn!(path = %path.display(), "the index is not there; it is made again from the logs");
        }
        let failure = |error: sled::Error| OpenError::io(&path)(io::Error::other(error));
        // Damaged files make sled panic now and then.
        let panicked = |_| Err(sled::Error::ReportableBug("sled panicked".to_owned()));
        let open = || std::panic::catch_unwind(|| Self::open(&path, engine)).unwrap_or_else(panicked);
        let mut opened = open();
        // The data folder's own lock is ours: if sled's is taken, then by threads of a storage of this process that
        // is closed, which let go when their last write is done.
        let deadline = Instant::now() + LOCK_WAIT;
        while opened.as_ref().is_err_and(is_locked) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
            opened = open();
        }
        let error = match opened {
            Ok(index) => return Ok(index),
            // With this engine it is the only copy of the records.
            Err(error) if engine == Engine::Sled => return Err(failure(error)),
            Err(error) if is_locked(&error) || is_refused(&error) => return Err(failure(error)),
            Err(error) => error,
        };
        let aside = data_dir.join(format!("sled.damaged-{}", uuid::Uuid::new_v4().simple()));
        tracing::warn!(%error, aside = %aside.display(), "the index does not open; it is made again from the logs");
        std::fs::rename(&path, aside).map_err(OpenError::io(&path))?;
        Self::open(&path, engine).map_err(failure)
    }

    fn open(path: &Path, engine: Engine) -> Result<Self, sled::Error> {
        let segment_bytes = if engine == Engine::Sled { SEGMENT_BYTES_WITH_RECORDS } else { SEGMENT_BYTES };
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .segment_size(segment_bytes)
            .flush_every_ms(None)
            .open()?;
        Ok(Self {
            path: path.to_owned(),
            ends: db.open_tree("ends")?,
            index: db.open_tree("index")?,
            times: db.open_tree("times")?,
            segments: db.open_tree("segments")?,
            producers: db.open_tree("producers")?,
            aborted: db.open_tree("aborted")?,
            applied: db.open_tree("applied")?,
            tables: db.open_tree("tables")?,
            pieces: db.open_tree("pieces")?,
            cleaned: db.open_tree("cleaned")?,
            records: match engine {
                Engine::Sled => Some(SledRecords { records: db.open_tree("records")?, slots: db.open_tree("slots")? }),
                _ => None,
            },
            db,
        })
    }

    /// The trees of record bytes.
    pub(crate) fn records(&self) -> Option<SledRecords> {
        self.records.clone()
    }

    /// Hands what was written to the operating system and, with `sync`, to the disk: sled's own flush does not.
    pub(crate) fn flush(&self, sync: bool) -> io::Result<()> {
        self.db.flush()?;
        if sync {
            File::open(self.path.join("db"))?.sync_data()?;
        }
        Ok(())
    }

    /// What is known of a log.
    pub(crate) fn load(&self, log: u32) -> Option<Restored> {
        heard(self.try_load(log)).flatten()
    }

    fn try_load(&self, log: u32) -> sled::Result<Option<Restored>> {
        let Some(end) = self.ends.get(keys::log(log))? else { return Ok(None) };
        let Some([offset, segment, position]) = keys::parse_numbers(&end) else { return Ok(None) };
        let end = Point { offset, segment, position: position as u64 };
        let mut segments = Vec::new();
        for item in self.segments.scan_prefix(keys::log(log)) {
            let (key, value) = item?;
            let (Some(base), Some(facts)) = (keys::last_number(&key), keys::parse_numbers(&value)) else {
                return Ok(None);
            };
            let [first_timestamp, max_timestamp, max_timestamp_offset, created] = facts;
            segments.push(Segment {
                base,
                size: 0,
                bytes_before: 0,
                first_timestamp,
                max_timestamp,
                max_timestamp_offset,
                created,
            });
        }
        let mut producers = Producers::default();
        for item in self.producers.scan_prefix(keys::log(log)) {
            let (key, value) = item?;
            let restored = keys::last_number(&key).and_then(|id| producers.restore(id, &value));
            if restored.is_none() {
                return Ok(None);
            }
        }
        let mut aborted = Vec::new();
        for item in self.aborted.scan_prefix(keys::log(log)) {
            let (key, value) = item?;
            let (Some(last), Some([producer, first, stable])) = (keys::last_number(&key), keys::parse_numbers(&value))
            else {
                return Ok(None);
            };
            aborted.push(AbortedTransaction {
                producer_id: ProducerId(producer),
                first_offset: Offset(first),
                last_offset: Offset(last),
                last_stable_offset: Offset(stable),
            });
        }
        let cleaned = self.cleaned.get(keys::log(log))?.and_then(|value| keys::parse_numbers(&value));
        let [generation, cleaned_to] = cleaned.unwrap_or_default();
        Ok(Some(Restored { end, segments, producers, aborted, generation, cleaned_to }))
    }

    /// Adds a checkpoint of a log. Its end comes last: what a crash leaves of this is at worst ahead of it.
    /// Whether all of it is there.
    pub(crate) fn store(&self, log: u32, checkpoint: &Checkpoint) -> bool {
        heard(self.try_store(log, checkpoint)).is_some()
    }

    fn try_store(&self, log: u32, checkpoint: &Checkpoint) -> sled::Result<()> {
        checkpoint.entries.iter().try_for_each(|entry| self.insert_entry(log, entry))?;
        checkpoint.segments.iter().try_for_each(|segment| self.insert_segment(log, segment))?;
        // Before the producers: one whose transaction is over has its abort here, whatever a crash leaves of this.
        for aborted in &checkpoint.aborted {
            let facts = [aborted.producer_id.0, aborted.first_offset.0, aborted.last_stable_offset.0];
            self.aborted.insert(keys::log_and(log, aborted.last_offset.0), keys::numbers(facts))?;
        }
        for (id, producer) in &checkpoint.producers {
            match producer {
                Some(bytes) => self.producers.insert(keys::log_and(log, *id), bytes.as_slice())?,
                None => self.producers.remove(keys::log_and(log, *id))?,
            };
        }
        if checkpoint.generation != 0 {
            self.cleaned.insert(keys::log(log), keys::numbers([checkpoint.generation, checkpoint.cleaned_to]))?;
        }
        let Point { offset, segment, position } = checkpoint.end;
        self.ends.insert(keys::log(log), keys::numbers([offset, segment, position as i64]))?;
        Ok(())
    }

    fn insert_entry(&self, log: u32, entry: &IndexEntry) -> sled::Result<()> {
        let IndexEntry { point, max_timestamp } = entry;
        let position = point.position as i64;
        self.index.insert(keys::log_and(log, point.offset), keys::numbers([point.segment, position]))?;
        let time = keys::log_and_two(log, point.segment, keys::sortable(*max_timestamp));
        self.times.insert(time, keys::numbers([point.offset, position]))?;
        Ok(())
    }

    fn insert_segment(&self, log: u32, segment: &Segment) -> sled::Result<()> {
        let Segment { first_timestamp, max_timestamp, max_timestamp_offset, created, .. } = *segment;
        let facts = keys::numbers([first_timestamp, max_timestamp, max_timestamp_offset, created]);
        self.segments.insert(keys::log_and(log, segment.base), facts)?;
        Ok(())
    }

    /// The last indexed batch at or before `offset`.
    pub(crate) fn before_offset(&self, log: u32, offset: i64) -> Option<Point> {
        let range = keys::log_and(log, 0)..=keys::log_and(log, offset);
        let (key, value) = heard(self.index.range(range).next_back().transpose()).flatten()?;
        let [segment, position] = keys::parse_numbers(&value)?;
        Some(Point { offset: keys::last_number(&key)?, segment, position: position as u64 })
    }

    /// The last indexed batch of the segment before which all timestamps are below `target`.
    pub(crate) fn before_time(&self, log: u32, segment: i64, target: Timestamp) -> Option<Point> {
        let range = keys::log_and_two(log, segment, 0)..keys::log_and_two(log, segment, keys::sortable(target));
        let (_, value) = heard(self.times.range(range).next_back().transpose()).flatten()?;
        let [offset, position] = keys::parse_numbers(&value)?;
        Some(Point { offset, segment, position: position as u64 })
    }

    /// Forgets the segments before `base`.
    pub(crate) fn remove_before(&self, log: u32, base: i64) {
        heard(remove_range(&self.index, keys::log_and(log, 0)..keys::log_and(log, base)));
        heard(remove_range(&self.segments, keys::log_and(log, 0)..keys::log_and(log, base)));
        heard(remove_range(&self.aborted, keys::log_and(log, 0)..keys::log_and(log, base)));
        heard(remove_range(&self.times, keys::log_and_two(log, 0, 0)..keys::log_and_two(log, base, 0)));
    }

    /// Forgets batches from `offset` on.
    pub(crate) fn remove_from(&self, log: u32, offset: i64) {
        heard(remove_range(&self.index, keys::log_and(log, offset)..=keys::log_and(log, i64::MAX)));
        heard(remove_range(&self.aborted, keys::log_and(log, offset)..=keys::log_and(log, i64::MAX)));
        // The entries of the times that point beyond are found by what they point to.
        for item in self.times.scan_prefix(keys::log(log)) {
            let Some((key, value)) = heard(item) else { return };
            if keys::parse_numbers(&value).is_none_or(|[at, _]: [i64; 2]| at >= offset) {
                heard(self.times.remove(key));
            }
        }
    }

    /// Forgets where batches are in the segments from `base` to before `end`, which are about to be replaced; whether
    /// nothing of it is left.
    pub(crate) fn remove_between(&self, log: u32, base: i64, end: i64) -> bool {
        let index = remove_range(&self.index, keys::log_and(log, base)..keys::log_and(log, end));
        let times = remove_range(&self.times, keys::log_and_two(log, base, 0)..keys::log_and_two(log, end, 0));
        heard(index.and(times)).is_some()
    }

    /// Forgets the aborted transactions with these markers.
    pub(crate) fn remove_aborted(&self, log: u32, markers: &[i64]) {
        for marker in markers {
            heard(self.aborted.remove(keys::log_and(log, *marker)));
        }
    }

    /// Takes up the segment that has replaced those from its base to before `end`. The generation comes last: an index
    /// that a crash leaves without it is known to speak of the segments before.
    pub(crate) fn replace(&self, log: u32, end: i64, new: &Segment, entries: &[IndexEntry], cleaned: [i64; 2]) {
        let replace = || {
            remove_range(&self.segments, keys::log_and(log, new.base + 1)..keys::log_and(log, end))?;
            self.insert_segment(log, new)?;
            entries.iter().try_for_each(|entry| self.insert_entry(log, entry))?;
            self.cleaned.insert(keys::log(log), keys::numbers(cleaned))
        };
        let _: Option<Option<sled::IVec>> = heard(replace());
    }

    /// Notes up to where a log is compacted.
    pub(crate) fn set_cleaned(&self, log: u32, cleaned: [i64; 2]) {
        heard(self.cleaned.insert(keys::log(log), keys::numbers(cleaned)));
    }

    /// Forgets a log, its end first: what a crash leaves of this is not taken for true.
    pub(crate) fn forget(&self, log: u32) {
        heard(self.ends.remove(keys::log(log)));
        for tree in [&self.index, &self.times, &self.segments, &self.producers, &self.aborted, &self.cleaned] {
            heard(remove_prefix(tree, log));
        }
    }
}

/// Whether sled's files are in use.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// Whether the system would not have them opened, whole or not.
fn is_refused(error: &sled::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let sled::Error::Io(error) = error else { return false };
    matches!(error.kind(), PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

fn remove_prefix(tree: &sled::Tree, log: u32) -> sled::Result<()> {
    for key in tree.scan_prefix(keys::log(log)).keys() {
        tree.remove(key?)?;
    }
    Ok(())
}

fn remove_range<K: AsRef<[u8]>>(tree: &sled::Tree, range: impl std::ops::RangeBounds<K>) -> sled::Result<()> {
    for key in tree.range(range).keys() {
        tree.remove(key?)?;
    }
    Ok(())
}

/// The value, or a warning that there is none: nothing here is the only copy.
fn heard<T>(result: sled::Result<T>) -> Option<T> {
    result.inspect_err(|error| tracing::warn!(%error, "the index failed; going on without")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_not_taken_for_damaged_where_the_disk_is_full() {
        let error = |code| sled::Error::Io(io::Error::from_raw_os_error(code));
        // ENOSPC, EROFS, EACCES; EIO.
        assert_eq!([28, 30, 13, 5].map(|code| is_refused(&error(code))), [true, true, true, false]);
    }
}
