//! The open segment files of all logs, bounded: a thousand topics must not need a thousand descriptors.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

/// Files kept open at least, however few descriptors the process may have.
const OPEN_MIN: usize = 32;
/// Files kept open at most.
const OPEN_MAX: usize = 1024;

/// A log's number and a segment's base.
type Key = (u32, i64);

#[derive(Debug)]
pub(super) struct Files {
    open: Mutex<Open>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Open {
    files: HashMap<Key, (Arc<File>, u64)>,
    uses: u64,
}

impl Default for Files {
    fn default() -> Self {
        // A quarter of what the process may open; the rest is for connections.
        let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        let quarter = usize::try_from(allowed / 4).unwrap_or(usize::MAX);
        Self { open: Mutex::default(), limit: quarter.clamp(OPEN_MIN, OPEN_MAX) }
    }
}

impl Files {
    /// The file of `key`; `open` opens it when it is not. The one that was not used for longest makes room.
    pub(super) fn get(&self, key: Key, open: impl FnOnce() -> io::Result<File>) -> io::Result<Arc<File>> {
        let mut cache = self.open.lock();
        cache.uses += 1;
        let now = cache.uses;
        if let Some((file, used)) = cache.files.get_mut(&key) {
            *used = now;
            return Ok(file.clone());
        }
        let file = Arc::new(open()?);
        if cache.files.len() >= self.limit
            && let Some(oldest) = cache.files.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key)
        {
            cache.files.remove(&oldest);
        }
        cache.files.insert(key, (file.clone(), now));
        Ok(file)
    }

    /// Closes the file of `key`, once nobody reads it.
    pub(super) fn close(&self, key: Key) {
        self.open.lock().files.remove(&key);
    }

    /// Closes the files of a log's segments whose bases are in `bases`.
    pub(super) fn close_range(&self, number: u32, bases: std::ops::Range<i64>) {
        self.open.lock().files.retain(|(log, base), _| *log != number || !bases.contains(base));
    }

    /// Closes all files of a log.
    pub(super) fn close_log(&self, number: u32) {
        self.open.lock().files.retain(|(log, _), _| *log != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_are_open() {
        let files = Files { open: Mutex::default(), limit: 2 };
        let open = |base| files.get((1, base), tempfile::tempfile).unwrap();
        let first = open(1);
        open(2);
        assert!(Arc::ptr_eq(&first, &open(1)));
        // The second was not used for longest.
        open(3);
        assert!(Arc::ptr_eq(&first, &open(1)));
        assert_eq!(files.open.lock().files.len(), 2);
        files.close_log(1);
        assert_eq!(Arc::strong_count(&first), 1);
    }
}
