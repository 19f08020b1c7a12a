//! SELECT to a plan, clause by clause.

use sqlparser::ast::{Distinct, Expr, Query, Select, SetExpr, Spanned};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::assemble::{self, Parts};
use super::error::{PlanError, refuse};
use super::items::{Item, ItemSource};
use super::literal::identifier;
use super::lowered::{Clause, KEYS, Lowered, Lowering, WINDOW, at};
use super::schema::Table;
use super::scope::Scope;
use super::text::Text;
use super::{PlanSettings, SHAPE, from, group, mode, names, order};
use crate::expr::build;
use crate::plan::{Plan, Sink};
use crate::types::DataType;

/// A column of the result.
pub(super) struct Output {
    pub(super) name: String,
    pub(super) lowered: Lowered,
}

pub(super) fn query(
    text: &Text,
    query: &Query,
    tables: &[Table],
    sink: Sink,
    settings: &PlanSettings,
) -> Result<Plan, PlanError> {
    let at = |keyword, what: &str, instead: &str| Err(refuse(text.keyword(keyword), what, instead));
    if query.with.is_some() {
        return at(Keyword::WITH, "WITH is not supported", SHAPE);
    }
    if query.fetch.is_some() {
        return at(Keyword::FETCH, "FETCH is not supported", "write LIMIT 10");
    }
    let plain = query.locks.is_empty() && query.for_clause.is_none() && query.settings.is_none();
    if !plain || query.format_clause.is_some() || !query.pipe_operators.is_empty() {
        return at(Keyword::SELECT, "the clause at the end of the query is not supported", SHAPE);
    }
    match query.body.as_ref() {
        SetExpr::Select(select) => lower_select(text, query, select, tables, sink, settings),
        SetExpr::SetOperation { op, .. } => {
            let keyword = match op.to_string().as_str() {
                "EXCEPT" => Keyword::EXCEPT,
                "INTERSECT" => Keyword::INTERSECT,
                _ => Keyword::UNION,
            };
            at(keyword, &format!("{op} is not supported"), "run one query for each SELECT")
        }
        SetExpr::Values(_) => at(Keyword::VALUES, "VALUES is not supported", "send records with a Kafka producer"),
        _ => Err(text.at_start("only a plain SELECT is supported", SHAPE)),
    }
}

fn lower_select(
    text: &Text,
    query: &Query,
    select: &Select,
    tables: &[Table],
    sink: Sink,
    settings: &PlanSettings,
) -> Result<Plan, PlanError> {
    from::refuse_clauses(text, select)?;
    let from = from::source(text, select)?;
    let table = tables.iter().find(|table| table.name.eq_ignore_ascii_case(&from.name));
    let topic = table.map_or(&from.name, |table| &table.topic).clone();
    names::check(&topic, from.place)?;
    let qualifier = from.alias.unwrap_or(from.name);
    let mut lowering = Lowering::new(text, Scope::new(qualifier, table));
    let items = Item::all(&mut lowering, &select.projection)?;
    let distinct = is_distinct(text, select)?;

    // The first spelling of a field that no table declares is its name, and SELECT comes first in the text. What is
    // wrong is told when the item is lowered again: it may need GROUP BY to be known.
    for item in &items {
        let _ = item.lower(&mut lowering, Clause::Select);
    }
    lowering.aggregates.clear();
    let condition = match &select.selection {
        Some(condition) => Some(condition_of(&mut lowering, condition, Clause::Where)?),
        None => None,
    };
    let has_group_by = group::keys(&mut lowering, select, &items)?;
    let mut outputs = lower_outputs(&mut lowering, &items)?;
    let having = match &select.having {
        Some(having) => Some(condition_of(&mut lowering, having, Clause::Having)?),
        None => None,
    };
    let is_aggregate = has_group_by || !lowering.aggregates.is_empty();
    if let (Some(condition), false) = (&select.having, is_aggregate) {
        let what = "HAVING needs GROUP BY or an aggregate";
        return Err(refuse(condition.span(), what, "filter records with WHERE"));
    }
    if distinct && !is_aggregate {
        group::distinct(&mut lowering, &items)?;
        lowering.outputs.clear();
        outputs = lower_outputs(&mut lowering, &items)?;
    }
    let order = order::lower(&mut lowering, query, &outputs)?;
    let is_grouped = is_aggregate || distinct || !lowering.aggregates.is_empty();
    if is_grouped {
        for (output, item) in outputs.iter().zip(&items) {
            over_groups(&lowering, &output.lowered, item.place, "SELECT")?;
        }
        if let (Some(having), Some(condition)) = (&having, &select.having) {
            over_groups(&lowering, having, condition.span(), "HAVING")?;
        }
        let clause = if distinct && !is_aggregate { "SELECT DISTINCT … ORDER BY" } else { "ORDER BY" };
        for key in &order.keys {
            over_groups(&lowering, &key.lowered, key.place, clause)?;
        }
        if distinct && is_aggregate {
            mode::distinct_groups(&lowering, &outputs, text, settings)?;
        }
    }
    let parts = Parts { topic, condition, outputs, having, order, is_grouped, sink };
    assemble::plan(lowering, parts, settings)
}

