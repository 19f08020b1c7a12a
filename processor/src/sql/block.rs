//! A query over the columns of its topic, with the queries inside of its FROM taken in: what is asked of their columns is
//! asked of what these are made of.

use sqlparser::tokenizer::Span;

use super::columns::{self, DEPTH_MAX, PARTS_MAX};
use super::error::{PlanError, refuse};
use super::lowered::{GENERATED, Key, LAMBDAS, Lowered, WINDOW};
use super::scope::Scope;
use crate::expr::Expr;
use crate::plan::{Aggregate, GroupKey, JoinedTable, OutputColumn, SortKey, Stage, Window};

/// Groupings in each other at most, but for the last: each has a state of its own.
const GROUPINGS_MAX: usize = 7;

/// A query without what only its outermost level has: mode and sink.
pub(super) struct Block<'t> {
    pub(super) topic: String,
    /// The columns of the topic that are read.
    pub(super) scope: Scope<'t>,
    pub(super) levels: Vec<Level>,
    /// The tables that are joined, with all of their columns.
    pub(super) tables: Vec<JoinedTable>,
    /// Groupings whose rows are grouped again, the one over records first.
    pub(super) inner: Vec<Clauses>,
    /// Over records, or over the rows of the last inner grouping.
    pub(super) last: Clauses,
}

/// What is asked of rows.
#[derive(Default)]
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

/// The normal form of one SELECT, by clauses.
#[derive(Clone, Debug, Default)]
pub(super) struct Level {
    /// Those of each SELECT of a UNION ALL, of which the others here say nothing.
    pub(super) united: Vec<Vec<Level>>,
    pub(super) outputs: Vec<String>,
    pub(super) generators: Vec<String>,
    pub(super) condition: Option<String>,
    pub(super) keys: Vec<String>,
    pub(super) having: Option<String>,
    pub(super) order: Vec<String>,
    pub(super) limit: Option<u64>,
    pub(super) is_grouped: bool,
    /// What its groups are of.
    pub(super) state: String,
}

/// One SELECT, over the columns of what it selects from.
pub(super) struct Selected {
    pub(super) level: Level,
    pub(super) place: Span,
    pub(super) tables: Vec<JoinedTable>,
    pub(super) clauses: Clauses,
}

impl Clauses {
    fn each(&mut self, see: &mut impl FnMut(&mut Expr)) {
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
    fn is_projection(&self) -> bool {
        self.stages.is_empty() && !self.is_grouped && self.order.is_empty()
    }
}

impl<'t> Block<'t> {
    /// A query that selects from a topic.
    pub(super) fn of_topic(topic: String, scope: Scope<'t>, selected: Selected) -> Self {
        let Selected { level, tables, clauses, .. } = selected;
        Self { topic, scope, levels: vec![level], tables, inner: Vec::new(), last: clauses }
    }

    /// The columns of its result, as a query over it sees them; `names` instead of their own, if there are any.
    pub(super) fn as_scope(&self, qualifier: String, names: &[String]) -> Scope<'static> {
        let name = |(number, column): (usize, &OutputColumn)| {
            // Columns that are one column are one, whatever it is called.
            let identity = match column.expr {
                Expr::Column(column) => column,
                _ => usize::MAX - number,
            };
            (names.get(number).unwrap_or(&column.name).clone(), column.data_type.clone(), identity)
        };
        Scope::of_query(qualifier, self.last.outputs.iter().enumerate().map(name))
    }

