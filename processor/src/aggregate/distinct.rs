//! The members of a COUNT(DISTINCT …) or a COLLECT_SET, each once, in the order in which they came.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A set of byte strings. The order lets a changelog be given only what is new.
#[derive(Debug, Default)]
pub(super) struct DistinctSet {
    members: Vec<u8>,
    /// Where each member ends among `members`.
    ends: Vec<usize>,
    numbers: HashTable<usize>,
}

impl DistinctSet {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a member if it is not there; returns its number.
    pub(super) fn insert(&mut self, hasher: &RandomState, member: &[u8]) -> usize {
        let Self { members, ends, numbers } = self;
        let hash = hasher.hash_one(member);
        if let Some(number) = numbers.find(hash, |number| get(members, ends, *number) == member) {
            return *number;
        }
        let number = ends.len();
        members.extend_from_slice(member);
        ends.push(members.len());
        numbers.insert_unique(hash, number, |number| hasher.hash_one(get(members, ends, *number)));
        number
    }

    pub(super) fn member(&self, number: usize) -> &[u8] {
        get(&self.members, &self.ends, number)
    }

    /// The members from number `from` on.
    pub(super) fn members(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        (from..self.len()).map(|number| self.member(number))
    }

    /// Memory in bytes, as allocated.
    pub(super) fn bytes(&self) -> usize {
        self.members.capacity() + self.ends.capacity() * size_of::<usize>() + self.numbers.allocation_size()
    }
}

fn get<'a>(members: &'a [u8], ends: &[usize], number: usize) -> &'a [u8] {
    let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    let end = ends.get(number).copied().unwrap_or(0);
    members.get(start..end).unwrap_or_default()
}
