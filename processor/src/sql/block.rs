//! A query over the columns of its topic, with the queries inside of its FROM taken in: what is asked of their columns is
//! asked of what these are made of. Over the rows of a UNION ALL it is a query over the columns of those.

use sqlparser::tokenizer::Span;

use super::clauses::Clauses;
use super::error::{PlanError, refuse};
use super::lowered::{Key, LAMBDAS, Lowered};
use super::scope::Scope;
use crate::expr::Expr;
use crate::plan::{GroupKey, JoinedTable, Limit, OutputColumn, Stage};

/// Groupings in each other at most, but for the last: each has a state of its own.
const GROUPINGS_MAX: usize = 7;

/// A query without what only its outermost level has: mode and sink.
pub(super) struct Block<'t> {
    /// What is read: one topic, or those of a UNION ALL.
    pub(super) branches: Vec<Branch<'t>>,
    pub(super) levels: Vec<Level>,
    /// The tables that are joined, with all of their columns.
    pub(super) tables: Vec<JoinedTable>,
    /// How many LIMITs there are among the stages.
    pub(super) limits: usize,
    /// Groupings whose rows go on, each before those that its rows go to.
    pub(super) inner: Vec<InnerClauses>,
    /// Over what goes to no inner grouping: records, or the rows of an inner grouping, or those of a UNION ALL.
    pub(super) last: Clauses,
}

/// What is read of a topic.
pub(super) struct Branch<'t> {
    pub(super) topic: String,
    /// The columns that are read.
    pub(super) scope: Scope<'t>,
    pub(super) goes: Goes,
}

/// An inner grouping.
pub(super) struct InnerClauses {
    pub(super) clauses: Clauses,
    pub(super) goes: Goes,
}

/// Where records or the rows of an inner grouping go.
#[derive(Default)]
pub(super) struct Goes {
    /// Of a SELECT of UNION ALL: how they become rows of that.
    pub(super) side: Option<Clauses>,
    /// Its place in the text among those of the UNION ALL.
    pub(super) place: usize,
    /// The number of the inner grouping that they go to; `None`: to the last clauses.
    pub(super) to: Option<usize>,
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

impl Level {
    /// Whether it has groups, or a SELECT of its UNION ALL has.
    pub(super) fn holds_groups(&self) -> bool {
        self.is_grouped || self.united.iter().flatten().any(Self::holds_groups)
    }
}

/// One SELECT, over the columns of what it selects from.
pub(super) struct Selected {
    pub(super) level: Level,
    pub(super) place: Span,
    pub(super) tables: Vec<JoinedTable>,
    pub(super) clauses: Clauses,
}

impl<'t> Block<'t> {
    /// A query that selects from a topic.
    pub(super) fn of_topic(topic: String, scope: Scope<'t>, selected: Selected) -> Self {
        let Selected { level, tables, clauses, .. } = selected;
        let branches = vec![Branch { topic, scope, goes: Goes::default() }];
        Self { branches, levels: vec![level], tables, limits: 0, inner: Vec::new(), last: clauses }
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
        if self.last.is_grouped && selected.clauses.goes_over_rows(self.last.limit.is_some()) {
            return self.go_on(selected);
        }
        self.last.inline(&mut selected.clauses, selected.place)?;
        self.join_tables(&mut selected);
        let Selected { level, place, clauses, .. } = selected;
        let last = &mut self.last;
        if let (Some(limit), false, false) = (last.limit, clauses.is_projection(), last.is_grouped) {
            check_unordered(last, place)?;
            last.stages.push(limit_stage(&mut self.limits, limit));
            last.limit = None;
        }
        let limit = match (last.limit, clauses.limit) {
            (Some(inner), Some(outer)) => Some(inner.min(outer)),
            (inner, outer) => inner.or(outer),
        };
        if last.is_grouped {
            last.having.extend(clauses.stages.into_iter().filter_map(Stage::into_condition));
            last.order = if clauses.order.is_empty() { last.take_order() } else { clauses.order };
            last.outputs = clauses.outputs;
        } else {
            let mut clauses = clauses;
            if !clauses.is_grouped && clauses.order.is_empty() {
                clauses.order = last.take_order();
            }
            clauses.follow(last);
            *last = clauses;
        }
        last.limit = limit;
        self.levels.push(level);
        Ok(self)
    }

    /// A query over the rows of the groups of this one.
    fn go_on(mut self, mut selected: Selected) -> Result<Self, PlanError> {
        self.join_tables(&mut selected);
        self.end_groups(selected.place)?;
        // LIMIT comes first.
        self.last.stages.append(&mut selected.clauses.stages);
        selected.clauses.stages = std::mem::take(&mut self.last.stages);
        self.last = selected.clauses;
        self.levels.push(selected.level);
        Ok(self)
    }

