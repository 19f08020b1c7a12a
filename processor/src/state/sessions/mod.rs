//! Sessions: for each key, spans of time in which no two records that follow each other are further apart than a gap.
//!
//! A record at time t with gap g is the session [t, t+g); sessions of a key that overlap or touch are one. Follows
//! `MergingSessionsIterator` and `MergingSortWithSessionWindowStateIterator` of `org.apache.spark.sql.execution`.

mod join;
mod merge;
mod restore;
mod store;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::TooManyGroups;
use super::groups::recycle;
use super::key::{KeyColumn, values, window};
use super::key_table::KeyTable;
use crate::aggregate::Aggregates;
use crate::types::Value;
use merge::Pending;
use store::{Store, link};

/// A session's place in its table, for the batch under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionId(u32);

/// What a changelog calls a session: its key's number, and its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    key: u32,
    start: i64,
}

/// The sessions of a query and their aggregates. Times are microseconds since 1970.
///
/// The final sessions do not depend on the order of a batch's records. FIRST and LAST follow the order of their times,
/// as in Spark: a query that has one keeps each record apart until the batch's [input has ended](Self::end_input).
#[derive(Debug)]
pub(crate) struct SessionTable {
    /// The keys beside the session; a row's tag is the [`link`] to the latest session.
    table: KeyTable,
    /// Where among the columns of GROUP BY the session stands.
    window_column: usize,
    aggregates: Aggregates,
    store: Store,
    /// A session at its end, or at an end that it had before it grew.
    by_end: BinaryHeap<Reverse<(i64, u32, u32)>>,
    pending: Vec<Pending>,
    changed: Vec<Name>,
    evicted: Vec<SessionId>,
    /// Keys that may have no session any more.
    emptied: Vec<u32>,
    batch: u32,
    scratch: Vec<u64>,
}

/// Fewer ends of sessions that are gone are not worth the work of forgetting them.
const STALE_MIN: usize = 1024;

impl SessionTable {
    /// An empty table: `keys` are the columns of GROUP BY without the session, which is number `window_column` of all.
    pub(crate) fn new(keys: Vec<KeyColumn>, window_column: usize, aggregates: Aggregates) -> Self {
        let mut scratch = vec![0; aggregates.width()];
        aggregates.clear(&mut scratch);
        Self {
            table: KeyTable::new(keys, []),
            window_column,
            store: Store::new(aggregates.width()),
            aggregates,
            by_end: BinaryHeap::new(),
            pending: Vec::new(),
            changed: Vec::new(),
            evicted: Vec::new(),
            emptied: Vec::new(),
            batch: 1,
            scratch,
        }
    }

    /// Begins the next key, whose columns (all but the session) are to be pushed in order.
    pub(crate) fn begin_key(&mut self) {
        self.table.begin_key();
    }

    /// Adds a column to the key.
    pub(crate) fn push_key(&mut self, value: &Value<'_>) {
        self.table.push(value);
    }

    /// Adds the session [start, end) to those of the key that was pushed, and returns what the record's values are to
    /// be [added](Self::update) to before the next record. `None` if the session is empty: the record is removed.
    ///
    /// The caller drops a record as late whose own end is at or before the watermark, whatever sessions there are.
    pub(crate) fn add(&mut self, start: i64, end: i64) -> Result<Option<SessionId>, TooManyGroups> {
        if end <= start {
            return Ok(None);
        }
        let key = self.table.find_or_insert()?;
        if self.aggregates.is_ordered() {
            let row = self.insert_row(key, start, end)?;
            self.pending.push(Pending { key, start, end, row });
            return Ok(Some(SessionId(row)));
        }
        self.join(key, start, end).map(|row| Some(SessionId(row)))
    }

