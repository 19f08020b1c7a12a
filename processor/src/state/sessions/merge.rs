//! Sessions whose aggregates depend on the order of records: merged once a batch, in the order of their starts.

use super::{SessionTable, link};

/// A record of the batch under way as a session of its own, in no list yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) key: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) row: u32,
}

/// A session on its way into the new list of its key.
struct Item {
    start: i64,
    end: i64,
    row: u32,
    /// It was there before the batch.
    known: bool,
}

impl SessionTable {
    /// Merges the batch's records into the sessions. Where starts are equal, what was known comes first, then the
    /// earlier end, and then what came first.
    pub(super) fn merge_pending(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_by_key(|record| (record.key, record.start, record.end));
        for records in pending.chunk_by(|a, b| a.key == b.key) {
            if let Some(record) = records.first() {
                self.merge_key(record.key, records);
            }
        }
    }

    fn merge_key(&mut self, key: u32, records: &[Pending]) {
        let known: Vec<u32> = self.of_key(key).collect();
        let known = known.into_iter().rev();
        let known = known.map(|row| Item { start: self.store.start(row), end: self.store.end(row), row, known: true });
        let new = records.iter().map(|&Pending { start, end, row, .. }| Item { start, end, row, known: false });
        let mut items: Vec<Item> = known.chain(new).collect();
        // Stable: what was known stands before what is new, and that is in order.
        items.sort_by_key(|item| item.start);

        let mut merged: Vec<Item> = Vec::new();
        for item in items {
            match merged.last_mut() {
                Some(last) if item.start <= last.end => {
                    if last.known {
                        self.change(last.row);
                    }
                    if item.known {
                        let name = self.name(item.row);
                        self.changed.push(name);
                    }
                    last.end = last.end.max(item.end);
                    self.merge_rows(last.row, item.row);
                    self.remove_row(item.row);
                }
                _ => merged.push(item),
            }
        }

        let mut earlier = None;
        for Item { end, row, known, .. } in merged {
            self.store.set_end(row, end);
            self.store.set_next(row, earlier);
            if !known {
                self.enter(row);
            }
            earlier = Some(row);
        }
        self.table.set_tag(key, link(earlier));
    }
}
