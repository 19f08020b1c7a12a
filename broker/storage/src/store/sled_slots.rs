//! Where the sled engine keeps compacted segments, so that one takes the place of others in a single write.
//!
//! A segment's records stand under its base. A compacted one stands under a slot, a negative number, and the tree
//! `slots` says which:
//!
//! ```text
//! log u32, base i64 → slot i64              the segment stands in the slot
//! log u32, base i64 → slot i64, end i64     as well, and what is left of the segments before `end` goes
//! log u32, -1       → generation i64, compacted up to i64      both change with each swap
//! ```
//! A slot that no segment stands in is of a compaction that did not come to its end; a start removes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::{Mutex, RwLock};

use super::SledRecords;
use super::sled::remove_prefix;
use crate::keys;

/// Where the generation stands among the bases.
const GENERATION: i64 = -1;

pub(super) struct Slots {
    tree: sled::Tree,
    number: u32,
    /// Slots by base.
    used: RwLock<BTreeMap<i64, i64>>,
    /// Slots being written, by base.
    begun: Mutex<HashMap<i64, i64>>,
    /// The slot that was given out last.
    last: AtomicI64,
    generation: AtomicI64,
    compacted_to: AtomicI64,
}

impl Slots {
    /// Finishes the swaps that a crash interrupted, and removes what was not decided.
    pub(super) fn open(trees: &SledRecords, number: u32) -> io::Result<Self> {
        let slots = Self {
            tree: trees.slots.clone(),
            number,
            used: RwLock::default(),
            begun: Mutex::default(),
            last: AtomicI64::new(0),
            generation: AtomicI64::new(0),
            compacted_to: AtomicI64::new(0),
        };
        let mut unfinished = Vec::new();
        for item in slots.tree.scan_prefix(keys::log(number)) {
            let (key, value) = item?;
            match (keys::last_number(&key), keys::parse_numbers(&value), keys::parse_numbers(&value)) {
                (Some(GENERATION), _, Some([generation, compacted_to])) => {
                    slots.generation.store(generation, Ordering::Release);
                    slots.compacted_to.store(compacted_to, Ordering::Release);
                }
                (Some(base), Some([slot]), _) => drop(slots.used.write().insert(base, slot)),
                (Some(base), _, Some([slot, end])) => {
                    slots.used.write().insert(base, slot);
                    unfinished.push((base, end));
                }
                _ => return Err(io::Error::other("the place of a compacted segment is damaged")),
            }
        }
        for (base, end) in unfinished {
            slots.finish(&trees.records, base, end)?;
        }
        slots.remove_unused(&trees.records)?;
        Ok(slots)
    }

    /// Removes the slots that no segment stands in.
    fn remove_unused(&self, records: &sled::Tree) -> io::Result<()> {
        let used: BTreeSet<i64> = self.used.read().values().copied().collect();
        self.last.store(used.first().copied().unwrap_or(0), Ordering::Release);
        // As bytes, negative numbers stand after all others.
        let mut from = i64::MIN;
        let end = keys::log_and_two(self.number, -1, u64::MAX);
        while let Some((key, _)) = records.range(keys::log_and_two(self.number, from, 0)..=end).next().transpose()? {
            let slot = key.get(4..12).and_then(keys::last_number).unwrap_or_default();
            if !used.contains(&slot) {
                remove_prefix(records, &keys::log_and(self.number, slot))?;
            }
            if slot == -1 {
                break;
            }
            from = slot + 1;
        }
        Ok(())
    }

    pub(super) fn slot_of(&self, base: i64) -> Option<i64> {
        self.used.read().get(&base).copied()
    }

    /// Base and slot of each compacted segment.
    pub(super) fn all(&self) -> Vec<(i64, i64)> {
        self.used.read().iter().map(|(base, slot)| (*base, *slot)).collect()
    }

    /// A new slot, for what is to take the place of the segment `base`.
    pub(super) fn begin(&self, base: i64) -> io::Result<i64> {
        let slot = self.last.fetch_sub(1, Ordering::AcqRel) - 1;
        self.begun.lock().insert(base, slot);
        Ok(slot)
    }

    /// The slot that was begun for `base`.
    pub(super) fn begun(&self, base: i64) -> Option<i64> {
        self.begun.lock().get(&base).copied()
    }

    /// Takes back what was begun.
    pub(super) fn end(&self, base: i64) -> Option<i64> {
        self.begun.lock().remove(&base)
    }

    pub(super) fn decide(&self, base: i64, end: i64) -> io::Result<()> {
        let slot = self.begun(base).ok_or(io::ErrorKind::NotFound)?;
        let generation = self.generation.load(Ordering::Acquire) + 1;
        let mut batch = sled::Batch::default();
        batch.insert(&keys::log_and(self.number, base), keys::numbers([slot, end]));
        let compacted_to = self.compacted_to().max(end);
        batch.insert(&keys::log_and(self.number, GENERATION), keys::numbers([generation, compacted_to]));
        for (replaced, _) in self.used.read().range(base + 1..end) {
            batch.remove(&keys::log_and(self.number, *replaced));
        }
        self.tree.apply_batch(batch)?;
        self.generation.store(generation, Ordering::Release);
        self.compacted_to.store(compacted_to, Ordering::Release);
        Ok(())
    }

    /// Makes the slot the segment's, and removes what stood in its place.
    pub(super) fn finish(&self, records: &sled::Tree, base: i64, end: i64) -> io::Result<()> {
        let begun = self.begun.lock().remove(&base);
        let slot = begun.or_else(|| self.slot_of(base)).ok_or(io::ErrorKind::NotFound)?;
        let mut old: Vec<i64> = Vec::new();
        {
            let mut used = self.used.write();
            let replaced: Vec<i64> = used.range(base..end).map(|(base, _)| *base).collect();
            old.extend(replaced.iter().filter_map(|base| used.remove(base)).filter(|replaced| *replaced != slot));
            used.insert(base, slot);
        }
        let range = keys::log_and_two(self.number, base, 0)..keys::log_and_two(self.number, end, 0);
        for key in records.range(range).keys() {
            records.remove(key?)?;
        }
        for slot in old {
            remove_prefix(records, &keys::log_and(self.number, slot))?;
        }
        self.tree.insert(keys::log_and(self.number, base), keys::numbers([slot]))?;
        Ok(())
    }

    /// The segment `base` is about to be removed.
    pub(super) fn forget(&self, base: i64) -> io::Result<()> {
        if self.used.write().remove(&base).is_some() {
            self.tree.remove(keys::log_and(self.number, base))?;
        }
        Ok(())
    }

    pub(super) fn destroy(&self) -> io::Result<()> {
        self.used.write().clear();
        remove_prefix(&self.tree, &keys::log(self.number))
    }

    pub(super) fn compacted_to(&self) -> i64 {
        self.compacted_to.load(Ordering::Acquire)
    }

    pub(super) fn generation(&self) -> i64 {
        self.generation.load(Ordering::Acquire)
    }
}
