//! The groups of a `GROUP BY` and their counts: the state of a query, and its hot path.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::short::ShortKey;

/// A group's place in its table: groups are numbered from 0 as they first appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(u32);

impl GroupId {
    /// The group's number.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The table holds as many groups, or bytes of keys, as it can number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query has more groups than its state can hold ({0})")]
pub struct TooManyGroups(usize);

/// A map from key columns (each a byte string or NULL) to a count, which remembers the groups that the micro-batch
/// under way touched, in the order in which it first touched them.
///
/// Keys are chosen by clients, so the hash is seeded at random.
#[derive(Debug)]
pub struct GroupTable {
    columns: usize,
    hasher: RandomState,
    ids: HashTable<u32>,
    groups: Vec<Group>,
    keys: Vec<u8>,
    touched: Vec<GroupId>,
    batch: u32,
    encoded: Vec<u8>,
    /// Groups of one short column that were found lately, each at its key's place.
    recent: Box<[Recent; 1 << RECENT_BITS]>,
}

const RECENT_BITS: u32 = 6;

#[derive(Clone, Copy, Debug)]
struct Recent {
    key: ShortKey,
    id: Option<GroupId>,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    /// Its encoded key's place among `keys`.
    key_start: usize,
    key_len: u32,
    /// The micro-batch that touched it last.
    batch: u32,
    count: i64,
}

/// In an encoded key: before each column, whether it is NULL, and its length unless it is the only column.
const NULL: u8 = 0;
const PRESENT: u8 = 1;

impl GroupTable {
    /// An empty table for keys of `columns` columns; none is one group for all records.
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            hasher: RandomState::default(),
            ids: HashTable::new(),
            groups: Vec::new(),
            keys: Vec::new(),
            touched: Vec::new(),
            batch: 1,
            encoded: Vec::new(),
            recent: Box::new([Recent { key: ShortKey::NULL, id: None }; 1 << RECENT_BITS]),
        }
    }

    /// The group with this key, made with count 0 if it is new, and touched by the batch under way.
    #[inline]
    pub fn touch<'k>(&mut self, key: impl IntoIterator<Item = Option<&'k [u8]>>) -> Result<GroupId, TooManyGroups> {
        self.touch_and_add(key, 0)
    }

    /// Counts one record of the group with this key.
    #[inline]
    pub fn count_one<'k>(&mut self, key: impl IntoIterator<Item = Option<&'k [u8]>>) -> Result<GroupId, TooManyGroups> {
        self.touch_and_add(key, 1)
    }

    #[inline]
    fn touch_and_add<'k>(
        &mut self,
        key: impl IntoIterator<Item = Option<&'k [u8]>>,
        records: i64,
    ) -> Result<GroupId, TooManyGroups> {
        let id = self.find_or_insert(key)?;
        if let Some(group) = self.groups.get_mut(id.index()) {
            group.count = group.count.wrapping_add(records);
            if group.batch != self.batch {
                group.batch = self.batch;
                self.touched.push(id);
            }
        }
        Ok(id)
    }

    /// Sets a group's count without touching it: what a restart reads back.
    pub fn restore<'k>(
        &mut self,
        key: impl IntoIterator<Item = Option<&'k [u8]>>,
        count: i64,
    ) -> Result<GroupId, TooManyGroups> {
        let id = self.find_or_insert(key)?;
        if let Some(group) = self.groups.get_mut(id.index()) {
            group.count = count;
        }
        Ok(id)
    }

    /// Adds to a group's count; wraps, as a BIGINT does in Spark.
    #[inline]
    pub fn add(&mut self, id: GroupId, records: i64) {
        if let Some(group) = self.groups.get_mut(id.index()) {
            group.count = group.count.wrapping_add(records);
        }
    }

    /// A group's count; 0 for an id of another table.
    pub fn count(&self, id: GroupId) -> i64 {
        self.groups.get(id.index()).map_or(0, |group| group.count)
    }

    /// A group's key columns, in order.
    pub fn key(&self, id: GroupId) -> impl Iterator<Item = Option<&[u8]>> {
        let encoded = self.groups.get(id.index()).and_then(|group| self.encoded_key(group)).unwrap_or_default();
        decode(encoded, self.columns)
    }

    /// All groups, in the order in which they first appeared.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = GroupId> + ExactSizeIterator + use<> {
        (0..self.groups.len() as u32).map(GroupId)
    }

    /// The groups that the batch under way has touched, in the order in which it first did.
    pub fn touched(&self) -> &[GroupId] {
        &self.touched
    }

    /// Begins the next micro-batch: no group is touched.
    pub fn begin_batch(&mut self) {
        self.touched.clear();
        self.batch = self.batch.wrapping_add(1);
        if self.batch == 0 {
            // After four billion batches the numbers start again; none may look like an old one.
            self.groups.iter_mut().for_each(|group| group.batch = 0);
            self.batch = 1;
        }
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Memory of the table in bytes, as allocated.
    pub fn bytes(&self) -> usize {
        self.keys.capacity()
            + self.groups.capacity() * size_of::<Group>()
            + self.ids.allocation_size()
            + self.touched.capacity() * size_of::<GroupId>()
            + self.encoded.capacity()
            + size_of_val(&*self.recent)
    }

    #[inline]
    fn find_or_insert<'k>(
        &mut self,
        key: impl IntoIterator<Item = Option<&'k [u8]>>,
    ) -> Result<GroupId, TooManyGroups> {
        if self.columns == 1 {
            return self.find_or_insert_single(key.into_iter().next().flatten());
        }
        self.find_or_insert_any(key)
    }

    #[inline]
    fn find_or_insert_single(&mut self, column: Option<&[u8]>) -> Result<GroupId, TooManyGroups> {
        let Some(key) = column.map_or(Some(ShortKey::NULL), ShortKey::of) else {
            return self.find_or_insert_any([column]);
        };
        let place = key.spread(RECENT_BITS);
        if let Some(Recent { key: found, id: Some(id) }) = self.recent.get(place)
            && *found == key
        {
            return Ok(*id);
        }
        let id = self.find_or_insert_any([column])?;
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = Recent { key, id: Some(id) };
        }
        Ok(id)
    }

    fn find_or_insert_any<'k>(
        &mut self,
        key: impl IntoIterator<Item = Option<&'k [u8]>>,
    ) -> Result<GroupId, TooManyGroups> {
        let mut encoded = std::mem::take(&mut self.encoded);
        encode(key, self.columns, &mut encoded);
        let id = self.find_or_insert_encoded(&encoded);
        self.encoded = encoded;
        id
    }

    #[inline]
    fn find_or_insert_encoded(&mut self, encoded: &[u8]) -> Result<GroupId, TooManyGroups> {
        let hash = self.hasher.hash_one(encoded);
        let found = self.ids.find(hash, |&id| {
            let group = self.groups.get(id as usize);
            group.and_then(|group| self.encoded_key(group)) == Some(encoded)
        });
        match found {
            Some(&id) => Ok(GroupId(id)),
            None => self.insert(hash, encoded),
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64, encoded: &[u8]) -> Result<GroupId, TooManyGroups> {
        let full = TooManyGroups(self.groups.len());
        let id = u32::try_from(self.groups.len()).map_err(|_| full)?;
        let key_len = u32::try_from(encoded.len()).map_err(|_| full)?;
        self.groups.push(Group { key_start: self.keys.len(), key_len, batch: 0, count: 0 });
        self.keys.extend_from_slice(encoded);
        let Self { ids, hasher, groups, keys, .. } = self;
        ids.insert_unique(hash, id, |&id| {
            let key = groups.get(id as usize).and_then(|group| key_of(group, keys));
            hasher.hash_one(key.unwrap_or_default())
        });
        Ok(GroupId(id))
    }

    #[inline]
    fn encoded_key(&self, group: &Group) -> Option<&[u8]> {
        key_of(group, &self.keys)
    }
}

