//! Those who wait for a log's high watermark to move.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Each registered notify is told once.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    notifies: Vec<Arc<Notify>>,
    /// Look for abandoned ones when there are as many as this.
    prune_at: usize,
}

const PRUNE_AT_MIN: usize = 16;

impl Waiters {
    pub(super) fn register(&self, notify: &Arc<Notify>) {
        let mut waiting = self.waiting.lock();
        if waiting.notifies.iter().any(|known| Arc::ptr_eq(known, notify)) {
            return;
        }
        // A fetch that timed out leaves its notify behind; on a log that nobody writes those would pile up.
        if waiting.notifies.len() >= waiting.prune_at.max(PRUNE_AT_MIN) {
            waiting.notifies.retain(|known| Arc::strong_count(known) > 1);
            waiting.prune_at = waiting.notifies.len() * 2;
        }
        waiting.notifies.push(notify.clone());
    }

    pub(super) fn wake(&self) {
        let mut waiting = self.waiting.lock();
        for notify in waiting.notifies.drain(..) {
            notify.notify_one();
        }
    }
}
