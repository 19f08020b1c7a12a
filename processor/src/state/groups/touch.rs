//! The way of each record: from its key to its group, and into the aggregates.

use std::borrow::Cow;

use super::{EVICTED, GroupId, GroupTable, NEW};
use crate::state::TooManyGroups;
use crate::state::arena::reserve;
use crate::types::Value;

impl GroupTable {
    /// Begins the next key, whose columns are to be pushed in order.
    #[inline]
    pub(crate) fn begin_key(&mut self) {
        self.table.begin_key();
    }

    /// Adds a column to the key. (A window may come as the STRUCT that it is, or by [`Self::push_window`].)
    #[inline]
    pub(crate) fn push_key(&mut self, value: &Value<'_>) {
        self.table.push(value);
    }

    /// Adds a window to the key, by its start.
    #[inline]
    pub(crate) fn push_window(&mut self, start: i64) {
        self.table.push_window(start);
    }

    /// The group with the key that was pushed, empty if it is new, and touched by the batch under way.
    #[inline]
    pub(crate) fn touch_key(&mut self) -> Result<GroupId, TooManyGroups> {
        let id = self.table.find_or_insert()?;
        Ok(self.touch_id(id))
    }

    /// Touches all groups.
    pub(crate) fn touch_all(&mut self) -> Vec<GroupId> {
        let ids: Vec<GroupId> = self.ids().collect();
        ids.iter().for_each(|id| {
            self.touch_id(id.0);
        });
        ids
    }

    /// The group with the key that was pushed; `None` if there is none.
    pub(crate) fn find_key(&mut self) -> Option<GroupId> {
        self.table.find().filter(|id| self.table.tag(*id) != EVICTED).map(GroupId)
    }

    /// As [`Self::touch_key`] of a table whose key is one STRING.
    #[inline]
    pub(crate) fn touch_text(&mut self, text: Option<&[u8]>) -> Result<GroupId, TooManyGroups> {
        let id = self.table.find_or_insert_text(text)?;
        Ok(self.touch_id(id))
    }

    /// Touches the group with the key that was pushed and, in a table of counts alone, counts one record of it.
    #[inline]
    pub(crate) fn count_key(&mut self) -> Result<GroupId, TooManyGroups> {
        let id = self.table.find_or_insert()?;
        Ok(self.count_id(id))
    }

    /// As [`Self::count_key`] of a table whose key is one STRING.
    #[inline]
    pub(crate) fn count_text(&mut self, text: Option<&[u8]>) -> Result<GroupId, TooManyGroups> {
        let id = self.table.find_or_insert_text(text)?;
        Ok(self.count_id(id))
    }

    /// The group with this key of STRING columns, empty if it is new, and touched by the batch under way.
    #[inline]
    pub fn touch<'k>(&mut self, key: impl IntoIterator<Item = Option<&'k [u8]>>) -> Result<GroupId, TooManyGroups> {
        let mut key = key.into_iter();
        if self.table.is_text() {
            return self.touch_text(key.next().flatten());
        }
        self.push_texts(key);
        self.touch_key()
    }

    /// Counts one record of the group with this key of STRING columns, in a table of counts alone.
    #[inline]
    pub fn count_one<'k>(&mut self, key: impl IntoIterator<Item = Option<&'k [u8]>>) -> Result<GroupId, TooManyGroups> {
        let mut key = key.into_iter();
        if self.table.is_text() {
            return self.count_text(key.next().flatten());
        }
        self.count_texts(key)
    }

    /// Apart, so that the way of a single column stays short.
    #[inline(never)]
    fn count_texts<'k>(&mut self, key: impl Iterator<Item = Option<&'k [u8]>>) -> Result<GroupId, TooManyGroups> {
        self.push_texts(key);
        self.count_key()
    }

    #[inline]
    fn push_texts<'k>(&mut self, key: impl Iterator<Item = Option<&'k [u8]>>) {
        self.begin_key();
        for text in key {
            self.push_key(&text.map_or(Value::Null, |text| Value::String(Cow::Borrowed(text))));
        }
    }

    /// Adds to a group's count, in a table of counts alone; wraps, as a BIGINT does in Spark.
    #[inline]
    pub fn add(&mut self, id: GroupId, records: i64) {
        if let [count] = self.table.row_mut(id.0) {
            *count = count.wrapping_add(records as u64);
        }
    }

    /// Adds a row to aggregate `number` of a group.
    #[inline]
    pub(crate) fn update(&mut self, id: GroupId, number: usize, arguments: &[Value<'_>]) {
        self.aggregates.update(self.table.row_mut(id.0), number, arguments);
    }

    #[inline]
    fn touch_id(&mut self, id: u32) -> GroupId {
        let batch = self.batch;
        if let Some([head, ..]) = self.table.head_and_row_mut(id)
            && *head as u32 != batch
        {
            self.first_touch(id);
        }
        GroupId(id)
    }

    #[inline]
    fn count_id(&mut self, id: u32) -> GroupId {
        let batch = self.batch;
        if let Some([head, count]) = self.table.pair_mut(id) {
            *count = count.wrapping_add(1);
            if *head as u32 != batch {
                self.first_touch(id);
            }
        }
        GroupId(id)
    }

    #[inline(never)]
    fn first_touch(&mut self, id: u32) {
        let is_new = match self.table.tag(id) {
            // Rows come before eviction; one that came after it would belong to a group that is gone.
            EVICTED => return,
            tag => tag == NEW,
        };
        self.table.set_tag(id, self.batch);
        reserve(&mut self.touched, 1);
        self.touched.push(GroupId(id));
        self.aggregates.mark(self.table.row_mut(id));
        if is_new {
            self.expect(id);
        }
    }
}
