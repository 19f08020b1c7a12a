//! What accumulators hold beside the words of their rows.

use foldhash::fast::RandomState;

use super::distinct::DistinctSet;

/// Bytes of texts and sets, each told by a word: its place plus one, or 0 where there is none.
#[derive(Debug, Default)]
pub(super) struct Heap {
    bytes: Slab<Box<[u8]>>,
    sets: Slab<DistinctSet>,
    hasher: RandomState,
    /// Memory of what stands in the slabs.
    held: usize,
    /// A member of a set on its way there.
    pub(super) scratch: Vec<u8>,
}

/// What an allocation costs beside what was asked for, about.
const ALLOCATION_BYTES: usize = 8;

impl Heap {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.entries.is_empty() && self.sets.entries.is_empty()
    }

    pub(super) fn has_sets(&self) -> bool {
        !self.sets.entries.is_empty()
    }

    /// Memory in bytes, as allocated.
    pub(super) fn bytes(&self) -> usize {
        self.held + self.bytes.bytes() + self.sets.bytes()
    }

    pub(super) fn get_bytes(&self, word: u64) -> &[u8] {
        self.bytes.get(word).map_or(&[], |bytes| bytes)
    }

    /// Keeps `value` instead of what `word` tells of, and returns the word that tells of it.
    pub(super) fn put_bytes(&mut self, word: u64, value: &[u8]) -> u64 {
        match self.bytes.get_mut(word) {
            Some(known) if known.len() == value.len() => {
                known.copy_from_slice(value);
                word
            }
            Some(known) => {
                self.held = self.held + value.len() - known.len();
                *known = value.into();
                word
            }
            None => {
                self.held += value.len() + ALLOCATION_BYTES;
                self.bytes.insert(value.into())
            }
        }
    }

    pub(super) fn release_bytes(&mut self, word: u64) {
        if let Some(bytes) = self.bytes.remove(word) {
            self.held -= bytes.len() + ALLOCATION_BYTES;
        }
    }

    pub(super) fn get_set(&self, word: u64) -> Option<&DistinctSet> {
        self.sets.get(word)
    }

    /// Adds a member to the set of `word`, which is made if there is none; returns the set's word.
    pub(super) fn add_to_set(&mut self, word: u64, member: &[u8]) -> u64 {
        let word = if self.sets.get(word).is_some() {
            word
        } else {
            let set = DistinctSet::default();
            self.held += set.bytes();
            self.sets.insert(set)
        };
        if let Some(set) = self.sets.get_mut(word) {
            self.held -= set.bytes();
            set.insert(&self.hasher, member);
            self.held += set.bytes();
        }
        word
    }

    /// Takes the set out.
    pub(super) fn take_set(&mut self, word: u64) -> Option<DistinctSet> {
        let set = self.sets.remove(word)?;
        self.held -= set.bytes();
        Some(set)
    }

    pub(super) fn release_set(&mut self, word: u64) {
        self.take_set(word);
    }
}

/// Values at places that are used again.
#[derive(Debug)]
struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    fn get(&self, word: u64) -> Option<&T> {
        self.entries.get((word as usize).wrapping_sub(1))?.as_ref()
    }

    fn get_mut(&mut self, word: u64) -> Option<&mut T> {
        self.entries.get_mut((word as usize).wrapping_sub(1))?.as_mut()
    }

    fn insert(&mut self, value: T) -> u64 {
        if let Some(place) = self.free.pop()
            && let Some(entry) = self.entries.get_mut(place as usize)
        {
            *entry = Some(value);
            return u64::from(place) + 1;
        }
        self.entries.push(Some(value));
        self.entries.len() as u64
    }

    fn remove(&mut self, word: u64) -> Option<T> {
        let place = (word as usize).wrapping_sub(1);
        let value = self.entries.get_mut(place)?.take()?;
        // Rows are numbered in 32 bits, and each has few aggregates: a place past that is not used again.
        self.free.extend(u32::try_from(place));
        if self.free.len() == self.entries.len() {
            *self = Self::default();
        }
        Some(value)
    }

    fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Option<T>>() + self.free.capacity() * size_of::<u32>()
    }
}
