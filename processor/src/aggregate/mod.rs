//! Aggregate functions: what they are called in a plan, and their state.
//!
//! The accumulators of a group are words of its row, side by side, so that one look into memory reaches all of them;
//! what does not fit into words (texts, sets) stands in a [`Heap`] that all groups share, and the word says where.

mod distinct;
mod encode;
mod heap;
mod merge;
mod result;
mod slot;
#[cfg(test)]
mod tests;
mod update;

use crate::types::DataType;
use heap::Heap;
use slot::{Place, Slot};

/// What an aggregate computes. FILTER (WHERE …) is the caller's: it does not show the aggregate what it leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AggregateFunction {
    /// `COUNT(*)`: rows. BIGINT.
    CountAll,
    /// `COUNT(a, …)`: rows in which no argument is NULL. BIGINT.
    Count,
    /// `COUNT_IF(a)`: rows in which a BOOLEAN is true. BIGINT.
    CountIf,
    /// `COUNT(DISTINCT a, …)`: different rows in which no argument is NULL, exactly. BIGINT.
    CountDistinct,
    /// Of BIGINT, DOUBLE or DECIMAL(p,s), which gives (p+10,s).
    Sum,
    /// Of any type that has an order.
    Min,
    /// Of any type that has an order.
    Max,
    /// Of BIGINT or DOUBLE, which give DOUBLE, or of DECIMAL(p,s), which gives (p+4,s+4).
    Avg,
    /// `EVERY`, `BOOL_AND`.
    BoolAnd,
    /// `ANY`, `SOME`, `BOOL_OR`.
    BoolOr,
    /// `FIRST`, `FIRST_VALUE`, `ANY_VALUE`, of any type.
    First { ignore_nulls: bool },
    /// `LAST`, `LAST_VALUE`, of any type.
    Last { ignore_nulls: bool },
}

/// The aggregates of a query over the rows of its groups. A row is [`Aggregates::width`] words that were given their
/// first values by [`Aggregates::clear`]; before its words are thrown away it is [released](Aggregates::release).
#[derive(Debug)]
pub(crate) struct Aggregates {
    slots: Vec<Slot>,
    /// The words of a row to which nothing was added.
    empty: Vec<u64>,
    heap: Heap,
}

impl Aggregates {
    /// Each function with the type of its argument; if it has several, with a STRUCT of theirs.
    pub(crate) fn new<'a>(functions: impl IntoIterator<Item = (AggregateFunction, &'a DataType)>) -> Self {
        let mut empty = Vec::new();
        let slots = functions.into_iter().map(|(function, input)| Slot::new(function, input, &mut empty)).collect();
        Self { slots, empty, heap: Heap::default() }
    }

    /// How many aggregates there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Words of a row.
    pub(crate) fn width(&self) -> usize {
        self.empty.len()
    }

    /// Whether the rows hold a count of rows and nothing else, in their only word.
    pub(crate) fn is_count_alone(&self) -> bool {
        matches!(self.slots.as_slice(), [Slot { place: Place { at: 0 }, kind: slot::Kind::CountAll }])
    }

    /// Whether a result depends on the order in which rows come.
    pub(crate) fn is_ordered(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot.kind, slot::Kind::Kept { .. }))
    }

    /// Makes new words a row to which nothing was added.
    pub(crate) fn clear(&self, row: &mut [u64]) {
        row.copy_from_slice(&self.empty);
    }

    /// Memory beside the rows, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.heap.bytes()
    }

    /// Gives back what the row holds beside its words, and empties it.
    pub(crate) fn release(&mut self, row: &mut [u64]) {
        if !self.heap.is_empty() {
            for slot in &self.slots {
                slot.release(row, &mut self.heap);
            }
        }
        self.clear(row);
    }
}
