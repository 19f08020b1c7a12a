//! The state of a query: the groups of its GROUP BY or its sessions, with their aggregates.

mod aggregated;
mod arena;
mod expiry;
mod groups;
mod key;
mod key_table;
mod rows;
mod sessions;
mod stores;
#[cfg(test)]
mod tests;

pub use aggregated::Aggregated;
pub use groups::{GroupId, GroupTable};
pub(crate) use key::{EventTime, KeyColumn, time_of};
pub(crate) use rows::RestoreError;
pub(crate) use sessions::{SessionId, SessionTable};
pub(crate) use stores::Stores;

use crate::codec::Reader;

/// The table holds as many groups, or bytes of keys, as it can number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query has more groups than its state can hold ({0})")]
pub struct TooManyGroups(pub(crate) usize);

/// What a query remembers from batch to batch.
#[derive(Debug)]
pub(crate) enum State {
    /// Of a query without GROUP BY: nothing.
    None,
    Groups(GroupTable),
    Sessions(SessionTable),
}

/// A row of a changelog: of what it tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChangedRow {
    Group(GroupId),
    Session(sessions::Name),
}

impl State {
    /// Begins the next micro-batch.
    pub(crate) fn begin_batch(&mut self) {
        match self {
            Self::None => {}
            Self::Groups(groups) => groups.begin_batch(),
            Self::Sessions(sessions) => sessions.begin_batch(),
        }
    }

    /// Says that the batch's last record was added: to be called before anything is evicted, read or written.
    pub(crate) fn end_input(&mut self) {
        if let Self::Sessions(sessions) = self {
            sessions.end_input();
        }
    }

    /// Evicts the groups whose time, or the sessions whose end, is at or before `watermark` (microseconds).
    pub(crate) fn evict(&mut self, watermark: i64) {
        match self {
            Self::None => {}
            Self::Groups(groups) => {
                groups.evict(watermark);
            }
            Self::Sessions(sessions) => {
                sessions.evict(watermark);
            }
        }
    }

    /// How many groups or sessions there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Groups(groups) => groups.len(),
            Self::Sessions(sessions) => sessions.len(),
        }
    }

    /// Memory in bytes, as allocated.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Groups(groups) => groups.bytes(),
            Self::Sessions(sessions) => sessions.bytes(),
        }
    }

    /// What the batch under way changed, each once.
    pub(crate) fn changes(&self) -> Box<dyn Iterator<Item = ChangedRow> + '_> {
        match self {
            Self::None => Box::new(std::iter::empty()),
            Self::Groups(groups) => Box::new(groups.changes().map(ChangedRow::Group)),
            Self::Sessions(sessions) => Box::new(sessions.changes().map(ChangedRow::Session)),
        }
    }

    /// Everything, each once.
    pub(crate) fn rows(&self) -> Box<dyn Iterator<Item = ChangedRow> + '_> {
        match self {
            Self::None => Box::new(std::iter::empty()),
            Self::Groups(groups) => Box::new(groups.ids().map(ChangedRow::Group)),
            Self::Sessions(sessions) => Box::new(sessions.names().map(ChangedRow::Session)),
        }
    }

    /// Appends the row of a change.
    pub(crate) fn put_change(&self, row: ChangedRow, out: &mut Vec<u8>) {
        match (self, row) {
            (Self::Groups(groups), ChangedRow::Group(id)) => groups.put_change(id, out),
            (Self::Sessions(sessions), ChangedRow::Session(name)) => sessions.put_change(name, out),
            _ => {}
        }
    }

    /// Appends the row that tells all, whatever is known.
    pub(crate) fn put_whole(&self, row: ChangedRow, out: &mut Vec<u8>) {
        match (self, row) {
            (Self::Groups(groups), ChangedRow::Group(id)) => groups.put_whole(id, out),
            (Self::Sessions(sessions), ChangedRow::Session(name)) => sessions.put_whole(name, out),
            _ => {}
        }
    }

    /// From here to [`Self::end_restore`] rows are read back, and nothing else is done.
    pub(crate) fn begin_restore(&mut self) {
        match self {
            Self::None => {}
            Self::Groups(groups) => groups.begin_restore(),
            Self::Sessions(sessions) => sessions.begin_restore(),
        }
    }

    pub(crate) fn end_restore(&mut self) {
        match self {
            Self::None => {}
            Self::Groups(groups) => groups.end_restore(),
            Self::Sessions(sessions) => sessions.end_restore(),
        }
    }

    /// Takes a row off the front of `reader` and does what it tells; or, if not `keep`, only reads it.
    pub(crate) fn restore(&mut self, format: u8, reader: &mut Reader<'_>, keep: bool) -> Result<(), RestoreError> {
        let misplaced = |what: &str| Err(crate::codec::Malformed::new(what).into());
        match self {
            Self::None => misplaced("it has rows, and the query has no state"),
            Self::Groups(groups) if format == 1 => groups.restore_format_1(reader, keep),
            Self::Groups(groups) => groups.restore(reader, keep),
            Self::Sessions(_) if format == 1 => misplaced("it is of format 1, which knows no sessions"),
            Self::Sessions(sessions) => sessions.restore(reader, keep),
        }
    }
}