    /// Makes an inner grouping of the last one. The rows of its groups are then what the last clauses are over, and all
    /// that those ask is the grouping's LIMIT.
    fn end_groups(&mut self, place: Span) -> Result<(), PlanError> {
        if self.inner.len() == GROUPINGS_MAX {
            let what = format!("more than {GROUPINGS_MAX} groupings stand in the query");
            return Err(refuse(place, what, "write an inner query as INSERT INTO topic SELECT …"));
        }
        let number = self.inner.len();
        self.last.order = self.last.take_order();
        let ended = self.each_goes().filter(|goes| goes.to.is_none());
        ended.for_each(|goes| goes.to = Some(number));
        let limit = self.last.limit.take().map(|rows| limit_stage(&mut self.limits, rows));
        let outputs = self.last.selected();
        let rows = Clauses { stages: limit.into_iter().collect(), outputs, ..Clauses::default() };
        self.inner.push(InnerClauses { clauses: std::mem::replace(&mut self.last, rows), goes: Goes::default() });
        Ok(())
    }

    /// Whether it has GROUP BY anywhere.
    pub(super) fn has_groups(&self) -> bool {
        self.last.is_grouped || !self.inner.is_empty()
    }

    /// The clauses of a level: an inner grouping by its number, or the last ones.
    pub(super) fn level(&self, level: Option<usize>) -> &Clauses {
        level.and_then(|level| self.inner.get(level)).map_or(&self.last, |inner| &inner.clauses)
    }

    pub(super) fn level_mut(&mut self, level: Option<usize>) -> &mut Clauses {
        level.and_then(|level| self.inner.get_mut(level)).map_or(&mut self.last, |inner| &mut inner.clauses)
    }

    pub(super) fn each_goes(&mut self) -> impl Iterator<Item = &mut Goes> {
        let branches = self.branches.iter_mut().map(|branch| &mut branch.goes);
        branches.chain(self.inner.iter_mut().map(|inner| &mut inner.goes))
    }

    /// Takes the tables of another SELECT in.
    fn join_tables(&mut self, selected: &mut Selected) {
        selected.clauses.shift(self.tables.len(), 0);
        self.tables.append(&mut selected.tables);
    }

    /// Adds a SELECT to those of a UNION ALL, whose outputs are of the types that they have there.
    pub(super) fn unite(&mut self, mut other: Self, place: Span) -> Result<(), PlanError> {
        if other.last.is_grouped {
            other.end_groups(place)?;
        }
        if !other.last.order.is_empty() {
            let what = "ORDER BY stands inside of a UNION";
            return Err(refuse(place, what, "put it behind the last SELECT, and the others in parentheses"));
        }
        if let Some(limit) = other.last.limit.take() {
            other.last.stages.push(limit_stage(&mut other.limits, limit));
        }
        if self.inner.len() + other.inner.len() > GROUPINGS_MAX {
            let what = format!("more than {GROUPINGS_MAX} groupings stand in the query");
            return Err(refuse(place, what, "run one query for each SELECT, into one topic"));
        }
        let Self { mut branches, levels, mut tables, limits, mut inner, last } = other;
        let branch_goes = branches.iter_mut().map(|branch| &mut branch.goes);
        let mut goes: Vec<&mut Goes> = branch_goes.chain(inner.iter_mut().map(|inner| &mut inner.goes)).collect();
        goes.sort_by_key(|goes| goes.place);
        let first_place = self.branches.len() + self.inner.len();
        let mut copies = false;
        for (number, goes) in goes.into_iter().enumerate() {
            match &mut goes.to {
                Some(to) => *to += self.inner.len(),
                None => {
                    let mut side = last.clone();
                    if let Some(below) = goes.side.take() {
                        // What is asked of all rows is asked of those of each; a table is then read for each.
                        if std::mem::replace(&mut copies, true) {
                            tables.extend(side.copy_tables(&tables));
                        }
                        below.inline(&mut side, place)?;
                        side.follow(&below);
                    }
                    goes.side = Some(side);
                }
            }
            goes.place = first_place + number;
            if let Some(side) = &mut goes.side {
                side.shift(self.tables.len(), self.limits);
            }
        }
        inner.iter_mut().for_each(|inner| inner.clauses.shift(self.tables.len(), self.limits));
        self.branches.append(&mut branches);
        self.inner.append(&mut inner);
        self.tables.append(&mut tables);
        self.limits += limits;
        if let Some(level) = self.levels.last_mut() {
            level.united.push(levels);
        }
        Ok(())
    }
}

/// One more LIMIT among the stages, of which there are `limits`.
fn limit_stage(limits: &mut usize, rows: u64) -> Stage {
    let number = *limits;
    *limits += 1;
    Stage::Limit(Limit { number, rows })
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