fn is_distinct(text: &Text, select: &Select) -> Result<bool, PlanError> {
    match &select.distinct {
        None | Some(Distinct::All) => Ok(false),
        Some(Distinct::Distinct) => Ok(true),
        Some(Distinct::On(_)) => {
            let what = "DISTINCT ON is not supported";
            Err(refuse(text.keyword(Keyword::DISTINCT), what, "write SELECT DISTINCT columns"))
        }
    }
}

/// A condition that must be BOOLEAN.
fn condition_of(lowering: &mut Lowering<'_>, expr: &Expr, clause: Clause) -> Result<Lowered, PlanError> {
    let Lowered { typed, text, open } = lowering.lower(expr, clause)?;
    if typed.data_type == DataType::Null {
        return Err(refuse(expr.span(), "a bare NULL is no condition", "write FALSE"));
    }
    Ok(Lowered { typed: build::condition(typed).map_err(at(expr.span()))?, text, open })
}

fn lower_outputs(lowering: &mut Lowering<'_>, items: &[Item<'_>]) -> Result<Vec<Output>, PlanError> {
    let mut outputs = Vec::with_capacity(items.len());
    for item in items {
        let lowered = item.lower(lowering, Clause::Select)?;
        let name = item.alias.clone().unwrap_or_else(|| unaliased(item, &lowered));
        lowering.outputs.push((name.clone(), lowered.clone()));
        outputs.push(Output { name, lowered });
    }
    Ok(outputs)
}

/// What Spark calls a column without an alias: a path by its last name, everything else by its text.
fn unaliased(item: &Item<'_>, lowered: &Lowered) -> String {
    let mut source = match &item.source {
        ItemSource::Expr(expr) => *expr,
        ItemSource::Names(names) => return names.last().cloned().unwrap_or_default(),
    };
    while let Expr::Nested(inner) = source {
        source = inner;
    }
    match source {
        Expr::Identifier(ident) => identifier(ident),
        Expr::CompoundIdentifier(parts) => parts.last().map(identifier).unwrap_or_default(),
        _ => lowered.typed.name.clone(),
    }
}

/// That an expression is made of keys and aggregates alone.
fn over_groups(lowering: &Lowering<'_>, lowered: &Lowered, place: Span, clause: &str) -> Result<(), PlanError> {
    let columns = super::columns::of(&lowered.typed.expr);
    let Some(column) = columns.into_iter().find(|column| *column < KEYS) else { return Ok(()) };
    if column == WINDOW {
        let what = "the window stands here and is not grouped";
        return Err(refuse(place, what, "write GROUP BY window(…) with the same arguments"));
    }
    let name = lowering.scope.name(column);
    let here = |(referenced, span): &&(usize, Span)| *referenced == column && span.start >= place.start;
    let place = lowering.references.iter().find(here).map_or(place, |(_, span)| *span);
    let what = format!("{name} stands in {clause} and is not grouped");
    Err(refuse(place, what, format!("add {name} to GROUP BY, or take it out of {clause}")))
}
