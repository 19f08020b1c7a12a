//! What accumulators hold beside the words of their rows.

use foldhash::fast::RandomState;

use super::bag::Bag;
use super::distinct::DistinctSet;
use super::list::List;

/// Bytes of texts, sets, lists and bags, each told by a word: its place plus one, or 0 where there is none.
#[derive(Debug, Default)]
pub(super) struct Heap {
    bytes: Slab<Box<[u8]>>,
    sets: Slab<DistinctSet>,
    lists: Slab<List>,
    bags: Slab<Bag>,
    hasher: RandomState,
    /// Memory of what stands in the slabs.
    held: usize,
    /// A member of a set, a list or a bag on its way there.
    pub(super) scratch: Vec<u8>,
}

/// What an allocation costs beside what was asked for, about.
const ALLOCATION_BYTES: usize = 8;

impl Heap {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.entries.is_empty() && !self.has_marks()
    }

    /// Whether there is anything of which the changelog may have a part.
    pub(super) fn has_marks(&self) -> bool {
        !(self.sets.entries.is_empty() && self.lists.entries.is_empty() && self.bags.entries.is_empty())
    }

    /// Memory in bytes, as allocated.
    pub(super) fn bytes(&self) -> usize {
        self.held + self.bytes.bytes() + self.sets.bytes() + self.lists.bytes() + self.bags.bytes()
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

    /// The bytes that `word` tells of, so many zeros if there are none, and the word that tells of them.
    pub(super) fn bytes_mut(&mut self, word: u64, len: usize) -> (u64, &mut [u8]) {
        let word = if self.get_bytes(word).len() == len { word } else { self.put_bytes(word, &vec![0; len]) };
        (word, self.bytes.get_mut(word).map_or(&mut [], |bytes| bytes))
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
        let Self { sets, held, hasher, .. } = self;
        change(sets, held, word, DistinctSet::bytes, |set| {
            set.insert(hasher, member);
        })
    }

    pub(super) fn get_list(&self, word: u64) -> Option<&List> {
        self.lists.get(word)
    }

    /// Adds encoded values to the list of `word`, which is made if there is none; returns the list's word.
    pub(super) fn add_to_list(&mut self, word: u64, encoded: &[u8]) -> u64 {
        change(&mut self.lists, &mut self.held, word, List::bytes, |list| list.push(encoded))
    }

    pub(super) fn take_list(&mut self, word: u64) -> Option<List> {
        let list = self.lists.remove(word)?;
        self.held -= list.bytes();
        Some(list)
    }

    pub(super) fn release_list(&mut self, word: u64) {
        self.take_list(word);
    }

    pub(super) fn get_bag(&self, word: u64) -> Option<&Bag> {
        self.bags.get(word)
    }

    /// Does something to the bag of `word`, which is made if there is none; returns the bag's word.
    pub(super) fn change_bag(&mut self, word: u64, each: impl FnOnce(&mut Bag, &RandomState)) -> u64 {
        let Self { bags, held, hasher, .. } = self;
        change(bags, held, word, Bag::bytes, |bag| each(bag, hasher))
    }

    pub(super) fn take_bag(&mut self, word: u64) -> Option<Bag> {
        let bag = self.bags.remove(word)?;
        self.held -= bag.bytes();
        Some(bag)
    }

    pub(super) fn release_bag(&mut self, word: u64) {
        self.take_bag(word);
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

/// Changes what `word` tells of, which is made if there is none, and keeps account of its memory; returns its word.
fn change<T: Default>(
    slab: &mut Slab<T>,
    held: &mut usize,
    word: u64,
    bytes: impl Fn(&T) -> usize,
    change: impl FnOnce(&mut T),
) -> u64 {
    let word = if slab.get(word).is_some() {
        word
    } else {
        let new = T::default();
        *held += bytes(&new);
        slab.insert(new)
    };
    if let Some(known) = slab.get_mut(word) {
        *held -= bytes(known);
        change(known);
        *held += bytes(known);
    }
    word
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