#[inline]
fn key_of<'a>(group: &Group, keys: &'a [u8]) -> Option<&'a [u8]> {
    keys.get(group.key_start..group.key_start + group.key_len as usize)
}

/// Columns that are missing are NULL, and those past `columns` left out.
#[inline]
fn encode<'k>(key: impl IntoIterator<Item = Option<&'k [u8]>>, columns: usize, out: &mut Vec<u8>) {
    out.clear();
    let mut key = key.into_iter();
    for _ in 0..columns {
        match key.next().flatten() {
            None => out.push(NULL),
            Some(column) => {
                out.push(PRESENT);
                if columns > 1 {
                    out.extend_from_slice(&(column.len() as u64).to_le_bytes());
                }
                out.extend_from_slice(column);
            }
        }
    }
}

fn decode(encoded: &[u8], columns: usize) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = encoded;
    (0..columns).map(move |_| {
        let (&mark, after) = rest.split_first()?;
        rest = after;
        if mark == NULL {
            return None;
        }
        let len = if columns > 1 {
            let (len, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            usize::try_from(u64::from_le_bytes(*len)).ok()?
        } else {
            rest.len()
        };
        let (column, after) = rest.split_at_checked(len)?;
        rest = after;
        Some(column)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    type Key = Vec<Option<Vec<u8>>>;

    fn borrowed(key: &Key) -> impl Iterator<Item = Option<&[u8]>> {
        key.iter().map(Option::as_deref)
    }

    fn batches() -> impl Strategy<Value = (usize, Vec<Vec<Key>>)> {
        (0usize..4).prop_flat_map(|columns| {
            let column = prop::option::of(prop::collection::vec(0u8..3, 0..3));
            let key = prop::collection::vec(column, columns);
            (Just(columns), prop::collection::vec(prop::collection::vec(key, 0..40), 0..5))
        })
    }

    proptest! {
        #[test]
        fn it_counts_as_a_plain_map_does((columns, batches) in batches()) {
            let mut table = GroupTable::new(columns);
            let mut model: HashMap<Key, i64> = HashMap::new();
            let mut appeared: Vec<Key> = Vec::new();
            for batch in &batches {
                table.begin_batch();
                let mut touched: Vec<&Key> = Vec::new();
                for key in batch {
                    table.count_one(borrowed(key)).unwrap();
                    *model.entry(key.clone()).or_insert(0) += 1;
                    if !appeared.contains(key) {
                        appeared.push(key.clone());
                    }
                    if !touched.contains(&key) {
                        touched.push(key);
                    }
                }
                let told: Vec<Key> =
                    table.touched().iter().map(|&id| table.key(id).map(|c| c.map(<[u8]>::to_vec)).collect()).collect();
                prop_assert_eq!(told.iter().collect::<Vec<_>>(), touched);
            }
            let mut restored = GroupTable::new(columns);
            for (id, key) in table.ids().zip(&appeared) {
                prop_assert_eq!(&table.key(id).map(|c| c.map(<[u8]>::to_vec)).collect::<Key>(), key);
                prop_assert_eq!(table.count(id), model[key]);
                restored.restore(table.key(id), table.count(id)).unwrap();
                prop_assert_eq!(restored.count(id), model[key]);
            }
            prop_assert_eq!(table.len(), model.len());
            prop_assert_eq!(restored.len(), model.len());
            prop_assert!(restored.touched().is_empty());
        }
    }

    #[test]
    fn an_old_batch_number_is_not_taken_for_the_present_one() {
        let mut table = GroupTable::new(1);
        table.count_one([None]).unwrap();
        table.batch = u32::MAX;
        table.begin_batch();
        assert_eq!(table.batch, 1);
        let id = table.count_one([None]).unwrap();
        assert_eq!(table.touched(), [id]);
        assert_eq!(table.count(id), 2);
    }
}
