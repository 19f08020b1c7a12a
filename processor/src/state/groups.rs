//! The groups of a `GROUP BY` and their aggregates.

mod restore;
mod touch;

use std::borrow::Cow;

use super::expiry::Expiry;
use super::key::{EventTime, KeyColumn, values};
use super::key_table::KeyTable;
use crate::aggregate::{AggregateFunction, Aggregates};
use crate::types::{DataType, Value};

/// A group's place in its table. Groups are numbered from 0 as they first appear; where groups are evicted, their
/// numbers are used again, from the batch after on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(u32);

impl GroupId {
    /// The group's number.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A map from keys to the accumulators of a query's aggregates. It remembers the groups that the micro-batch under way
/// touched, in the order in which it first touched them, and those that it evicted.
///
/// A row's tag is the number of the batch that touched it last.
#[derive(Debug)]
pub struct GroupTable {
    table: KeyTable,
    aggregates: Aggregates,
    event_time: Option<EventTime>,
    expiry: Expiry,
    touched: Vec<GroupId>,
    evicted: Vec<GroupId>,
    batch: u32,
    /// A row to read into what is not kept.
    scratch: Vec<u64>,
    /// A changelog is read back: groups are not put into `expiry` one by one.
    restoring: bool,
}

/// The tag of a group that was never touched, and is not in the order of event times.
const NEW: u32 = 0;
/// The tag of a group that was not touched lately.
const KNOWN: u32 = 1;
/// The tag of a group that was evicted by the batch under way.
const EVICTED: u32 = u32::MAX;
/// A list of more groups is not kept for the next batch if that needs much less.
const LIST_KEPT: usize = 1 << 16;

impl GroupTable {
    /// An empty table of counts for keys of `columns` STRING columns; none is one group for all records.
    pub fn new(columns: usize) -> Self {
        let keys = vec![KeyColumn::Value(DataType::String); columns];
        let aggregates = Aggregates::new([(AggregateFunction::CountAll, &DataType::Null)]);
        Self::with_aggregates(keys, aggregates, None)
    }

    /// An empty table. Without `event_time` no group is ever late.
    pub(crate) fn with_aggregates(keys: Vec<KeyColumn>, aggregates: Aggregates, event_time: Option<EventTime>) -> Self {
        let mut scratch = vec![0; aggregates.width()];
        aggregates.clear(&mut scratch);
        Self {
            table: KeyTable::new(keys, scratch.clone()),
            aggregates,
            event_time,
            expiry: Expiry::default(),
            touched: Vec::new(),
            evicted: Vec::new(),
            batch: KNOWN + 1,
            scratch,
            restoring: false,
        }
    }

    /// Whether the aggregates are `COUNT(*)` alone, for which [`Self::count_key`] is enough.
    pub(crate) fn is_count_alone(&self) -> bool {
        self.aggregates.is_count_alone()
    }

    /// Puts a new group into the order of event times.
    fn expect(&mut self, id: u32) {
        if let Some(event_time) = self.event_time
            && let Some(time) = event_time.of(self.table.columns(), self.table.key(id))
        {
            self.expiry.insert(time, id);
        }
    }

    /// Evicts the groups whose event time is at or before `watermark` (microseconds), and returns them in an order
    /// that depends on their keys alone: by time, and then by their bytes. They can be read until the next batch.
    pub(crate) fn evict(&mut self, watermark: i64) -> &[GroupId] {
        let before = self.evicted.len();
        let mut popped = Vec::new();
        while self.expiry.pop(watermark, &mut popped) {
            popped.sort_unstable_by(|a, b| self.table.key(*a).cmp(self.table.key(*b)));
            for id in popped.drain(..) {
                self.table.set_tag(id, EVICTED);
                self.evicted.push(GroupId(id));
            }
        }
        self.evicted.get(before..).unwrap_or_default()
    }

    /// Evicts those groups that the batch under way has touched and that `is_over` is true for. None of them is touched
    /// again by the batch.
    pub(crate) fn evict_touched(&mut self, is_over: impl Fn(&Self, GroupId) -> bool) {
        let over: Vec<GroupId> = self.touched.iter().copied().filter(|id| is_over(self, *id)).collect();
        for id in over {
            self.table.set_tag(id.0, EVICTED);
            self.evicted.push(id);
        }
    }

    /// Begins the next micro-batch: no group is touched, and those that were evicted are gone.
    pub fn begin_batch(&mut self) {
        recycle(&mut self.touched);
        if !self.evicted.is_empty() {
            for id in std::mem::take(&mut self.evicted) {
                self.aggregates.release(self.table.row_mut(id.0));
                self.table.remove(id.0);
            }
            self.table.forget_recent();
            if self.table.compact().is_some() {
                self.expect_all();
            }
        }
        self.batch += 1;
        if self.batch == EVICTED {
            // After four billion batches the numbers start again; none may look like an old one.
            let ids: Vec<u32> = self.table.ids().collect();
            ids.into_iter().for_each(|id| self.table.set_tag(id, KNOWN));
            self.batch = KNOWN + 1;
        }
    }

    #[cfg(test)]
    pub(super) fn set_batch(&mut self, batch: u32) {
        self.batch = batch;
    }

    fn expect_all(&mut self) {
        self.expiry = Expiry::default();
        if self.event_time.is_some() {
            let ids: Vec<u32> = self.table.ids().collect();
            ids.into_iter().for_each(|id| self.expect(id));
        }
    }

    /// The groups that the batch under way has touched, in the order in which it first did; those that it evicted
    /// then are among them.
    pub fn touched(&self) -> &[GroupId] {
        &self.touched
    }

    /// The groups that the batch under way has evicted, in order.
    pub(crate) fn evicted(&self) -> &[GroupId] {
        &self.evicted
    }

    /// All groups that are not evicted; as long as none ever was, in the order in which they first appeared.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = GroupId> {
        self.table.ids().filter(|id| self.table.tag(*id) != EVICTED).map(GroupId)
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.table.len() - self.evicted.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A group's key columns, in order.
    pub(crate) fn key_values(&self, id: GroupId) -> impl Iterator<Item = Value<'_>> {
        values(self.table.columns(), self.table.key(id.0))
    }

    /// A group's key columns, in order, as text; those that are no STRING are `None`.
    pub fn key(&self, id: GroupId) -> impl Iterator<Item = Option<&[u8]>> {
        self.key_values(id).map(|value| match value {
            Value::String(Cow::Borrowed(text)) => Some(text),
            _ => None,
        })
    }

    /// The result of a group's aggregate.
    pub(crate) fn result(&self, id: GroupId, number: usize) -> Value<'_> {
        self.aggregates.result(self.table.row(id.0), number)
    }

    /// A group's row: its key columns, and then the results of its aggregates.
    pub(crate) fn values(&self, id: GroupId) -> impl Iterator<Item = Value<'_>> {
        self.key_values(id).chain((0..self.aggregates.len()).map(move |number| self.result(id, number)))
    }

    /// A group's count, in a table of counts alone.
    pub fn count(&self, id: GroupId) -> i64 {
        self.table.row(id.0).first().map_or(0, |count| *count as i64)
    }

    /// Memory of the table in bytes, as allocated.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
            + self.aggregates.bytes()
            + self.expiry.bytes()
            + (self.touched.capacity() + self.evicted.capacity()) * size_of::<GroupId>()
    }
}

/// Empties a list, and gives its memory back if it was needed once for much more than now.
pub(super) fn recycle<T>(list: &mut Vec<T>) {
    if list.capacity() > LIST_KEPT && list.len() < list.capacity() / 8 {
        *list = Vec::new();
    }
    list.clear();
}
