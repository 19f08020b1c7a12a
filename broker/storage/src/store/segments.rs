//! The default engine: `DATA/TOPIC-PARTITION/BASE.log`, laid out as Kafka lays them out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use brooklet_model::{TopicId, TopicPartition};

use super::RecordStore;
use super::files::Files;
use super::swap_files::SwapFiles;
use crate::deletions::Deletions;
use crate::format::base64_url;
use crate::{LogSlice, SlicePart};

const METADATA_FILE: &str = "partition.metadata";
const LOG_SUFFIX: &str = ".log";
/// Ends the name of a file that is no part of the log any more, as Kafka's does.
pub(super) const DELETED_SUFFIX: &str = ".deleted";
/// Ends the name of a folder that is being removed, as Kafka's does.
const DELETE_SUFFIX: &str = "-delete";
/// Ends the name of a folder that is of no topic on record, as Kafka's does.
const STRAY_SUFFIX: &str = "-stray";
const FILE_NAME_LEN_MAX: usize = 255;

pub(super) struct SegmentStore {
    folder: PathBuf,
    number: u32,
    topic_id: TopicId,
    files: Arc<Files>,
    deletions: Arc<Deletions>,
    /// A file is new since the folder was last synced.
    created: AtomicBool,
    swaps: SwapFiles,
}

impl SegmentStore {
    /// The folder of the partition, made if missing. One that says it is another topic's is moved aside.
    pub(super) fn open(
        data_dir: &Path,
        id: &TopicPartition,
        number: u32,
        topic_id: TopicId,
        files: Arc<Files>,
        deletions: Arc<Deletions>,
    ) -> io::Result<Self> {
        let folder = data_dir.join(id.to_string());
        let expected = metadata(topic_id);
        match fs::read_to_string(folder.join(METADATA_FILE)) {
            Ok(found) if found == expected => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            other => {
                if folder.exists() && (other.is_ok() || has_segments(&folder)?) {
                    let aside = renamed(&folder, TopicId::new_v4(), STRAY_SUFFIX);
                    tracing::warn!(folder = %folder.display(), aside = %aside.display(), "moved a stray folder aside");
                    fs::rename(&folder, aside)?;
                }
                fs::create_dir_all(&folder)?;
                fs::write(folder.join(METADATA_FILE), expected)?;
            }
        }
        let swaps = SwapFiles::open(&folder)?;
        Ok(Self { folder, number, topic_id, files, deletions, created: AtomicBool::new(true), swaps })
    }

    fn path(&self, base: i64) -> PathBuf {
        segment_path(&self.folder, base)
    }

    fn file(&self, base: i64) -> io::Result<Arc<File>> {
        self.files.get((self.number, base), || OpenOptions::new().read(true).write(true).open(self.path(base)))
    }