    /// A query that selects from this one.
    pub(super) fn select(mut self, mut selected: Selected) -> Result<Self, PlanError> {
        if self.last.is_grouped && selected.clauses.is_grouped {
            return self.regroup(selected);
        }
        self.inline(&mut selected)?;
        self.join_tables(&mut selected);
        let Selected { level, place, clauses, .. } = selected;
        let last = &mut self.last;
        if last.limit.is_some() && last.is_grouped && !clauses.is_projection() {
            let what = "the rows that LIMIT leaves of groups are taken as they are";
            return Err(refuse(place, what, "put WHERE and ORDER BY into the inner query, before its LIMIT"));
        }
        if let (Some(limit), false, false) = (last.limit, clauses.is_projection(), last.is_grouped) {
            check_unordered(last, place)?;
            last.stages.push(Stage::Limit(limit));
            last.limit = None;
        }
        let limit = match (last.limit, clauses.limit) {
            (Some(inner), Some(outer)) => Some(inner.min(outer)),
            (inner, outer) => inner.or(outer),
        };
        if last.is_grouped {
            for stage in clauses.stages {
                match stage {
                    Stage::Filter(condition) => last.having.push(condition),
                    Stage::Lookup(_) => {
                        let what = "groups cannot be joined with a table";
                        return Err(refuse(place, what, "join the records in the inner query"));
                    }
                    _ => {
                        let what = "rows of groups cannot be made several rows";
                        return Err(refuse(place, what, "explode the records in the inner query"));
                    }
                }
            }
            if !clauses.order.is_empty() {
                last.order = clauses.order;
            }
            last.outputs = clauses.outputs;
        } else {
            let mut clauses = clauses;
            last.stages.append(&mut clauses.stages);
            clauses.stages = std::mem::take(&mut last.stages);
            clauses.generated += last.generated;
            if !clauses.is_grouped && clauses.order.is_empty() {
                clauses.order = std::mem::take(&mut last.order);
            }
            *last = clauses;
        }
        last.limit = limit;
        self.levels.push(level);
        Ok(self)
    }

    /// A query that groups the groups of this one.
    fn regroup(mut self, mut selected: Selected) -> Result<Self, PlanError> {
        if let Some(limit) = self.last.limit.take() {
            check_unordered(&self.last, selected.place)?;
            selected.clauses.stages.insert(0, Stage::Limit(limit));
        }
        if self.inner.len() == GROUPINGS_MAX {
            let what = format!("more than {GROUPINGS_MAX} groupings stand in each other");
            return Err(refuse(selected.place, what, "write the inner query as INSERT INTO topic SELECT …"));
        }
        self.join_tables(&mut selected);
        self.inner.push(std::mem::replace(&mut self.last, selected.clauses));
        self.levels.push(selected.level);
        Ok(self)
    }

    /// Takes the tables of another SELECT in.
    fn join_tables(&mut self, selected: &mut Selected) {
        for stage in &mut selected.clauses.stages {
            if let Stage::Lookup(lookup) = stage {
                lookup.table += self.tables.len();
            }
        }
        self.tables.append(&mut selected.tables);
    }

    /// Gives the topic's columns other numbers; of a query without groups.
    pub(super) fn renumber(&mut self, number: &impl Fn(usize) -> usize) {
        self.last.stages.iter_mut().for_each(|stage| stage.each(&mut |expr| columns::renumber(expr, number)));
        self.last.outputs.iter_mut().for_each(|output| columns::renumber(&mut output.expr, number));
    }

    /// Puts what the columns are made of in place of them.
    fn inline(&self, selected: &mut Selected) -> Result<(), PlanError> {
        let Clauses { outputs, generated, .. } = &self.last;
        let sizes: Vec<usize> = outputs.iter().map(|output| columns::size(&output.expr)).collect();
        let inner = outputs.iter().map(|output| columns::depth(&output.expr)).max().unwrap_or(0);
        let mut outer = 0;
        let mut parts = 0;
        selected.clauses.each(&mut |expr| {
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
            return Err(refuse(selected.place, what, "write the inner query as INSERT INTO topic SELECT …"));
        }
        selected.clauses.each(&mut |expr| columns::replace(expr, outputs));
        Ok(())
    }
}

/// That LIMIT takes any rows.
fn check_unordered(clauses: &Clauses, place: Span) -> Result<(), PlanError> {
    if clauses.order.is_empty() {
        return Ok(());
    }
    let what = "a query over the first rows of an order is not supported";
    Err(refuse(place, what, "run the inner query into a topic, and read that"))
}

/// The parts that must all hold.
pub(super) fn conjuncts(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other.clone()],
    }
}

/// A key as the plan has it.
pub(super) fn group_key(scope: &Scope<'_>, key: &Key) -> GroupKey {
    let name = match key.typed.expr {
        Expr::Column(column) if column < LAMBDAS => scope.name(column).to_owned(),
        _ => key.typed.name.clone(),
    };
    GroupKey { name, expr: key.typed.expr.clone(), data_type: key.typed.data_type.clone() }
}

/// A column of the result as the plan has it.
pub(super) fn output(name: &str, lowered: &Lowered) -> OutputColumn {
    OutputColumn { name: name.to_owned(), expr: lowered.typed.expr.clone(), data_type: lowered.typed.data_type.clone() }
}
