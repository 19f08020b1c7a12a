//! The latest offset of each key of the dirty part of a log, in bounded memory: a table of key hashes with open
//! addressing, as `org.apache.kafka.storage.internals.log.SkimpyOffsetMap`.
//!
//! Keys themselves are not kept. A hash has 128 bits and is keyed anew for each table, so that nobody can choose keys
//! that collide.

use std::hash::{BuildHasher, RandomState};

/// Bytes an entry takes.
pub(crate) const ENTRY_BYTES: usize = size_of::<Entry>();
/// Tables are no smaller than this, or a log whose batches have more keys would never be cleaned.
const ENTRIES_MIN: usize = 1024;

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: [u64; 2],
    /// Of the latest record; -1 while the entry is free.
    offset: i64,
}

const FREE: Entry = Entry { hash: [0; 2], offset: -1 };

#[derive(Debug)]
pub(crate) struct OffsetMap {
    entries: Vec<Entry>,
    used: usize,
    used_max: usize,
    hashers: [RandomState; 2],
    latest: i64,
}

impl OffsetMap {
    /// A table for `records` records, or for fewer where that takes more than `bytes_max` bytes.
    pub(crate) fn new(records: u64, bytes_max: usize) -> Self {
        let wanted = usize::try_from(records).unwrap_or(usize::MAX).saturating_mul(10) / 9 + 1;
        let len = wanted.min(bytes_max / ENTRY_BYTES).max(ENTRIES_MIN);
        Self {
            entries: vec![FREE; len],
            used: 0,
            // As `log.cleaner.io.buffer.load.factor` is by default: a fuller table has long chains.
            used_max: len - len.div_ceil(10),
            hashers: [RandomState::new(), RandomState::new()],
            latest: -1,
        }
    }

    /// Notes that `offset` is the latest of `key`; false, and nothing is noted, when the table is full.
    pub(crate) fn put(&mut self, key: &[u8], offset: i64) -> bool {
        let hash = self.hash(key);
        let at = self.find(hash);
        let Some(entry) = self.entries.get_mut(at) else { return false };
        if entry.offset < 0 {
            if self.used == self.used_max {
                return false;
            }
            self.used += 1;
        }
        *entry = Entry { hash, offset };
        self.latest = self.latest.max(offset);
        true
    }

    /// The latest offset noted for `key`; -1 if there is none.
    pub(crate) fn get(&self, key: &[u8]) -> i64 {
        self.entries.get(self.find(self.hash(key))).map_or(-1, |entry| entry.offset)
    }

    /// Everything up to and including this offset is in the table.
    pub(crate) fn latest(&self) -> i64 {
        self.latest
    }

    /// Notes that records up to `offset` were looked at, whether they have keys or not.
    pub(crate) fn advance(&mut self, offset: i64) {
        self.latest = self.latest.max(offset);
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(key))
    }

    /// Where the entry of that hash is, or the free one that it would take: one entry at least is always free.
    fn find(&self, hash: [u64; 2]) -> usize {
        let len = self.entries.len();
        // The high half of the product spreads the hash over any length without a division.
        let mut at = ((u128::from(hash[0]) * len as u128) >> 64) as usize;
        while self.entries.get(at).is_some_and(|entry| entry.offset >= 0 && entry.hash != hash) {
            at = if at + 1 == len { 0 } else { at + 1 };
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_answers_as_a_map_until_it_is_full(keys in proptest::collection::vec(0u16..2000, 1..3000)) {
            let mut map = OffsetMap::new(1, 0);
            let mut model = HashMap::new();
            for (offset, key) in (0..).zip(&keys) {
                let fits = model.contains_key(key) || model.len() < ENTRIES_MIN - ENTRIES_MIN.div_ceil(10);
                prop_assert_eq!(map.put(&key.to_be_bytes(), offset), fits);
                if !fits {
                    break;
                }
                model.insert(*key, offset);
                prop_assert_eq!(map.latest(), offset);
            }
            for key in 0..2000u16 {
                prop_assert_eq!(map.get(&key.to_be_bytes()), model.get(&key).copied().unwrap_or(-1));
            }
        }
    }

    #[test]
    fn it_takes_no_more_memory_than_it_may_and_needs() {
        assert!(OffsetMap::new(u64::MAX, 1 << 20).entries.capacity() * ENTRY_BYTES <= 1 << 20);
        assert!(OffsetMap::new(9000, usize::MAX).entries.capacity() <= 10_001);
        assert_eq!(ENTRY_BYTES, 24);
    }

    #[test]
    fn one_of_each_record_fits() {
        let mut map = OffsetMap::new(50_000, usize::MAX);
        assert!((0..50_000i64).all(|offset| map.put(&offset.to_be_bytes(), offset)));
    }
}
