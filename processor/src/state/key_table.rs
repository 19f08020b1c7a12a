//! A hash table from encoded keys to rows of words: what groups and sessions have in common.

mod compact;

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::TooManyGroups;
use super::arena::{Arena, reserve};
use super::key::{KeyColumn, put_window};
use crate::short::ShortKey;
use crate::types::Value;

/// Keys are numbered from 0 as they first appear; the numbers of those that were removed are used again. A row's first
/// word is its head: the key's place among `keys` in the upper half, and in the lower half a tag of the owner's.
///
/// Keys are chosen by clients, so the hash is seeded at random.
#[derive(Debug)]
pub(super) struct KeyTable {
    columns: Box<[KeyColumn]>,
    /// The words of a new row behind its head.
    new_row: Box<[u64]>,
    rows: Vec<u64>,
    keys: Arena,
    ids: HashTable<u32>,
    hasher: RandomState,
    free: Vec<u32>,
    /// The key under construction, and how many columns it has so far.
    encoded: Vec<u8>,
    filled: usize,
    /// Keys that were found lately, each at its place. They are told by their bytes, or by the text itself where the
    /// only column is a STRING.
    recent: Box<[Recent; 1 << RECENT_BITS]>,
    is_text: bool,
}

const RECENT_BITS: u32 = 6;

#[derive(Clone, Copy, Debug)]
struct Recent {
    key: ShortKey,
    id: Option<u32>,
}

const NO_RECENT: Recent = Recent { key: ShortKey::NULL, id: None };
/// The upper half of the head of a row that is not used.
const NO_KEY: u32 = u32::MAX;

impl KeyTable {
    /// `new_row`: the words of a new row behind its head.
    pub(super) fn new(columns: impl Into<Box<[KeyColumn]>>, new_row: impl Into<Box<[u64]>>) -> Self {
        let columns = columns.into();
        let is_text = columns.iter().all(KeyColumn::is_string) && columns.len() == 1;
        Self {
            columns,
            new_row: new_row.into(),
            rows: Vec::new(),
            keys: Arena::default(),
            ids: HashTable::new(),
            hasher: RandomState::default(),
            free: Vec::new(),
            encoded: Vec::new(),
            filled: 0,
            recent: Box::new([NO_RECENT; 1 << RECENT_BITS]),
            is_text,
        }
    }

    pub(super) fn columns(&self) -> &[KeyColumn] {
        &self.columns
    }

    /// Whether the key is one STRING, so that it can be [found by text](Self::find_or_insert_text).
    #[inline]
    pub(super) fn is_text(&self) -> bool {
        self.is_text
    }

    /// Begins a key, whose columns must be pushed in order.
    #[inline]
    pub(super) fn begin_key(&mut self) {
        self.encoded.clear();
        self.filled = 0;
    }

    #[inline]
    pub(super) fn push(&mut self, value: &Value<'_>) {
        if let Some(column) = self.columns.get(self.filled) {
            column.encode(value, &mut self.encoded);
            self.filled += 1;
        }
    }

    /// Pushes the window that begins at `start`.
    #[inline]
    pub(super) fn push_window(&mut self, start: i64) {
        put_window(&mut self.encoded, start);
        self.filled += 1;
    }

    /// The row of the key that was pushed (columns that are missing are NULL), made if it is new.
    #[inline]
    pub(super) fn find_or_insert(&mut self) -> Result<u32, TooManyGroups> {
        while self.filled < self.columns.len() {
            self.push(&Value::Null);
        }
        let encoded = std::mem::take(&mut self.encoded);
        let id = self.find_or_insert_recent(&encoded);
        self.encoded = encoded;
        id
    }

    /// The row of the key that was pushed (columns that are missing are NULL); `None` if there is none.
    pub(super) fn find(&mut self) -> Option<u32> {
        while self.filled < self.columns.len() {
            self.push(&Value::Null);
        }
        self.find_encoded(&self.encoded)
    }

    #[inline]
    fn find_or_insert_recent(&mut self, encoded: &[u8]) -> Result<u32, TooManyGroups> {
        match ShortKey::of(encoded) {
            Some(key) if !self.is_text => self.find_or_insert_short(key, |table| table.find_or_insert_encoded(encoded)),
            _ => self.find_or_insert_encoded(encoded),
        }
    }

    /// The row of a key that is one STRING.
    #[inline]
    pub(super) fn find_or_insert_text(&mut self, text: Option<&[u8]>) -> Result<u32, TooManyGroups> {
        match text.map_or(Some(ShortKey::NULL), ShortKey::of) {
            Some(key) => self.find_or_insert_short(key, |table| table.find_or_insert_long_text(text)),
            None => self.find_or_insert_long_text(text),
        }
    }

    #[inline(never)]
    fn find_or_insert_long_text(&mut self, text: Option<&[u8]>) -> Result<u32, TooManyGroups> {
        self.begin_key();
        self.push(&text.map_or(Value::Null, |text| Value::String(text.into())));
        let encoded = std::mem::take(&mut self.encoded);
        let id = self.find_or_insert_encoded(&encoded);
        self.encoded = encoded;
        id
    }

