//! Updates of open transactions: they count once the transaction is committed.

use std::collections::BTreeMap;

use brooklet_model::ProducerId;

use super::{EachPending, Update};

#[derive(Debug)]
struct PendingUpdate {
    offset: i64,
    value: Option<Vec<u8>>,
    /// A later update of the key counts already.
    superseded: bool,
}

#[derive(Debug)]
struct Transaction {
    first_offset: i64,
    /// The last of each key.
    updates: BTreeMap<Vec<u8>, PendingUpdate>,
}

/// By producer.
#[derive(Debug, Default)]
pub(super) struct Pending {
    of: BTreeMap<ProducerId, Transaction>,
}

impl Pending {
    pub(super) fn push(&mut self, producer_id: ProducerId, offset: i64, (key, value): Update) {
        let new = || Transaction { first_offset: offset, updates: BTreeMap::new() };
        let transaction = self.of.entry(producer_id).or_insert_with(new);
        transaction.updates.insert(key, PendingUpdate { offset, value, superseded: false });
    }

    /// Notes that the update of `key` at `offset` counts: those before it never will. One that removes the key removes
    /// them too.
    pub(super) fn supersede(&mut self, offset: i64, key: &[u8], removes: bool) {
        for transaction in self.of.values_mut() {
            let Some(pending) = transaction.updates.get_mut(key).filter(|pending| pending.offset < offset) else {
                continue;
            };
            pending.superseded = true;
            if removes {
                transaction.updates.remove(key);
            }
        }
    }

    /// Takes the producer's updates out; those that are to be applied, with their offsets, if it committed.
    pub(super) fn take(&mut self, producer_id: ProducerId, commit: bool) -> Vec<(i64, Update)> {
        let updates = self.of.remove(&producer_id).map(|transaction| transaction.updates).unwrap_or_default();
        let applied = updates.into_iter().filter(|(_, pending)| commit && !pending.superseded);
        applied.map(|(key, pending)| (pending.offset, (key, pending.value))).collect()
    }

    pub(super) fn first_offset(&self) -> Option<i64> {
        self.of.values().map(|transaction| transaction.first_offset).min()
    }

    pub(super) fn for_each(&self, f: &mut EachPending<'_>) {
        let all = self.of.iter().flat_map(|(producer_id, transaction)| {
            transaction.updates.iter().map(move |(key, pending)| (pending.offset, *producer_id, key, pending))
        });
        let mut all: Vec<_> = all.collect();
        all.sort_unstable_by_key(|(offset, ..)| *offset);
        for (_, producer_id, key, PendingUpdate { value, superseded, .. }) in all {
            f(producer_id, key, value.as_deref(), *superseded);
        }
    }
}
