//! How compacted segment files take the place of others, so that a crash at any point leaves the old ones or the new
//! one:
//!
//! ```text
//! BASE.log.cleaned    being written; a start removes it
//! BASE.log.deleted    was replaced; removed after a while, or by a start
//! BASE-END.swap       whole: takes the place of all segments from BASE to before END; a start finishes that
//! cleaner-generation  changes before each swap, so that an index of the files before is known as such; and says up
//!                     to which offset batches may be missing
//! ```

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use super::segments::{DELETED_SUFFIX, base_of, segment_path};

const CLEANED_SUFFIX: &str = ".log.cleaned";
const SWAP_SUFFIX: &str = ".swap";
const GENERATION_FILE: &str = "cleaner-generation";
/// What an unreadable file says: no index has it.
const UNKNOWN_GENERATION: i64 = -1;

pub(super) struct SwapFiles {
    folder: PathBuf,
    /// The file being written, and its base.
    writing: Mutex<Option<(i64, File)>>,
    generation: AtomicI64,
    compacted_to: AtomicI64,
}

impl SwapFiles {
    /// Finishes the swaps that a crash interrupted, and drops what was not decided and what was replaced.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let (generation, compacted_to) = read_generation(folder)?;
        let swaps = Self {
            folder: folder.to_owned(),
            writing: Mutex::new(None),
            generation: AtomicI64::new(generation),
            compacted_to: AtomicI64::new(compacted_to),
        };
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.ends_with(CLEANED_SUFFIX) || name.ends_with(DELETED_SUFFIX) {
                fs::remove_file(folder.join(name))?;
            } else if let Some((base, end)) = range_of(name) {
                tracing::info!(folder = %folder.display(), base, end, "the swap of a compacted segment goes on");
                swaps.finish(base, end, |path| fs::remove_file(path))?;
            }
        }
        Ok(swaps)
    }

    pub(super) fn begin(&self, base: i64) -> io::Result<()> {
        fault::point()?;
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(self.cleaned_path(base))?;
        *self.writing.lock() = Some((base, file));
        Ok(())
    }

    pub(super) fn append(&self, base: i64, position: u64, bytes: &[u8]) -> io::Result<()> {
        fault::point()?;
        self.with_file(base, |file| file.write_all_at(bytes, position))
    }

    pub(super) fn sync(&self, base: i64) -> io::Result<()> {
        fault::point()?;
        self.with_file(base, File::sync_data)
    }

    fn with_file(&self, base: i64, work: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        match &*self.writing.lock() {
            Some((of, file)) if *of == base => work(file),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn discard(&self, base: i64) -> io::Result<()> {
        self.writing.lock().take();
        fault::point()?;
        fs::remove_file(self.cleaned_path(base))
    }

    pub(super) fn decide(&self, base: i64, end: i64, sync: bool) -> io::Result<()> {
        self.writing.lock().take();
        self.begin_generation(end, sync)?;
        fault::point()?;
        let swap = self.swap_path(base, end);
        fs::rename(self.cleaned_path(base), &swap)?;
        if sync && let Err(error) = self.sync_names() {
            // Back to where nothing is decided; should that fail too, the next start finishes it.
            fault::point()?;
            fs::rename(&swap, self.cleaned_path(base))?;
            return Err(error);
        }
        Ok(())
    }

    /// Has `retire` take each segment out of the log that is replaced.
    pub(super) fn finish(&self, base: i64, end: i64, retire: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let old = entry.file_name().to_str().and_then(base_of);
            if old.is_some_and(|old| (base..end).contains(&old)) {
                fault::point()?;
                retire(&entry.path())?;
            }
        }
        fault::point()?;
        fs::rename(self.swap_path(base, end), segment_path(&self.folder, base))
    }

    pub(super) fn compacted_to(&self) -> i64 {
        self.compacted_to.load(Ordering::Acquire)
    }

    pub(super) fn generation(&self) -> i64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Another number than any before. It is in place before the files change; an index that a crash leaves behind
    /// with the old number is made again for nothing if they did not.
    fn begin_generation(&self, end: i64, sync: bool) -> io::Result<()> {
        let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
        let generation = (high >> 1).max(1) as i64;
        let compacted_to = self.compacted_to().max(end);
        let aside = self.folder.join(format!("{GENERATION_FILE}.tmp"));
        fault::point()?;
        fs::write(&aside, format!("version: 0\ngeneration: {generation}\ncompacted: {compacted_to}\n"))?;
        if sync {
            fault::point()?;
            File::open(&aside)?.sync_data()?;
        }
        fault::point()?;
        fs::rename(&aside, self.folder.join(GENERATION_FILE))?;
        self.generation.store(generation, Ordering::Release);
        self.compacted_to.store(compacted_to, Ordering::Release);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        fault::point()?;
        File::open(&self.folder)?.sync_all()
    }

    fn cleaned_path(&self, base: i64) -> PathBuf {
        self.folder.join(format!("{base:020}{CLEANED_SUFFIX}"))
    }

    fn swap_path(&self, base: i64, end: i64) -> PathBuf {
        self.folder.join(format!("{base:020}-{end:020}{SWAP_SUFFIX}"))
    }
}

/// Base and end in the name of a decided swap.
fn range_of(name: &str) -> Option<(i64, i64)> {
    let (base, end) = name.strip_suffix(SWAP_SUFFIX)?.split_once('-')?;
    Some((base.parse().ok()?, end.parse().ok()?))
}

/// Generation, and up to where batches may be missing.
fn read_generation(folder: &Path) -> io::Result<(i64, i64)> {
    let parse = |text: String| {
        let (generation, compacted) =
            text.strip_prefix("version: 0\ngeneration: ")?.trim_end().split_once("\ncompacted: ")?;
        Some((generation.parse().ok()?, compacted.parse().ok()?))
    };
    match fs::read_to_string(folder.join(GENERATION_FILE)) {
        // A file that says nothing: everything is possible.
        Ok(text) => Ok(parse(text).unwrap_or((UNKNOWN_GENERATION, i64::MAX))),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok((UNKNOWN_GENERATION, i64::MAX)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((0, 0)),
        Err(error) => Err(error),
    }
}

/// Where tests end a swap: each call stands before a change of a file.
pub(crate) mod fault {
    #[cfg(not(test))]
    #[expect(clippy::unnecessary_wraps, reason = "fails in tests")]
    pub(super) fn point() -> std::io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    std::thread_local! {
        static LEFT: std::cell::Cell<Option<u32>> = const { std::cell::Cell::new(None) };
    }

    /// After `points` of them, each fails on this thread; `None`: none does.
    #[cfg(test)]
    pub(crate) fn set(points: Option<u32>) {
        LEFT.set(points);
    }

    #[cfg(test)]
    pub(super) fn point() -> std::io::Result<()> {
        match LEFT.get() {
            None => Ok(()),
            Some(0) => Err(std::io::Error::other("the test ends it here")),
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
        }
    }
}
