use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bounds the records that wait in the client or are in flight, by number and by bytes.
///
/// Counting is lock-free; the lock is taken only where somebody waits.
pub(crate) struct Gate {
    records_max: u64,
    bytes_max: u64,
    records: AtomicU64,
    bytes: AtomicU64,
    closed: AtomicBool,
    /// Waiters are woken when fewer records than this are left; 0 while nobody waits.
    wake_below: AtomicU64,
    lock: Mutex<()>,
    fewer: Condvar,
}

impl Gate {
    pub(crate) fn new(records_max: u64, bytes_max: u64) -> Self {
        Self {
            records_max: records_max.max(1),
            bytes_max,
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            wake_below: AtomicU64::new(0),
            lock: Mutex::new(()),
            fewer: Condvar::new(),
        }
    }

    /// Counts one record of `bytes` in, waiting until there is room; false once the gate is closed. A record larger
    /// than all of the room is let in alone. To be called from one thread only.
    pub(crate) fn enter(&self, bytes: u64) -> bool {
        if !self.has_room(bytes) {
            self.wait_for_room(bytes);
        }
        self.records.fetch_add(1, Ordering::SeqCst);
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
        // Counted first: whoever closes the gate and then sees no records can rely on none coming.
        if self.closed.load(Ordering::SeqCst) {
            self.leave(bytes);
            return false;
        }
        true
    }

    /// Counts one record of `bytes` out.
    pub(crate) fn leave(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::SeqCst);
        let left = self.records.fetch_sub(1, Ordering::SeqCst) - 1;
        if left < self.wake_below.load(Ordering::SeqCst) {
            let _held = self.held();
            self.fewer.notify_all();
        }
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let _held = self.held();
        self.fewer.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Records that are in.
    pub(crate) fn records(&self) -> u64 {
        self.records.load(Ordering::SeqCst)
    }

    /// Sleeps, but no longer than until the gate is closed.
    pub(crate) fn sleep(&self, duration: Duration) {
        let held = self.held();
        drop(self.fewer.wait_timeout_while(held, duration, |()| !self.is_closed()));
    }

    fn has_room(&self, bytes: u64) -> bool {
        let records = self.records.load(Ordering::SeqCst);
        records == 0
            || (records < self.records_max && self.bytes.load(Ordering::SeqCst).saturating_add(bytes) <= self.bytes_max)
    }

    /// Waits until half of what is in has left, so that a full queue wakes the sender once, not for each record.
    fn wait_for_room(&self, bytes: u64) {
        let mut held = self.held();
        while !self.has_room(bytes) && !self.is_closed() {
            let records = self.records.load(Ordering::SeqCst);
            self.wake_below.store(records / 2 + 1, Ordering::SeqCst);
            if self.records.load(Ordering::SeqCst) > records / 2 {
                held = self.fewer.wait(held).unwrap_or_else(PoisonError::into_inner);
            }
        }
        self.wake_below.store(0, Ordering::SeqCst);
        drop(held);
    }

    fn held(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// A thread that enters one record after the other and says so.
    fn sender(gate: &Arc<Gate>, bytes: u64) -> mpsc::Receiver<bool> {
        let (told, tell) = mpsc::channel();
        let gate = Arc::clone(gate);
        thread::spawn(move || {
            loop {
                let entered = gate.enter(bytes);
                if told.send(entered).is_err() || !entered {
                    break;
                }
            }
        });
        tell
    }

    #[test]
    fn no_more_than_the_bound_are_in_and_a_record_that_leaves_makes_room() {
        let gate = Arc::new(Gate::new(3, u64::MAX));
        let entered = sender(&gate, 1);
        for round in 0..1000 {
            assert_eq!(entered.recv(), Ok(true));
            assert!(gate.records() <= 3, "round {round}");
            gate.leave(1);
        }
        gate.close();
        assert!(entered.iter().any(|it| !it), "the closed gate lets the waiting sender go");
    }

    #[test]
    fn bytes_are_bounded_and_a_giant_goes_alone() {
        let gate = Gate::new(100, 10);
        assert!(gate.has_room(1000), "alone");
        assert!(gate.enter(6));
        assert!(gate.has_room(4) && !gate.has_room(5));
        gate.leave(6);
        assert!(gate.has_room(5));
    }

    #[test]
    fn one_at_a_time() {
        let gate = Arc::new(Gate::new(1, 10));
        let entered = sender(&gate, 100);
        for _ in 0..100 {
            assert_eq!(entered.recv(), Ok(true));
            assert_eq!(gate.records(), 1);
            gate.leave(100);
        }
        gate.close();
    }

    #[test]
    fn closing_ends_a_sleep() {
        let gate = Arc::new(Gate::new(1, 1));
        let sleeper = Arc::clone(&gate);
        let thread = thread::spawn(move || sleeper.sleep(Duration::MAX));
        gate.close();
        thread.join().unwrap();
    }
}
