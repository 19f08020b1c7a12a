//! The rows of sessions, each in the list of its key.

use crate::aggregate::Aggregates;
use crate::state::arena::reserve;

/// Rows are numbered from 0, and used again. The sessions of a key are a list from the latest to the earliest: a
/// record mostly belongs to the latest. A row is start, end, `key · next`, `generation · batch`, accumulators.
#[derive(Debug)]
pub(super) struct Store {
    rows: Vec<u64>,
    stride: usize,
    free: Vec<u32>,
}

/// Words before the accumulators.
const HEAD: usize = 4;
const START: usize = 0;
const END: usize = 1;
/// The key's number in the upper half, and in the lower one more than the number of the next row in its list.
const KEY_NEXT: usize = 2;
/// How often the row was used in the upper half, and in the lower the batch that changed it last.
const GENERATION_BATCH: usize = 3;

impl Store {
    pub(super) fn new(width: usize) -> Self {
        Self { rows: Vec::new(), stride: HEAD + width, free: Vec::new() }
    }

    /// A new row, in no list; `None` if there are as many as can be numbered.
    pub(super) fn insert(&mut self, key: u32, start: i64, end: i64, aggregates: &Aggregates) -> Option<u32> {
        let id = match self.free.pop() {
            Some(id) => id,
            None => {
                let id = u32::try_from(self.rows.len() / self.stride).ok().filter(|id| *id < u32::MAX)?;
                reserve(&mut self.rows, self.stride);
                self.rows.resize(self.rows.len() + self.stride, 0);
                id
            }
        };
        self.set(id, START, start as u64);
        self.set(id, END, end as u64);
        self.set(id, KEY_NEXT, u64::from(key) << 32);
        self.set(id, GENERATION_BATCH, u64::from(self.generation(id)) << 32);
        aggregates.clear(self.accumulators_mut(id));
        Some(id)
    }

    /// Takes back a row that is in no list and whose accumulators were released.
    pub(super) fn remove(&mut self, id: u32) {
        let generation = self.generation(id).wrapping_add(1);
        self.set(id, GENERATION_BATCH, u64::from(generation) << 32);
        reserve(&mut self.free, 1);
        self.free.push(id);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len() / self.stride - self.free.len()
    }

    pub(super) fn start(&self, id: u32) -> i64 {
        self.get(id, START) as i64
    }

    pub(super) fn end(&self, id: u32) -> i64 {
        self.get(id, END) as i64
    }

    pub(super) fn set_start(&mut self, id: u32, start: i64) {
        self.set(id, START, start as u64);
    }

    pub(super) fn set_end(&mut self, id: u32, end: i64) {
        self.set(id, END, end as u64);
    }

    pub(super) fn key(&self, id: u32) -> u32 {
        (self.get(id, KEY_NEXT) >> 32) as u32
    }

    pub(super) fn set_key(&mut self, id: u32, key: u32) {
        self.set(id, KEY_NEXT, u64::from(key) << 32 | self.get(id, KEY_NEXT) & u64::from(u32::MAX));
    }

    /// The session before this one in time.
    pub(super) fn next(&self, id: u32) -> Option<u32> {
        (self.get(id, KEY_NEXT) as u32).checked_sub(1)
    }

    pub(super) fn set_next(&mut self, id: u32, next: Option<u32>) {
        self.set(id, KEY_NEXT, u64::from(self.key(id)) << 32 | u64::from(link(next)));
    }

    pub(super) fn generation(&self, id: u32) -> u32 {
        (self.get(id, GENERATION_BATCH) >> 32) as u32
    }

    /// The batch that changed the session last; 0 if none did.
    pub(super) fn batch(&self, id: u32) -> u32 {
        self.get(id, GENERATION_BATCH) as u32
    }

    pub(super) fn set_batch(&mut self, id: u32, batch: u32) {
        self.set(id, GENERATION_BATCH, u64::from(self.generation(id)) << 32 | u64::from(batch));
    }

    pub(super) fn accumulators(&self, id: u32) -> &[u64] {
        let at = id as usize * self.stride;
        self.rows.get(at + HEAD..at + self.stride).unwrap_or_default()
    }

    pub(super) fn accumulators_mut(&mut self, id: u32) -> &mut [u64] {
        let at = id as usize * self.stride;
        self.rows.get_mut(at + HEAD..at + self.stride).unwrap_or_default()
    }

    /// Memory in bytes, as allocated.
    pub(super) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<u64>() + self.free.capacity() * size_of::<u32>()
    }

    fn get(&self, id: u32, word: usize) -> u64 {
        self.rows.get(id as usize * self.stride + word).copied().unwrap_or(0)
    }

    fn set(&mut self, id: u32, word: usize, value: u64) {
        if let Some(place) = self.rows.get_mut(id as usize * self.stride + word) {
            *place = value;
        }
    }
}

/// A row's number in a list: 0 is its end.
pub(super) fn link(id: Option<u32>) -> u32 {
    id.map_or(0, |id| id + 1)
}
