//! An expression of the text, lowered; and what a query has gathered when it is.

use std::rc::Rc;

use sqlparser::ast::{Expr, Ident, Spanned};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal::identifier;
use super::scope::Scope;
use super::text::Text;
use super::window::Windowed;
use crate::expr::build::{BuildError, Typed};
use crate::plan::{Aggregate, JoinedTable, Stage};
use crate::types::DataType;

/// Columns of an expression while it is lowered. Below are the columns of what is selected from; in a plan, keys and
/// aggregates are numbered from 0, a window follows the source's columns, and generated columns follow that. Parameters
/// of lambdas keep their numbers.
pub(super) const LAMBDAS: usize = 1 << 22;
/// The first column that a generator makes.
pub(super) const GENERATED: usize = 1 << 23;
/// The window of GROUP BY.
pub(super) const WINDOW: usize = 1 << 24;
/// The first group key.
pub(super) const KEYS: usize = 1 << 25;
/// The first aggregate.
pub(super) const AGGREGATES: usize = 1 << 26;

/// How deep expressions may stand in each other.
const DEPTH_MAX: usize = 64;

/// A typed expression with its normal form.
#[derive(Clone, Debug)]
pub(super) struct Lowered {
    pub(super) typed: Typed,
    /// Equal for expressions that differ in spacing, in the case of keywords and names, or in qualifiers. Keys are
    /// recognised by it.
    pub(super) text: String,
    /// Whether the text needs parentheses inside of another.
    pub(super) open: bool,
}

impl Lowered {
    pub(super) fn new(typed: Typed, text: String) -> Self {
        Self { typed, text, open: false }
    }

    /// A predicate, whose text has no parentheses around it.
    pub(super) fn open(typed: Typed, text: String) -> Self {
        Self { typed, text, open: true }
    }

    /// The text, to stand inside of another.
    pub(super) fn closed(&self) -> String {
        if self.open { format!("({})", self.text) } else { self.text.clone() }
    }

    /// Called so in the result and in larger expressions.
    pub(super) fn named(mut self, name: impl Into<String>) -> Self {
        self.typed.name = name.into();
        self.typed.text.clone_from(&self.typed.name);
        self
    }
}

/// The clause in which an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    Where,
    GroupBy,
    Select,
    Having,
    OrderBy,
    /// The argument of an aggregate, or its FILTER.
    Argument,
}

impl Clause {
    /// Whether it is about groups, if the query has any.
    pub(super) fn is_over_groups(self) -> bool {
        matches!(self, Self::Select | Self::Having | Self::OrderBy)
    }
}

/// A group key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) typed: Typed,
    pub(super) text: String,
}

/// A column that a generator makes.
#[derive(Clone, Debug)]
pub(super) struct Generated {
    /// Of LATERAL VIEW.
    pub(super) qualifier: Option<String>,
    /// None can be called by no name.
    pub(super) name: Option<String>,
    pub(super) data_type: DataType,
    pub(super) text: String,
    pub(super) reach: Reach,
}

/// Where a column that is made is known by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nowhere: SELECT makes it.
    Hidden,
    /// Behind its qualifier, and not among `*`.
    Qualified,
    /// Everywhere.
    Plain,
    /// Everywhere; alone its name must not be one that the topic may have too.
    Joined,
}

impl Reach {
    /// Whether the name may stand alone.
    pub(super) fn is_plain(self) -> bool {
        matches!(self, Self::Plain | Self::Joined)
    }
}

/// What lowering has gathered of a query.
pub(super) struct Lowering<'t> {
    pub(super) text: Rc<Text>,
    pub(super) scope: Scope<'t>,
    pub(super) keys: Vec<Key>,
    /// With their normal forms.
    pub(super) aggregates: Vec<(String, Aggregate)>,
    pub(super) window: Option<Windowed>,
    /// The columns of SELECT by their names, as far as they are lowered.
    pub(super) outputs: Vec<(String, Lowered)>,
    /// The tables that are joined, with all of their columns.
    pub(super) tables: Vec<JoinedTable>,
    /// JOINs, and what makes several rows of one, with their normal forms; a condition belongs to the JOIN before it and
    /// has none.
    pub(super) makers: Vec<(String, Stage)>,
    /// The columns that they make, from GENERATED on.
    pub(super) generated: Vec<Generated>,
    /// Parameters of the lambdas around an expression, from LAMBDAS on.
    pub(super) parameters: Vec<(String, DataType)>,
    /// Whether it has GROUP BY.
    pub(super) has_group_by: bool,
    /// Columns in the order in which they are named.
    pub(super) references: Vec<(usize, Span)>,
    depth: usize,
}

impl<'t> Lowering<'t> {
    pub(super) fn new(text: Rc<Text>, scope: Scope<'t>) -> Self {
        Self {
            text,
            scope,
            keys: Vec::new(),
            aggregates: Vec::new(),
            window: None,
            outputs: Vec::new(),
            tables: Vec::new(),
            makers: Vec::new(),
            generated: Vec::new(),
            parameters: Vec::new(),
            has_group_by: false,
            references: Vec::new(),
            depth: 0,
        }
    }

    /// Lowers an expression; one that is a group key becomes that key's column.
    pub(super) fn lower(&mut self, expr: &Expr, clause: Clause) -> Result<Lowered, PlanError> {
        if self.depth == DEPTH_MAX {
            let what = format!("expressions stand more than {DEPTH_MAX} deep in each other");
            return Err(refuse(expr.span(), what, "take parentheses away, or write the query in a simpler way"));
        }
        self.depth += 1;
        let lowered = self.expression(expr, clause);
        self.depth -= 1;
        lowered.map(|lowered| self.keyed(lowered, clause))
    }

    /// Makes a key of what is one.
    pub(super) fn keyed(&self, mut lowered: Lowered, clause: Clause) -> Lowered {
        if clause.is_over_groups()
            && let Some(key) = self.keys.iter().position(|key| key.text == lowered.text)
        {
            lowered.typed.expr = crate::expr::Expr::Column(KEYS + key);
        }
        lowered
    }

    /// The column of SELECT of this name, in any case.
    pub(super) fn output(&self, name: &str) -> Option<Lowered> {
        let folded = name.to_lowercase();
        self.outputs.iter().find(|(name, _)| name.to_lowercase() == folded).map(|(_, lowered)| lowered.clone())
    }

    /// A name, or a chain of them.
    pub(super) fn chain(&mut self, parts: &[Ident], clause: Clause) -> Result<Lowered, PlanError> {
        let place = Span::union_iter(parts.iter().map(|part| part.span));
        let names: Vec<String> = parts.iter().map(identifier).collect();
        if let [name] = names.as_slice()
            && matches!(clause, Clause::Having | Clause::OrderBy)
            && let Some(output) = self.output(name)
        {
            return Ok(output.named(name));
        }
        self.path(&names, Vec::new(), place, clause)
    }
}

/// Places an error of the builder.
pub(super) fn at(place: Span) -> impl Fn(BuildError) -> PlanError {
    move |error| refuse(place, error.what, error.instead)
}
