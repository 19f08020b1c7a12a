//! Files that are no part of a log any more, removed a while later (`file.delete.delay.ms`) on a thread of their own.
//! What is not removed when the process ends the next start finds by its name.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Files and folders that wait to be removed.
#[derive(Debug, Default)]
pub(crate) struct Deletions {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By when, and in the order they came.
    due: BTreeMap<(Instant, u64), PathBuf>,
    count: u64,
    stopped: bool,
}

impl Deletions {
    /// Has `path` removed after `delay`; one that is longer than the clock reaches leaves it to the next start.
    pub(crate) fn push(&self, path: PathBuf, delay: Duration) {
        let Some(at) = Instant::now().checked_add(delay) else { return };
        let mut waiting = self.waiting.lock();
        waiting.count += 1;
        let key = (at, waiting.count);
        waiting.due.insert(key, path);
        self.changed.notify_one();
    }

    /// No more removing: [`Deletions::run`] returns.
    pub(crate) fn stop(&self) {
        self.waiting.lock().stopped = true;
        self.changed.notify_one();
    }

    /// Removes what is due, until stopped.
    pub(crate) fn run(&self) {
        while let Some(path) = self.next() {
            if let Err(error) = remove(&path) {
                tracing::warn!(path = %path.display(), %error, "was not removed; the next start tries again");
            }
        }
    }

    /// Waits for the next that is due; `None` when stopped.
    fn next(&self) -> Option<PathBuf> {
        let mut waiting = self.waiting.lock();
        while !waiting.stopped {
            match waiting.due.first_entry() {
                None => self.changed.wait(&mut waiting),
                Some(first) if first.key().0 <= Instant::now() => return Some(first.remove()),
                Some(first) => {
                    let at = first.key().0;
                    // Early or late, it is looked at again.
                    self.changed.wait_until(&mut waiting, at);
                }
            }
        }
        None
    }
}

/// Removes a file or a folder with all that is in it, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        // With its folder, or by who stands under its name now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_goes_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "x").unwrap();
        std::fs::create_dir_all(path("folder/inner")).unwrap();
        std::fs::write(path("later"), "x").unwrap();
        let deletions = Deletions::default();
        for (name, delay) in [("later", Duration::from_secs(3600)), ("never", Duration::MAX)] {
            deletions.push(path(name), delay);
        }
        for name in ["missing", "file", "folder"] {
            deletions.push(path(name), Duration::ZERO);
        }
        std::thread::scope(|scope| {
            scope.spawn(|| deletions.run());
            while path("file").exists() || path("folder").exists() {
                std::thread::yield_now();
            }
            deletions.stop();
        });
        assert!(path("later").exists());
        assert_eq!(deletions.waiting.lock().due.len(), 1);
    }
}
