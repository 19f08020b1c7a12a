//! Which groups can be forgotten at which watermark, without looking at the others.

use std::collections::BTreeMap;

use super::arena::reserve;

/// Groups by their event time, in microseconds. The groups of one time (as those of a window are) make a ring: each
/// knows the one that came after it, and the last one the first.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    last_of: BTreeMap<i64, u32>,
    after: Vec<u32>,
}

/// A node of the tree for a time, about.
const TIME_BYTES: usize = 24;

impl Expiry {
    /// Adds a group, which must not be there.
    pub(super) fn insert(&mut self, time: i64, group: u32) {
        let at = group as usize;
        if self.after.len() <= at {
            let more = at + 1 - self.after.len();
            reserve(&mut self.after, more);
            self.after.resize(at + 1, u32::MAX);
        }
        let first = match self.last_of.insert(time, group) {
            Some(last) => self.after.get_mut(last as usize).map(|after| std::mem::replace(after, group)),
            None => None,
        };
        if let Some(after) = self.after.get_mut(at) {
            *after = first.unwrap_or(group);
        }
    }

    /// Takes out the groups of the earliest time if that is at or before `watermark`.
    pub(super) fn pop(&mut self, watermark: i64, groups: &mut Vec<u32>) -> bool {
        let Some(entry) = self.last_of.first_entry().filter(|entry| *entry.key() <= watermark) else { return false };
        let last = entry.remove();
        let mut group = last;
        while let Some(after) = self.after.get(group as usize).copied() {
            groups.push(after);
            if after == last {
                break;
            }
            group = after;
        }
        true
    }

    /// Memory in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        self.last_of.len() * TIME_BYTES + self.after.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_out_by_time_and_in_the_order_in_which_they_came() {
        let mut expiry = Expiry::default();
        for (group, time) in [(0, 20), (1, 10), (2, 20), (5, 20), (4, 10), (3, 30)] {
            expiry.insert(time, group);
        }
        let pop = |expiry: &mut Expiry, watermark| {
            let mut groups: Vec<u32> = Vec::new();
            while expiry.pop(watermark, &mut groups) {}
            groups
        };
        assert!(pop(&mut expiry, 9).is_empty());
        assert_eq!(pop(&mut expiry, 10), [1, 4]);
        expiry.insert(20, 1);
        expiry.insert(15, 4);
        assert_eq!(pop(&mut expiry, 29), [4, 0, 2, 5, 1]);
        assert_eq!(pop(&mut expiry, i64::MAX), [3]);
        assert!(pop(&mut expiry, i64::MAX).is_empty());
    }
}
