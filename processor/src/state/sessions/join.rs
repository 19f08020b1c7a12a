//! Sessions in the lists of their keys.

use std::cmp::Reverse;

use super::{Name, SessionTable, link};
use crate::state::TooManyGroups;

impl SessionTable {
    /// Joins [start, end) with the sessions of the key that it overlaps or touches: all into the earliest of them.
    pub(super) fn join(&mut self, key: u32, start: i64, end: i64) -> Result<u32, TooManyGroups> {
        let mut before = None;
        let mut at = self.latest(key);
        while let Some(row) = at.filter(|row| self.store.start(*row) > end) {
            before = Some(row);
            at = self.store.next(row);
        }
        let Some(mut into) = at.filter(|row| self.store.end(*row) >= start) else {
            let row = self.insert_row(key, start, end)?;
            self.link_after(key, before, row, at);
            self.enter(row);
            return Ok(row);
        };
        let end = end.max(self.store.end(into));
        while let Some(earlier) = self.store.next(into).filter(|row| self.store.end(*row) >= start) {
            self.change(earlier);
            self.changed.push(self.name(into));
            self.merge_rows(earlier, into);
            self.set_next(key, before, Some(earlier));
            self.remove_row(into);
            into = earlier;
        }
        self.change(into);
        self.store.set_end(into, end);
        if start < self.store.start(into) {
            // It gets another name: what the changelog has under the old one does not count for it.
            self.store.set_start(into, start);
            self.changed.push(Name { key, start });
            self.aggregates.unmark(self.store.accumulators_mut(into));
        }
        Ok(into)
    }

    /// Remembers that the batch under way changes a session; to be called before it does.
    pub(super) fn change(&mut self, row: u32) {
        if self.store.batch(row) != self.batch {
            self.store.set_batch(row, self.batch);
            self.changed.push(self.name(row));
            self.aggregates.mark(self.store.accumulators_mut(row));
        }
    }

    /// Takes up a session that is new.
    pub(super) fn enter(&mut self, row: u32) {
        self.store.set_batch(row, self.batch);
        self.changed.push(self.name(row));
        self.by_end.push(Reverse((self.store.end(row), row, self.store.generation(row))));
    }

    /// Adds the accumulators of `from` to those of `into`, as the later ones.
    pub(super) fn merge_rows(&mut self, into: u32, from: u32) {
        let mut taken = std::mem::take(&mut self.scratch);
        taken.copy_from_slice(self.store.accumulators(from));
        self.aggregates.clear(self.store.accumulators_mut(from));
        self.aggregates.merge(self.store.accumulators_mut(into), &mut taken);
        self.scratch = taken;
    }

    pub(super) fn insert_row(&mut self, key: u32, start: i64, end: i64) -> Result<u32, TooManyGroups> {
        let full = TooManyGroups(self.store.len());
        self.store.insert(key, start, end, &self.aggregates).ok_or(full)
    }

    /// Takes back a row that is in no list.
    pub(super) fn remove_row(&mut self, row: u32) {
        self.aggregates.release(self.store.accumulators_mut(row));
        self.store.remove(row);
    }

    pub(super) fn name(&self, row: u32) -> Name {
        Name { key: self.store.key(row), start: self.store.start(row) }
    }

    pub(super) fn latest(&self, key: u32) -> Option<u32> {
        self.table.tag(key).checked_sub(1)
    }

    /// The sessions of a key from the latest to the earliest.
    pub(super) fn of_key(&self, key: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(self.latest(key), |row| self.store.next(*row))
    }

    pub(super) fn link_after(&mut self, key: u32, before: Option<u32>, row: u32, after: Option<u32>) {
        self.set_next(key, before, Some(row));
        self.store.set_next(row, after);
    }

    /// What stands after `before` in the key's list, or at its front.
    pub(super) fn set_next(&mut self, key: u32, before: Option<u32>, next: Option<u32>) {
        match before {
            Some(before) => self.store.set_next(before, next),
            None => self.table.set_tag(key, link(next)),
        }
    }

    /// Takes a session out of its key's list.
    pub(super) fn unlink(&mut self, row: u32) {
        let key = self.store.key(row);
        let before = self.of_key(key).take_while(|other| *other != row).last();
        self.set_next(key, before, self.store.next(row));
        if self.table.tag(key) == 0 {
            self.emptied.push(key);
        }
    }
}
