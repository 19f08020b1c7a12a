//! What happens to rows on their way from a record, or from a group, to the grouping or the sink that they go to.

use crate::expr::Expr;

/// How rows from one place become rows of a UNION ALL.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// What happens to them, in order.
    pub(crate) stages: Vec<Stage>,
    /// The columns of a row of UNION ALL, over the row and what the stages have made.
    pub(crate) columns: Vec<Expr>,
}

/// A step between a record, or a row of groups, and the grouping or the sink that it goes to.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Records go on for which it is true.
    Filter(Expr),
    /// Makes rows of one, and adds columns: they come after the window's.
    Generate(Generator),
    /// Adds the columns of a row of a table, as a generator does.
    Lookup(Lookup),
    Limit(Limit),
}

/// So many rows go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Of the count of rows, among those of the query: the sides of a UNION ALL may count together.
    pub(crate) number: usize,
    pub(crate) rows: u64,
}

/// How long rows are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Over the query's life.
    Query,
    /// In each batch anew, for each has the whole result.
    Batch,
}

/// JOIN with a table of latest values: a row has one partner at most.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// By number.
    pub(crate) table: usize,
    /// Over the row, in the order and of the types of the table's key.
    pub(crate) keys: Vec<Expr>,
    /// What else must be true of the row and its partner.
    pub(crate) condition: Option<Expr>,
    /// A row without a partner goes on, with NULLs.
    pub(crate) outer: bool,
    /// For each column that it adds, which of the table's it is, counted over key and kept; `None` if nothing reads it.
    pub(crate) columns: Vec<Option<usize>>,
}

/// What makes several rows of one.
#[derive(Clone, Debug)]
pub(crate) enum Generator {
    /// A row for each window that a time is in; a STRUCT of start and end.
    Windows { time: Expr, size_micros: i64, slide_micros: i64, start_micros: i64 },
    /// A row for each element of an ARRAY, or for each entry of a MAP, whose key and value are two columns.
    Explode {
        operand: Expr,
        /// The number of the element comes first, an INT from 0.
        position: bool,
        /// A row of NULLs where there are no elements.
        outer: bool,
        /// Columns of an element; the fields of a STRUCT if `inline`.
        width: usize,
        inline: bool,
    },
    /// A row for each list: GROUPING SETS, stack.
    Rows(Vec<Vec<Expr>>),
}

impl Generator {
    /// How many columns it makes.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Windows { .. } => 1,
            Self::Explode { position, width, .. } => width + usize::from(*position),
            Self::Rows(rows) => rows.first().map_or(0, Vec::len),
        }
    }
}

impl Stage {
    /// What is asked of rows, if it is nothing else.
    pub(crate) fn into_condition(self) -> Option<Expr> {
        match self {
            Self::Filter(condition) => Some(condition),
            Self::Generate(_) | Self::Lookup(_) | Self::Limit(_) => None,
        }
    }

    /// How many columns it adds.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Generate(generator) => generator.width(),
            Self::Lookup(lookup) => lookup.columns.len(),
            Self::Filter(_) | Self::Limit(_) => 0,
        }
    }

    /// Its expressions.
    pub(crate) fn each(&mut self, see: &mut impl FnMut(&mut Expr)) {
        match self {
            Self::Filter(condition) => see(condition),
            Self::Limit(_) => {}
            Self::Lookup(Lookup { keys, condition, .. }) => keys.iter_mut().chain(condition).for_each(see),
            Self::Generate(Generator::Windows { time, .. }) => see(time),
            Self::Generate(Generator::Explode { operand, .. }) => see(operand),
            Self::Generate(Generator::Rows(rows)) => rows.iter_mut().flatten().for_each(see),
        }
    }
}
