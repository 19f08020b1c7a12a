//! What a log remembers of its compaction.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::PartitionLog;
use crate::StorageError;

#[derive(Debug)]
pub(super) struct Compaction {
    /// Everything before this offset is compacted.
    to: AtomicI64,
    /// What is stored cannot be compacted: another try would fail as well.
    impossible: AtomicBool,
    /// Held by the one pass at a time.
    running: Mutex<()>,
}

impl Compaction {
    pub(super) fn new(to: i64) -> Self {
        Self { to: AtomicI64::new(to), impossible: AtomicBool::new(false), running: Mutex::new(()) }
    }

    pub(super) fn to(&self) -> i64 {
        self.to.load(Ordering::Acquire)
    }

    pub(super) fn finish(&self, to: i64) {
        self.to.store(to, Ordering::Release);
    }

    /// The right to compact; `None` while another has it.
    pub(super) fn begin(&self) -> Option<MutexGuard<'_, ()>> {
        self.running.try_lock()
    }

    pub(super) fn is_possible(&self) -> bool {
        !self.impossible.load(Ordering::Acquire)
    }
}

impl PartitionLog {
    /// No more compaction until a restart.
    pub(crate) fn give_up_cleaning(&self) {
        self.compaction.impossible.store(true, Ordering::Release);
    }

    /// The error when a pass under way is to end.
    pub(super) fn check_cleaning(&self) -> Result<(), StorageError> {
        if self.shared.stops_cleaning.load(Ordering::Relaxed) {
            return Err(StorageError::Closed);
        }
        self.check_open()
    }
}