    /// Takes a segment file out of the log, to be removed after `delay`.
    fn retire(&self, path: &Path, delay: Duration) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(DELETED_SUFFIX);
        fs::rename(path, &name)?;
        self.deletions.push(name.into(), delay);
        Ok(())
    }

    /// The name of a new file, and of a new folder, must reach the disk like the bytes.
    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()?;
        match self.folder.parent() {
            Some(data_dir) => File::open(data_dir)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl RecordStore for SegmentStore {
    fn segments(&self) -> io::Result<Vec<(i64, u64)>> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if let Some(base) = entry.file_name().to_str().and_then(base_of) {
                segments.push((base, entry.metadata()?.len()));
            }
        }
        segments.sort_unstable();
        Ok(segments)
    }

    fn create(&self, base: i64) -> io::Result<()> {
        let create = || OpenOptions::new().read(true).write(true).create(true).truncate(true).open(self.path(base));
        self.files.close((self.number, base));
        self.files.get((self.number, base), create)?;
        self.created.store(true, Ordering::Release);
        Ok(())
    }

    fn append(&self, base: i64, position: u64, prefix: &[u8; 16], rest: &[u8]) -> io::Result<()> {
        let file = self.file(base)?;
        let total = prefix.len() + rest.len();
        let parts = [IoSlice::new(prefix), IoSlice::new(rest)];
        let written = loop {
            match rustix::io::pwritev(&file, &parts, position) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other?,
            }
        };
        // The kernel takes less than all when the disk is nearly full or a signal comes.
        if written < total {
            let done = written.saturating_sub(prefix.len());
            let prefix_left = prefix.get(written..).unwrap_or_default();
            file.write_all_at(prefix_left, position + written as u64)?;
            let rest_left = rest.get(done..).unwrap_or_default();
            file.write_all_at(rest_left, position + (prefix.len() + done) as u64)?;
        }
        Ok(())
    }

    fn read(&self, base: i64, position: u64, len: usize) -> io::Result<LogSlice> {
        Ok(LogSlice { parts: vec![SlicePart::File { file: self.file(base)?, position, len }] })
    }

    fn read_into(&self, base: i64, position: u64, out: &mut [u8]) -> io::Result<usize> {
        let file = self.file(base)?;
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, position + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn truncate(&self, base: i64, len: u64) -> io::Result<()> {
        let file = self.file(base)?;
        file.set_len(len)?;
        file.sync_data()
    }

    fn remove(&self, base: i64, delay: Duration) -> io::Result<()> {
        self.files.close((self.number, base));
        match self.retire(&self.path(base), delay) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync(&self, base: i64) -> io::Result<()> {
        self.file(base)?.sync_data()?;
        if self.created.swap(false, Ordering::AcqRel)
            && let Err(error) = self.sync_names()
        {
            self.created.store(true, Ordering::Release);
            return Err(error);
        }
        Ok(())
    }

    fn destroy(&self, delay: Duration) -> io::Result<()> {
        self.files.close_log(self.number);
        if let Some(doomed) = set_aside(&self.folder, self.topic_id)? {
            self.deletions.push(doomed, delay);
        }
        Ok(())
    }

    fn begin_cleaned(&self, base: i64) -> io::Result<()> {
        self.swaps.begin(base)
    }

    fn append_cleaned(&self, base: i64, position: u64, bytes: &[u8]) -> io::Result<()> {
        self.swaps.append(base, position, bytes)
    }

    fn sync_cleaned(&self, base: i64) -> io::Result<()> {
        self.swaps.sync(base)
    }

    fn drop_cleaned(&self, base: i64) -> io::Result<()> {
        self.swaps.discard(base)
    }

    fn decide_swap(&self, base: i64, end: i64, sync: bool) -> io::Result<()> {
        self.swaps.decide(base, end, sync)
    }

    fn finish_swap(&self, base: i64, end: i64, delay: Duration) -> io::Result<()> {
        let replaced = self.swaps.finish(base, end, |path| self.retire(path, delay));
        // After the files have their names: whoever opens one in between gets the new one.
        self.files.close_range(self.number, base..end);
        replaced
    }

    fn generation(&self) -> i64 {
        self.swaps.generation()
    }

    fn compacted_to(&self) -> i64 {
        self.swaps.compacted_to()
    }
}

/// The file of a segment.
pub(super) fn segment_path(folder: &Path, base: i64) -> PathBuf {
    folder.join(format!("{base:020}{LOG_SUFFIX}"))
}

/// Takes the folder of a log out of the way in one step, so that a crash leaves no half topic under its name; where it
/// is then, if there was one.
fn set_aside(folder: &Path, topic_id: TopicId) -> io::Result<Option<PathBuf>> {
    let doomed = renamed(folder, topic_id, DELETE_SUFFIX);
    match fs::rename(folder, &doomed) {
        Ok(()) => Ok(Some(doomed)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes the folder of a log, unless it is another topic's by now.
pub(super) fn remove_log(
    data_dir: &Path,
    id: &TopicPartition,
    number: u32,
    topic_id: TopicId,
    files: &Arc<Files>,
) -> io::Result<()> {
    let folder = data_dir.join(id.to_string());
    match fs::read_to_string(folder.join(METADATA_FILE)) {
        Ok(found) if found == metadata(topic_id) => {
            files.close_log(number);
            set_aside(&folder, topic_id)?.map_or(Ok(()), fs::remove_dir_all)
        }
        _ => Ok(()),
    }
}

/// Removes what deletions left that did not come to their end.
pub(crate) fn remove_leftovers(data_dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.ends_with(DELETE_SUFFIX)) && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// What `partition.metadata` holds (`org.apache.kafka.storage.internals.checkpoint.PartitionMetadataFile`).
fn metadata(topic_id: TopicId) -> String {
    format!("version: 0\ntopic_id: {}", base64_url(topic_id))
}

pub(super) fn base_of(name: &str) -> Option<i64> {
    name.strip_suffix(LOG_SUFFIX)?.parse().ok().filter(|base| *base >= 0)
}

fn has_segments(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if entry?.file_name().to_str().and_then(base_of).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `TOPIC-PARTITION.ID-SUFFIX` beside the folder, the topic cut so that the name is not too long.
fn renamed(folder: &Path, id: TopicId, suffix: &str) -> PathBuf {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let ending = format!(".{}{suffix}", id.simple());
    let kept = name.get(..FILE_NAME_LEN_MAX.saturating_sub(ending.len())).unwrap_or(name);
    folder.with_file_name(format!("{kept}{ending}"))
}
