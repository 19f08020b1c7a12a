//! Deadlines by key, with the next one at hand: one sleep serves them all.

use std::collections::{BTreeMap, BTreeSet};

/// A table of deadlines in milliseconds of whatever monotonic clock its owner uses.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    deadlines: BTreeMap<K, u64>,
    order: BTreeSet<(u64, K)>,
}

/// A timer to set or to stop. Setting one replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerChange<K> {
    /// To fire once, that many milliseconds from now.
    Arm {
        /// Which.
        key: K,
        /// When.
        after_ms: u64,
    },
    /// Not to fire.
    Cancel(K),
}

impl<K: Ord + Clone> Default for Timers<K> {
    fn default() -> Self {
        Self { deadlines: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets the deadline of `key`, replacing an earlier one.
    pub fn arm(&mut self, key: K, at_ms: u64) {
        if let Some(old) = self.deadlines.insert(key.clone(), at_ms) {
            self.order.remove(&(old, key.clone()));
        }
        self.order.insert((at_ms, key));
    }

    /// Forgets the deadline of `key`, if it has one.
    pub fn cancel(&mut self, key: &K) {
        if let Some(at_ms) = self.deadlines.remove(key) {
            self.order.remove(&(at_ms, key.clone()));
        }
    }

    /// Does what a coordinator asks for at `now_ms`.
    pub fn apply(&mut self, change: TimerChange<K>, now_ms: u64) {
        match change {
            TimerChange::Arm { key, after_ms } => self.arm(key, now_ms.saturating_add(after_ms)),
            TimerChange::Cancel(key) => self.cancel(&key),
        }
    }

    /// The earliest deadline.
    pub fn next_deadline(&self) -> Option<u64> {
        self.order.first().map(|(at_ms, _)| *at_ms)
    }

    /// Takes out the earliest key whose deadline is not after `now_ms`.
    pub fn pop_due(&mut self, now_ms: u64) -> Option<K> {
        if self.next_deadline()? > now_ms {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.deadlines.remove(&key);
        Some(key)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.deadlines.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_goes_first_and_a_new_deadline_replaces_the_old() {
        let mut timers = Timers::default();
        timers.arm("a", 10);
        timers.arm("b", 20);
        timers.arm("c", 15);
        timers.arm("a", 30);
        timers.cancel(&"c");
        assert_eq!(timers.next_deadline(), Some(20));
        assert_eq!(timers.pop_due(19), None);
        assert_eq!(timers.pop_due(40), Some("b"));
        assert_eq!(timers.pop_due(40), Some("a"));
        assert_eq!(timers.pop_due(40), None);
        assert_eq!(timers.next_deadline(), None);
    }
}
