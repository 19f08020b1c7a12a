//! Typed expressions over rows: built and checked by `build`, computed by `eval`.

pub(crate) mod build;
mod eval;
mod functions;
mod lambda;
#[cfg(test)]
mod recorded_tests;

use std::sync::Arc;

pub(crate) use eval::Nothing;
pub(crate) use functions::similar::edits;
pub(crate) use lambda::{HigherOrder, Lambda};

use crate::types::{DataType, Value};

/// What an expression reads: the columns of a record, or the keys and aggregates of a group.
pub(crate) trait Row {
    /// The value of a column; NULL past the last one.
    fn value(&self, column: usize) -> Value<'_>;
}

/// An expression whose operands have the types that it needs: conversions are casts of their own.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    /// A constant.
    Literal(Value<'static>),
    /// A column of the row.
    Column(usize),
    /// A field of a struct by its number.
    Field(Box<Expr>, usize),
    /// A conversion from one type to another, as Spark's CAST: NULL where it fails.
    Cast {
        operand: Box<Expr>,
        from: DataType,
        to: DataType,
    },
    /// Both sides are of one type.
    Compare {
        op: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// NULL if one is unknown and none decides.
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull(Box<Expr>),
    /// All of one type.
    In(Box<Expr>, Vec<Expr>),
    /// The first branch whose condition is true.
    Case {
        branches: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
    /// A function over values and functions.
    HigherOrder {
        function: HigherOrder,
        arguments: Vec<Expr>,
        lambdas: Vec<Lambda>,
    },
    /// Everything else: operators and functions by what they do to values. `arguments` are in the function's types.
    Call {
        function: Arc<functions::Function>,
        arguments: Vec<Expr>,
    },
}

/// `<=>` is `NullSafeEq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    NullSafeEq,
}
