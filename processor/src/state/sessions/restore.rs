//! Sessions in a changelog. A row is: key, start, [`PRESENT`], end and accumulators; or key, start, [`REMOVED_ROW`].

use std::cmp::Reverse;

use super::{Name, SessionTable};
use crate::codec::{Malformed, Reader, put_i64, put_u64};
use crate::state::key::take_key;
use crate::state::rows::{PRESENT, REMOVED_ROW, RestoreError, take_mark};

impl SessionTable {
    /// What the batch under way changed, each once.
    pub(in crate::state) fn changes(&self) -> impl Iterator<Item = Name> + use<> {
        let mut names = self.changed.clone();
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }

    /// All sessions.
    pub(in crate::state) fn names(&self) -> impl Iterator<Item = Name> {
        self.ids().into_iter().map(|id| self.name(id.0))
    }

    /// Appends the row that tells what the batch under way did to the session of this name.
    pub(in crate::state) fn put_change(&self, name: Name, out: &mut Vec<u8>) {
        self.put(name, true, out);
    }

    /// Appends the row that tells all of a session.
    pub(in crate::state) fn put_whole(&self, name: Name, out: &mut Vec<u8>) {
        self.put(name, false, out);
    }

    fn put(&self, Name { key, start }: Name, change: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(self.table.key(key));
        put_i64(out, start);
        let Some(row) = self.of_key(key).find(|row| self.store.start(*row) == start) else {
            put_u64(out, REMOVED_ROW);
            return;
        };
        put_u64(out, PRESENT);
        put_i64(out, self.store.end(row));
        if change {
            self.aggregates.encode_change(self.store.accumulators(row), out);
        } else {
            self.aggregates.encode(self.store.accumulators(row), out);
        }
    }

    /// From here to [`Self::end_restore`] rows are read back.
    pub(in crate::state) fn begin_restore(&mut self) {
        self.by_end.clear();
    }

    pub(in crate::state) fn end_restore(&mut self) {
        self.emptied.clear();
        self.table.forget_recent();
        self.compact();
        for id in self.ids() {
            self.by_end.push(Reverse((self.store.end(id.0), id.0, self.store.generation(id.0))));
        }
    }

    /// Takes a row off the front of `reader` and does what it tells; or, if not `keep`, nothing.
    pub(in crate::state) fn restore(&mut self, reader: &mut Reader<'_>, keep: bool) -> Result<(), RestoreError> {
        let key = take_key(self.table.columns(), reader.rest()).ok_or_else(|| Malformed::new("a key is malformed"))?;
        reader.take(key.len())?;
        let start = reader.i64()?;
        if take_mark(reader)? {
            if keep && let Some(key) = self.table.find_encoded(key) {
                self.restore_removal(key, start);
            }
            return Ok(());
        }
        let end = reader.i64()?;
        if end <= start {
            return Err(Malformed::new(format!("the session from {start} to {end} cannot be")).into());
        }
        if keep {
            let key = self.table.find_or_insert_encoded(key)?;
            let row = self.restored_row(key, start, end)?;
            self.aggregates.decode(self.store.accumulators_mut(row), reader)?;
        } else {
            let read = self.aggregates.decode(&mut self.scratch, reader);
            self.aggregates.release(&mut self.scratch);
            read?;
        }
        Ok(())
    }

    /// The row of this name with this end, made if it is not there.
    fn restored_row(&mut self, key: u32, start: i64, end: i64) -> Result<u32, RestoreError> {
        let before = self.of_key(key).take_while(|row| self.store.start(*row) > start).last();
        let at = before.map_or_else(|| self.latest(key), |row| self.store.next(row));
        if let Some(row) = at.filter(|row| self.store.start(*row) == start) {
            self.store.set_end(row, end);
            return Ok(row);
        }
        let row = self.insert_row(key, start, end)?;
        self.link_after(key, before, row, at);
        Ok(row)
    }

    fn restore_removal(&mut self, key: u32, start: i64) {
        let Some(row) = self.of_key(key).find(|row| self.store.start(*row) == start) else { return };
        self.unlink(row);
        self.remove_row(row);
        if self.table.tag(key) == 0 {
            self.table.remove(key);
        }
    }
}
