//! Aggregate functions: what they are called in a plan, and their state.
//!
//! The accumulators of a group are words of its row, side by side, so that one look into memory reaches all of them;
//! what does not fit into words (texts, sets) stands in a [`Heap`] that all groups share, and the word says where.

mod bag;
pub(crate) mod cardinality;
mod distinct;
mod encode;
mod form;
mod heap;
mod list;
mod merge;
mod moments;
mod percentile;
mod result;
mod slot;
#[cfg(test)]
mod tests;
mod update;

use crate::types::DataType;
use heap::Heap;
pub(crate) use moments::{Moment, PairMoment};
pub(crate) use percentile::Percentiles;
use slot::{Kind, Place, Slot};

/// What an aggregate computes. FILTER (WHERE …) is the caller's: it does not show the aggregate what it leaves out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AggregateFunction {
    /// `COUNT(*)`: rows. BIGINT.
    CountAll,
    /// `COUNT(a, …)`: rows in which no argument is NULL. BIGINT.
    Count,
    /// `COUNT_IF(a)`: rows in which a BOOLEAN is true. BIGINT.
    CountIf,
    /// `COUNT(DISTINCT a, …)`: different rows in which no argument is NULL, exactly. BIGINT.
    CountDistinct,
    /// Of BIGINT, DOUBLE, DECIMAL(p,s), which gives (p+10,s), or INTERVAL, where it is NULL once it is too long.
    Sum,
    /// `TRY_SUM` of BIGINT: NULL once it has more bits.
    TrySum,
    /// Of any type that has an order.
    Min,
    /// Of any type that has an order.
    Max,
    /// Of BIGINT or DOUBLE, which give DOUBLE, of DECIMAL(p,s), which gives (p+4,s+4), or of INTERVAL.
    Avg,
    /// `EVERY`, `BOOL_AND`.
    BoolAnd,
    /// `ANY`, `SOME`, `BOOL_OR`.
    BoolOr,
    /// `FIRST`, `FIRST_VALUE`, `ANY_VALUE`, of any type.
    First { ignore_nulls: bool },
    /// `LAST`, `LAST_VALUE`, of any type.
    Last { ignore_nulls: bool },
    /// `BIT_AND` of a whole number, in its type.
    BitAnd,
    /// `BIT_OR`
    BitOr,
    /// `BIT_XOR`
    BitXor,
    /// Of DOUBLE.
    Moment(Moment),
    /// Of two DOUBLEs, y and x.
    PairMoment(PairMoment),
    /// `MIN_BY`: of any type, where the second argument is least; of equal ones the last.
    MinBy,
    /// `MAX_BY`
    MaxBy,
    /// `COLLECT_LIST`, `ARRAY_AGG`: all that are not NULL, in the order of the records.
    CollectList,
    /// `COLLECT_SET`: each once, in the order in which they came; a negative zero is zero.
    CollectSet,
    /// `MODE`, of any type.
    Mode,
    /// Of a number or an INTERVAL, and how often it counts, a BIGINT, if that is not once.
    Percentiles(Percentiles),
    /// Of any type, with registers that so many bits number.
    ApproxCountDistinct { bits: u8 },
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
        matches!(self.slots.as_slice(), [Slot { place: Place { at: 0 }, kind: Kind::CountAll }])
    }

    /// Whether a result depends on the order in which rows come.
    pub(crate) fn is_ordered(&self) -> bool {
        let is_ordered = |kind: &Kind| matches!(kind, Kind::Kept { .. } | Kind::By { .. } | Kind::List { .. });
        self.slots.iter().any(|slot| is_ordered(&slot.kind))
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
