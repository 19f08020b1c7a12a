//! Groups in a changelog. A row is: key, [`PRESENT`], accumulators; or key, [`REMOVED_ROW`].

use super::{EVICTED, GroupId, GroupTable, KNOWN};
use crate::codec::{Malformed, Reader, put_u64};
use crate::state::key::{KeyColumn, take_key};
use crate::state::rows::{PRESENT, REMOVED_ROW, RestoreError, take_mark};

impl GroupTable {
    /// The groups that the batch under way touched or evicted, each once.
    pub(in crate::state) fn changes(&self) -> impl Iterator<Item = GroupId> {
        let touched = self.touched.iter().filter(|id| self.table.tag(id.0) != EVICTED);
        touched.chain(&self.evicted).copied()
    }

    /// Appends the row that tells what the batch under way did to a group that it touched or evicted.
    pub(in crate::state) fn put_change(&self, id: GroupId, out: &mut Vec<u8>) {
        out.extend_from_slice(self.table.key(id.0));
        if self.table.tag(id.0) == EVICTED {
            put_u64(out, REMOVED_ROW);
        } else {
            put_u64(out, PRESENT);
            self.aggregates.encode_change(self.table.row(id.0), out);
        }
    }

    /// Appends the row that tells all of a group.
    pub(in crate::state) fn put_whole(&self, id: GroupId, out: &mut Vec<u8>) {
        out.extend_from_slice(self.table.key(id.0));
        put_u64(out, PRESENT);
        self.aggregates.encode(self.table.row(id.0), out);
    }

    /// From here to [`Self::end_restore`] rows are read back.
    pub(in crate::state) fn begin_restore(&mut self) {
        self.restoring = true;
    }

    pub(in crate::state) fn end_restore(&mut self) {
        self.restoring = false;
        self.table.forget_recent();
        self.table.compact();
        self.expect_all();
    }

    /// Takes a row off the front of `reader` and does what it tells; or, if not `keep`, nothing.
    pub(in crate::state) fn restore(&mut self, reader: &mut Reader<'_>, keep: bool) -> Result<(), RestoreError> {
        debug_assert!(self.restoring);
        let key = take_key(self.table.columns(), reader.rest()).ok_or_else(|| Malformed::new("a key is malformed"))?;
        reader.take(key.len())?;
        let removed = take_mark(reader)?;
        if !keep {
            if !removed {
                let read = self.aggregates.decode(&mut self.scratch, reader);
                self.aggregates.release(&mut self.scratch);
                read?;
            }
        } else if !removed {
            let id = self.table.find_or_insert_encoded(key)?;
            self.table.set_tag(id, KNOWN);
            self.aggregates.decode(self.table.row_mut(id), reader)?;
        } else if let Some(id) = self.table.find_encoded(key) {
            self.aggregates.release(self.table.row_mut(id));
            self.table.remove(id);
        }
        Ok(())
    }

    /// As [`Self::restore`] of a row of format 1: STRING columns, and the only aggregate is the count.
    pub(in crate::state) fn restore_format_1(
        &mut self,
        reader: &mut Reader<'_>,
        keep: bool,
    ) -> Result<(), RestoreError> {
        if !self.aggregates.is_count_alone() || !self.table.columns().iter().all(KeyColumn::is_string) {
            return Err(Malformed::new("it is of format 1, which holds no more than counts of texts").into());
        }
        let key = take_key(self.table.columns(), reader.rest()).ok_or_else(|| Malformed::new("a key is malformed"))?;
        reader.take(key.len())?;
        let count = reader.u64()?;
        if keep {
            let id = self.table.find_or_insert_encoded(key)?;
            self.table.set_tag(id, KNOWN);
            if let [known] = self.table.row_mut(id) {
                *known = count;
            }
        }
        Ok(())
    }
}
