//! What a SELECT asks of rows, clause by clause, in the columns of what it selects from.

use sqlparser::tokenizer::Span;

use super::columns::{self, DEPTH_MAX, PARTS_MAX};
use super::error::{PlanError, refuse};
use super::lowered::{GENERATED, LAMBDAS, WINDOW};
use super::number::OUTPUTS;
use crate::expr::Expr;
use crate::plan::{Aggregate, GroupKey, JoinedTable, OutputColumn, SortKey, Stage, Window};

/// What is asked of rows.
#[derive(Clone, Default)]
pub(super) struct Clauses {
    /// What happens to them, in order.
    pub(super) stages: Vec<Stage>,
    /// Columns that the stages make.
    pub(super) generated: usize,
    pub(super) is_grouped: bool,
    /// The keys, and their expressions over groups.
    pub(super) keys: Vec<GroupKey>,
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) window: Option<Window>,
    /// The conjuncts of HAVING.
    pub(super) having: Vec<Expr>,
    pub(super) outputs: Vec<OutputColumn>,
    pub(super) order: Vec<SortKey>,
    pub(super) limit: Option<u64>,
}

impl Clauses {
    pub(super) fn each(&mut self, see: &mut impl FnMut(&mut Expr)) {
        self.stages.iter_mut().for_each(|stage| stage.each(see));
        self.keys.iter_mut().for_each(|key| see(&mut key.expr));
        for aggregate in &mut self.aggregates {
            aggregate.arguments.iter_mut().chain(&mut aggregate.filter).for_each(&mut *see);
        }
        if let Some(window) = &mut self.window {
            window.each(see);
        }
        self.having.iter_mut().for_each(&mut *see);
        self.outputs.iter_mut().for_each(|output| see(&mut output.expr));
        self.order.iter_mut().for_each(|key| see(&mut key.expr));
    }

    /// Whether they only take columns of what is selected from.
    pub(super) fn is_projection(&self) -> bool {
        self.stages.is_empty() && !self.is_grouped && self.order.is_empty()
    }

    /// Whether over groups, of which LIMIT leaves some if `is_limited`, they ask something of rows that neither HAVING nor
    /// the columns of the groups can say.
    pub(super) fn goes_over_rows(&self, is_limited: bool) -> bool {
        let makes_rows = |stage: &Stage| !matches!(stage, Stage::Filter(_));
        self.is_grouped || self.stages.iter().any(makes_rows) || is_limited && !self.is_projection()
    }

    /// ORDER BY, with what the columns of SELECT are made of in place of them: whoever takes it has others.
    pub(super) fn take_order(&mut self) -> Vec<SortKey> {
        let mut order = std::mem::take(&mut self.order);
        for key in &mut order {
            columns::visit(&mut key.expr, &mut |expr, column| {
                if let Some(output) = column.checked_sub(OUTPUTS).and_then(|number| self.outputs.get(number)) {
                    *expr = output.expr.clone();
                }
            });
        }
        order
    }

    /// The columns of what is selected, as clauses over them have them.
    pub(super) fn selected(&self) -> Vec<OutputColumn> {
        let column =
            |(number, output): (usize, &OutputColumn)| OutputColumn { expr: Expr::Column(number), ..output.clone() };
        self.outputs.iter().enumerate().map(column).collect()
    }

    /// Goes on where other clauses end, in whose columns it is written.
    pub(super) fn follow(&mut self, below: &Self) {
        self.stages.splice(..0, below.stages.iter().cloned());
        self.generated += below.generated;
    }

    /// Gives tables and LIMITs other numbers.
    pub(super) fn shift(&mut self, tables: usize, limits: usize) {
        for stage in &mut self.stages {
            match stage {
                Stage::Lookup(lookup) => lookup.table += tables,
                Stage::Limit(limit) => limit.number += limits,
                Stage::Filter(_) | Stage::Generate(_) => {}
            }
        }
    }

    /// Looks up copies of its tables, which are to stand behind `tables`.
    pub(super) fn copy_tables(&mut self, tables: &[JoinedTable]) -> Vec<JoinedTable> {
        let mut copies = Vec::new();
        for stage in &mut self.stages {
            if let Stage::Lookup(lookup) = stage
                && let Some(table) = tables.get(lookup.table)
            {
                lookup.table = tables.len() + copies.len();
                copies.push(table.clone());
            }
        }
        copies
    }

    /// Gives columns other numbers.
    pub(super) fn renumber(&mut self, number: &impl Fn(usize) -> usize) {
        self.each(&mut |expr| columns::renumber(expr, number));
    }

    /// Puts into clauses over its columns what these are made of in place of them.
    pub(super) fn inline(&self, above: &mut Self, place: Span) -> Result<(), PlanError> {
        let Self { outputs, generated, .. } = self;
        let sizes: Vec<usize> = outputs.iter().map(|output| columns::size(&output.expr)).collect();
        let inner = outputs.iter().map(|output| columns::depth(&output.expr)).max().unwrap_or(0);
        let mut outer = 0;
        let mut parts = 0;
        above.each(&mut |expr| {
            outer = outer.max(columns::depth(expr));
            parts += columns::size(expr);
            columns::visit(expr, &mut |expr, column| match column {
                LAMBDAS.. if column < GENERATED => {}
                GENERATED.. if column < WINDOW => *expr = Expr::Column(column + generated),
                WINDOW.. => {}
                _ => parts += sizes.get(column).copied().unwrap_or(0),
            });
        });
        if parts > PARTS_MAX || inner + outer > DEPTH_MAX {
            let what = "the expressions of the inner queries are too large when they are put together";
            return Err(refuse(place, what, "write the inner query as INSERT INTO topic SELECT …"));
        }
        above.each(&mut |expr| columns::replace(expr, outputs));
        Ok(())
    }
}