    #[inline]
    fn find_or_insert_short(
        &mut self,
        key: ShortKey,
        find_or_insert: impl FnOnce(&mut Self) -> Result<u32, TooManyGroups>,
    ) -> Result<u32, TooManyGroups> {
        let place = key.spread(RECENT_BITS);
        if let Some(Recent { key: found, id: Some(id) }) = self.recent.get(place)
            && *found == key
        {
            return Ok(*id);
        }
        let id = find_or_insert(self)?;
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = Recent { key, id: Some(id) };
        }
        Ok(id)
    }

    /// The row of a key that has its bytes, made if it is new.
    #[inline]
    pub(super) fn find_or_insert_encoded(&mut self, encoded: &[u8]) -> Result<u32, TooManyGroups> {
        let hash = self.hasher.hash_one(encoded);
        match self.find_hashed(hash, encoded) {
            Some(id) => Ok(id),
            None => self.insert(hash, encoded),
        }
    }

    pub(super) fn find_encoded(&self, encoded: &[u8]) -> Option<u32> {
        self.find_hashed(self.hasher.hash_one(encoded), encoded)
    }

    #[inline]
    fn find_hashed(&self, hash: u64, encoded: &[u8]) -> Option<u32> {
        self.ids.find(hash, |id| self.key(*id) == encoded).copied()
    }

    #[cold]
    fn insert(&mut self, hash: u64, encoded: &[u8]) -> Result<u32, TooManyGroups> {
        let stride = self.stride();
        let full = TooManyGroups(self.len());
        let key = self.keys.put(encoded).ok_or(full)?;
        let id = match self.free.pop() {
            Some(id) => id,
            None => {
                let id = u32::try_from(self.rows.len() / stride).ok().filter(|id| *id < u32::MAX).ok_or(full)?;
                reserve(&mut self.rows, stride);
                self.rows.resize(self.rows.len() + stride, 0);
                id
            }
        };
        let at = id as usize * stride;
        if let Some((head, words)) = self.rows.get_mut(at..at + stride).and_then(<[u64]>::split_first_mut) {
            *head = u64::from(key) << 32;
            words.copy_from_slice(&self.new_row);
        }
        let Self { ids, hasher, rows, keys, .. } = self;
        ids.insert_unique(hash, id, |id| hasher.hash_one(key_of(rows, keys, stride, *id)));
        Ok(id)
    }

    /// A key's bytes.
    #[inline]
    pub(super) fn key(&self, id: u32) -> &[u8] {
        key_of(&self.rows, &self.keys, self.stride(), id)
    }

    /// The owner's half of the row's head; 0 in a new row.
    #[inline]
    pub(super) fn tag(&self, id: u32) -> u32 {
        self.rows.get(id as usize * self.stride()).map_or(0, |head| *head as u32)
    }

    #[inline]
    pub(super) fn set_tag(&mut self, id: u32, tag: u32) {
        let at = id as usize * self.stride();
        if let Some(head) = self.rows.get_mut(at) {
            *head = *head & !u64::from(u32::MAX) | u64::from(tag);
        }
    }

    /// The row's words behind its head.
    #[inline]
    pub(super) fn row(&self, id: u32) -> &[u64] {
        let at = id as usize * self.stride();
        self.rows.get(at + 1..at + self.stride()).unwrap_or_default()
    }

    #[inline]
    pub(super) fn row_mut(&mut self, id: u32) -> &mut [u64] {
        let (at, stride) = (id as usize * self.stride(), self.stride());
        self.rows.get_mut(at + 1..at + stride).unwrap_or_default()
    }

    /// The row with its head.
    #[inline]
    pub(super) fn head_and_row_mut(&mut self, id: u32) -> Option<&mut [u64]> {
        let (at, stride) = (id as usize * self.stride(), self.stride());
        self.rows.get_mut(at..at + stride)
    }

    /// The head and the only other word of a row, where rows have no more: without a multiplication.
    #[inline]
    pub(super) fn pair_mut(&mut self, id: u32) -> Option<&mut [u64; 2]> {
        if self.stride() != 2 {
            return None;
        }
        self.rows.as_chunks_mut().0.get_mut(id as usize)
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len() / self.stride() - self.free.len()
    }

    /// The rows that are used, by their numbers.
    pub(super) fn ids(&self) -> impl DoubleEndedIterator<Item = u32> {
        let rows = (self.rows.len() / self.stride()) as u32;
        (0..rows).filter(|id| self.is_used(*id))
    }

    fn is_used(&self, id: u32) -> bool {
        self.rows.get(id as usize * self.stride()).is_some_and(|head| key_place(*head) != NO_KEY)
    }

    /// Removes a key, whose row holds nothing any more.
    pub(super) fn remove(&mut self, id: u32) {
        let Some(head) = self.rows.get(id as usize * self.stride()).copied() else { return };
        let hash = self.hasher.hash_one(self.key(id));
        let Ok(entry) = self.ids.find_entry(hash, |known| *known == id) else { return };
        entry.remove();
        self.keys.release(key_place(head));
        if let Some(row) = self.head_and_row_mut(id)
            && let Some(head) = row.first_mut()
        {
            *head = u64::from(NO_KEY) << 32;
        }
        reserve(&mut self.free, 1);
        self.free.push(id);
    }

    /// To be called when keys were removed, before others are looked for.
    pub(super) fn forget_recent(&mut self) {
        self.recent.fill(NO_RECENT);
    }

    /// Memory in bytes, as allocated.
    pub(super) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<u64>()
            + self.keys.bytes()
            + self.ids.allocation_size()
            + self.free.capacity() * size_of::<u32>()
            + self.encoded.capacity()
            + size_of_val(&*self.recent)
    }

    /// Words of a row with its head.
    #[inline]
    fn stride(&self) -> usize {
        self.new_row.len() + 1
    }
}

#[inline]
fn key_place(head: u64) -> u32 {
    (head >> 32) as u32
}

#[inline]
fn key_of<'a>(rows: &[u64], keys: &'a Arena, stride: usize, id: u32) -> &'a [u8] {
    rows.get(id as usize * stride).and_then(|head| keys.get(key_place(*head))).unwrap_or_default()
}
