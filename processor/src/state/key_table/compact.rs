//! Giving memory back where most keys were removed.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::{KeyTable, NO_KEY, NO_RECENT, key_of, key_place};

/// Fewer unused rows are not worth the work of giving their memory back.
const FREE_MIN: usize = 4096;

impl KeyTable {
    /// Gives back the memory of keys that were removed, if it is much. If that changes the numbers of rows, returns
    /// what each is now.
    pub(in crate::state) fn compact(&mut self) -> Option<Vec<u32>> {
        if self.keys.is_mostly_released() {
            self.compact_keys();
        }
        (self.free.len() > FREE_MIN && self.free.len() > 3 * self.len()).then(|| self.compact_rows())
    }

    fn compact_keys(&mut self) {
        let stride = self.stride();
        let mut keys = self.keys.successor();
        for head in self.rows.iter_mut().step_by(stride) {
            if let Some(key) = self.keys.get(key_place(*head)).filter(|_| key_place(*head) != NO_KEY) {
                // There is room for all of them, so there is for some.
                let place = keys.put(key).unwrap_or(NO_KEY);
                *head = u64::from(place) << 32 | u64::from(*head as u32);
            }
        }
        self.keys = keys;
    }

    fn compact_rows(&mut self) -> Vec<u32> {
        let stride = self.stride();
        let mut numbers = vec![u32::MAX; self.rows.len() / stride];
        let mut rows = Vec::with_capacity(self.len() * stride);
        for (row, number) in self.rows.chunks_exact(stride).zip(&mut numbers) {
            if row.first().is_some_and(|head| key_place(*head) != NO_KEY) {
                *number = (rows.len() / stride) as u32;
                rows.extend_from_slice(row);
            }
        }
        self.rows = rows;
        self.free = Vec::new();
        self.recent.fill(NO_RECENT);
        let len = self.len();
        let Self { ids, hasher, rows, keys, .. } = self;
        *ids = HashTable::with_capacity(len);
        for id in 0..len as u32 {
            let hash = |id: &u32| hasher.hash_one(key_of(rows, keys, stride, *id));
            ids.insert_unique(hash(&id), id, hash);
        }
        numbers
    }
}