    /// Adds a row to aggregate `number` of a session.
    pub(crate) fn update(&mut self, id: SessionId, number: usize, arguments: &[Value<'_>]) {
        self.aggregates.update(self.store.accumulators_mut(id.0), number, arguments);
    }

    /// Says that the batch's last record was added: to be called before sessions are evicted, read or written.
    pub(crate) fn end_input(&mut self) {
        self.merge_pending();
    }

    /// Evicts the sessions whose end is at or before `watermark`, and returns them in an order that depends on them
    /// alone: by end, start and key. They can be read until the next batch.
    pub(crate) fn evict(&mut self, watermark: i64) -> &[SessionId] {
        let before = self.evicted.len();
        while let Some(Reverse((_, row, generation))) =
            self.by_end.peek().filter(|Reverse((end, ..))| *end <= watermark).copied()
        {
            self.by_end.pop();
            if self.store.generation(row) != generation {
                continue;
            }
            let end = self.store.end(row);
            if end > watermark {
                self.by_end.push(Reverse((end, row, generation)));
                continue;
            }
            self.unlink(row);
            self.changed.push(self.name(row));
            self.evicted.push(SessionId(row));
        }
        let Self { evicted, store, table, .. } = self;
        if let Some(evicted) = evicted.get_mut(before..) {
            evicted.sort_by(|a, b| {
                let time = |id: &SessionId| (store.end(id.0), store.start(id.0));
                let key = |id: &SessionId| table.key(store.key(id.0));
                time(a).cmp(&time(b)).then_with(|| key(a).cmp(key(b)))
            });
        }
        self.evicted.get(before..).unwrap_or_default()
    }

    /// The sessions that the batch under way has evicted, in order.
    pub(crate) fn evicted(&self) -> &[SessionId] {
        &self.evicted
    }

    /// Begins the next micro-batch: the sessions that were evicted are gone.
    pub(crate) fn begin_batch(&mut self) {
        recycle(&mut self.changed);
        for SessionId(row) in std::mem::take(&mut self.evicted) {
            self.remove_row(row);
        }
        if !self.emptied.is_empty() {
            for key in std::mem::take(&mut self.emptied) {
                if self.table.tag(key) == 0 {
                    self.table.remove(key);
                }
            }
            self.table.forget_recent();
            self.compact();
        }
        if self.by_end.len() > 2 * self.store.len() + STALE_MIN {
            let store = &self.store;
            self.by_end.retain(|Reverse((_, row, generation))| store.generation(*row) == *generation);
        }
        self.batch = self.batch.wrapping_add(1);
        if self.batch == 0 {
            // After four billion batches the numbers start again; none may look like an old one.
            for id in self.ids() {
                self.store.set_batch(id.0, 0);
            }
            self.batch = 1;
        }
    }

    fn compact(&mut self) {
        if self.table.compact().is_some() {
            let keys: Vec<u32> = self.table.ids().collect();
            for key in keys {
                let mut row = self.latest(key);
                while let Some(id) = row {
                    self.store.set_key(id, key);
                    row = self.store.next(id);
                }
            }
        }
    }

    /// All sessions that are not evicted: by key, as the keys first appeared, and by time.
    pub(crate) fn ids(&self) -> Vec<SessionId> {
        let mut ids = Vec::with_capacity(self.len());
        for key in self.table.ids() {
            let first = ids.len();
            ids.extend(self.of_key(key).map(SessionId));
            if let Some(of_key) = ids.get_mut(first..) {
                of_key.reverse();
            }
        }
        ids
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.store.len() - self.evicted.len() - self.pending.len()
    }

    /// The session's span, its end not included.
    pub(crate) fn span(&self, id: SessionId) -> (i64, i64) {
        (self.store.start(id.0), self.store.end(id.0))
    }

    /// The columns of GROUP BY, in order; the session as a STRUCT of start and end.
    pub(crate) fn key_values(&self, id: SessionId) -> impl Iterator<Item = Value<'_>> {
        let mut keys = values(self.table.columns(), self.table.key(self.store.key(id.0)));
        let (start, end) = self.span(id);
        (0..=self.table.columns().len()).map(move |number| {
            if number == self.window_column { window(start, end) } else { keys.next().unwrap_or(Value::Null) }
        })
    }

    /// The result of a session's aggregate.
    pub(crate) fn result(&self, id: SessionId, number: usize) -> Value<'_> {
        self.aggregates.result(self.store.accumulators(id.0), number)
    }

    /// A session's row: the columns of GROUP BY, and then the results of its aggregates.
    pub(crate) fn values(&self, id: SessionId) -> impl Iterator<Item = Value<'_>> {
        self.key_values(id).chain((0..self.aggregates.len()).map(move |number| self.result(id, number)))
    }

    /// Memory of the table in bytes, as allocated.
    pub(crate) fn bytes(&self) -> usize {
        self.table.bytes()
            + self.aggregates.bytes()
            + self.store.bytes()
            + self.by_end.capacity() * size_of::<Reverse<(i64, u32, u32)>>()
            + self.pending.capacity() * size_of::<Pending>()
            + self.changed.capacity() * size_of::<Name>()
            + self.evicted.capacity() * size_of::<SessionId>()
            + self.emptied.capacity() * size_of::<u32>()
    }
}
