//! The thread that compacts logs: always the one with the largest dirty share first
//! (`LogCleanerManager.grabFilthiestCompactedLog`).

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Instant;

use super::Storage;
use crate::cleaner::plan::Part;
use crate::partition::PartitionLog;
use crate::shared::Shared;
use crate::{StorageError, background};

impl Storage {
    /// Compacts what is worth it by the settings of each topic; done in the background whenever there is such a log.
    /// Returns how many passes were made.
    pub fn clean(&self) -> usize {
        clean(&self.shared, &self.logs())
    }

    pub(super) fn start_cleaner(self: &Arc<Self>) -> io::Result<JoinHandle<()>> {
        let (shared, storage) = (self.shared.clone(), Arc::downgrade(self));
        let thread = std::thread::Builder::new().name("storage-cleaner".into());
        thread.spawn(move || {
            background::run_cleaning(&shared, || {
                // A pass may be long: it must not keep the storage from being dropped.
                let logs = storage.upgrade().map(|storage| storage.logs()).unwrap_or_default();
                clean(&shared, &logs);
            });
        })
    }
}

fn clean(shared: &Shared, logs: &[Arc<PartitionLog>]) -> usize {
    let mut passes = 0;
    // Those that failed, or gained nothing, wait for the next round.
    let mut skipped = HashSet::new();
    while !shared.stops_cleaning.load(Ordering::Relaxed)
        && let Some((log, part)) = dirtiest(logs, &skipped)
    {
        if pass(log, &part, shared.cleaner_bytes_max()) {
            passes += 1;
        } else {
            skipped.insert(log.number());
        }
    }
    passes
}

fn dirtiest<'a>(logs: &'a [Arc<PartitionLog>], skipped: &HashSet<u32>) -> Option<(&'a Arc<PartitionLog>, Part)> {
    let candidates = logs.iter().filter(|log| !skipped.contains(&log.number()));
    let due = candidates.filter_map(|log| Some((log, log.cleanable().filter(|part| part.is_due)?)));
    due.max_by(|(_, one), (_, other)| one.dirty_ratio.total_cmp(&other.dirty_ratio))
}

/// Whether the log is compacted further than before.
fn pass(log: &PartitionLog, part: &Part, bytes_max: usize) -> bool {
    let begun = Instant::now();
    match log.clean(part, bytes_max) {
        Ok(cleaned) => {
            let (before, after) = (cleaned.bytes_before, cleaned.bytes_after);
            tracing::info!(log = %log.id(), before, after, to = cleaned.to, took = ?begun.elapsed(), "compacted");
            cleaned.to > part.first_dirty
        }
        Err(StorageError::Deleted | StorageError::Closed) => false,
        // Retention was faster.
        Err(StorageError::Io(error)) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error @ StorageError::Damaged(_)) => {
            tracing::error!(log = %log.id(), %error, "the log is not compacted any more until a restart");
            log.give_up_cleaning();
            false
        }
        Err(error) => {
            tracing::warn!(log = %log.id(), %error, "compaction failed; it is tried again");
            false
        }
    }
}
