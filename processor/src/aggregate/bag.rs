//! Values with their numbers, for what needs all of them: `mode` and the percentiles.

use foldhash::fast::RandomState;

use super::distinct::DistinctSet;

/// Byte strings, each once, with how often it came, in the order in which they came first.
#[derive(Debug, Default)]
pub(super) struct Bag {
    members: DistinctSet,
    counts: Vec<Count>,
    /// The members whose counts have changed since the bag was marked.
    changed: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    count: u64,
    changed: bool,
}

impl Bag {
    /// Adds a member so many times more.
    pub(super) fn add(&mut self, hasher: &RandomState, member: &[u8], more: u64) {
        let count = self.entry(hasher, member);
        count.count = count.count.saturating_add(more);
    }

    /// Takes a member for one that came so many times in all.
    pub(super) fn put(&mut self, hasher: &RandomState, member: &[u8], all: u64) {
        self.entry(hasher, member).count = all;
    }

    fn entry(&mut self, hasher: &RandomState, member: &[u8]) -> &mut Count {
        let number = self.members.insert(hasher, member);
        if number >= self.counts.len() {
            self.counts.resize(number + 1, Count::default());
        }
        // There is one: it was made if it was not there.
        let count = &mut self.counts[number];
        if !count.changed {
            count.changed = true;
            self.changed.push(number);
        }
        count
    }

    /// Members with their counts.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.members.members(0).zip(&self.counts).map(|(member, count)| (member, count.count))
    }

    /// Those that have changed since the bag was marked.
    pub(super) fn changes(&self) -> impl ExactSizeIterator<Item = (&[u8], u64)> {
        self.changed
            .iter()
            .map(|number| (self.members.member(*number), self.counts.get(*number).map_or(0, |c| c.count)))
    }

    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// From here on changes count anew.
    pub(super) fn mark(&mut self) {
        for number in self.changed.drain(..) {
            if let Some(count) = self.counts.get_mut(number) {
                count.changed = false;
            }
        }
    }

    /// All counts as changes.
    pub(super) fn unmark(&mut self) {
        self.changed = (0..self.counts.len()).collect();
        self.counts.iter_mut().for_each(|count| count.changed = true);
    }

    /// Memory in bytes, as allocated.
    pub(super) fn bytes(&self) -> usize {
        self.members.bytes()
            + self.counts.capacity() * size_of::<Count>()
            + self.changed.capacity() * size_of::<usize>()
    }
}
