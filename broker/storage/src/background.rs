//! The background threads: group commits, checkpoints, retention. Each sleeps until there is work.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::partition::PartitionLog;
use crate::shared::Shared;
use crate::{Engine, Fsync};

/// Logs that wait for something to be done.
#[derive(Debug, Default)]
pub(crate) struct WorkQueue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    logs: VecDeque<Weak<PartitionLog>>,
    stopped: bool,
}

impl WorkQueue {
    pub(crate) fn push(&self, log: Weak<PartitionLog>) {
        let mut waiting = self.waiting.lock();
        waiting.logs.push_back(log);
        if waiting.logs.len() == 1 {
            self.changed.notify_one();
        }
    }

    /// No more waiting: [`WorkQueue::wait`] returns false from now on.
    pub(crate) fn stop(&self) {
        self.waiting.lock().stopped = true;
        self.changed.notify_all();
    }

    /// All that wait now.
    pub(crate) fn take(&self) -> Vec<Arc<PartitionLog>> {
        let logs = std::mem::take(&mut self.waiting.lock().logs);
        logs.iter().filter_map(Weak::upgrade).collect()
    }

    /// Returns when a log waits or `deadline` is there; false when stopped.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut waiting = self.waiting.lock();
        while waiting.logs.is_empty() && !waiting.stopped {
            match deadline {
                None => self.changed.wait(&mut waiting),
                Some(deadline) => {
                    if self.changed.wait_until(&mut waiting, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
        !waiting.stopped
    }

    /// Returns at `deadline`; false, and at once, when stopped.
    fn sleep(&self, deadline: Instant) -> bool {
        let mut waiting = self.waiting.lock();
        while !waiting.stopped {
            if self.changed.wait_until(&mut waiting, deadline).timed_out() {
                break;
            }
        }
        !waiting.stopped
    }
}

/// Runs until the queue of commits is stopped: whatever waits when the thread comes round is one commit.
pub(crate) fn run_commits(shared: &Shared) {
    while shared.commits.wait(None) {
        let logs = shared.commits.take();
        // sled panics where it should return an error. Whoever waits for these logs must hear of it.
        if catch_unwind(AssertUnwindSafe(|| commit(shared, &logs))).is_err() {
            let error = std::io::Error::other("the commit panicked");
            logs.iter().for_each(|log| log.fail_commit(&error));
        }
    }
}

/// Brings what was appended to `logs` to where it must be before it is served, and serves it.
pub(crate) fn commit(shared: &Shared, logs: &[Arc<PartitionLog>]) {
    let mut synced = Vec::with_capacity(logs.len());
    for log in logs {
        log.begin_commit();
        if let Ok(end) = log.sync() {
            synced.push((log, end));
        }
    }
    if shared.engine == Engine::Sled
        && let Some(Err(error)) = shared.index.as_ref().map(|index| index.flush(shared.fsync == Fsync::Always))
    {
        synced.iter().for_each(|(log, _)| log.fail_commit(&error));
        return;
    }
    for (log, end) in synced {
        log.commit(end);
    }
}

/// When the checkpoint thread does what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// From the first write on.
    pub(crate) interval: Duration,
    /// What sled may lack.
    pub(crate) bytes: u64,
    pub(crate) retention_interval: Duration,
}

/// Runs until the queue of checkpoints is stopped: syncs what was written, checkpoints once that is worth it, and calls
/// `retention` when it is due.
pub(crate) fn run_checkpoints(shared: &Shared, schedule: Schedule, mut retention: impl FnMut()) {
    let mut retention_due = Instant::now() + schedule.retention_interval;
    let mut behind: Vec<Arc<PartitionLog>> = Vec::new();
    while shared.checkpoints.wait(Some(retention_due)) {
        if Instant::now() >= retention_due {
            retention();
            retention_due = Instant::now() + schedule.retention_interval;
            continue;
        }
        if !shared.checkpoints.sleep(Instant::now() + schedule.interval) {
            return;
        }
        let written = shared.checkpoints.take();
        for log in &written {
            log.begin_round();
            if !behind.iter().any(|known| Arc::ptr_eq(known, log)) {
                behind.push(log.clone());
            }
        }
        // Little is read again faster than sled writes it; and the first write wakes sled's threads for good, each of
        // which then wakes once a second. With records inside, its file has to be synced here.
        let bytes: u64 = behind.iter().map(|log| log.bytes_behind()).sum();
        if bytes >= schedule.bytes || shared.engine == Engine::Sled {
            if catch_unwind(AssertUnwindSafe(|| checkpoint(shared, &behind))).is_err() {
                tracing::error!("the index panicked; the next start reads more of the logs");
            }
            behind.clear();
        } else if shared.fsync != Fsync::Never {
            // What fails is poisoned, and said.
            written.iter().for_each(|log| drop(log.sync()));
        }
    }
}

/// Syncs `logs` and puts what is new of them into sled.
pub(crate) fn checkpoint(shared: &Shared, logs: &[Arc<PartitionLog>]) {
    let Some(index) = &shared.index else { return };
    for log in logs {
        log.checkpoint(index);
    }
    if !logs.is_empty()
        && let Err(error) = index.flush(shared.fsync != Fsync::Never && shared.engine == Engine::Sled)
    {
        tracing::warn!(%error, "the index was not written; the next start reads more of the logs");
    }
}

/// Runs until the queue of the cleaning is stopped: rests and calls `clean`, in turn.
pub(crate) fn run_cleaning(shared: &Shared, mut clean: impl FnMut()) {
    while shared.cleaning.sleep(Instant::now() + shared.cleaner_backoff()) {
        if catch_unwind(AssertUnwindSafe(&mut clean)).is_err() {
            tracing::error!("a compaction panicked; what it was at stays as it was");
        }
    }
}
