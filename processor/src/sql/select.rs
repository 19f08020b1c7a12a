//! SELECT to a plan, clause by clause.

use std::cell::Cell;
use std::rc::Rc;

use sqlparser::ast::{Distinct, Expr, GroupByExpr, Query, Select, SetExpr, SetOperator, SetQuantifier, Spanned};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::assemble::{self, Parts};
use super::block::Block;
use super::error::{PlanError, refuse};
use super::items::{Item, ItemSource};
use super::literal::identifier;
use super::lowered::{Clause, GENERATED, KEYS, Lowered, Lowering, WINDOW, at};
use super::schema::Table;
use super::scope::Scope;
use super::text::Text;
use super::{PlanSettings, SHAPE, from, group, order, union};
use crate::expr::build;
use crate::plan::{Plan, Sink};
use crate::types::DataType;

/// A column of the result.
pub(super) struct Output {
    pub(super) name: String,
    pub(super) lowered: Lowered,
}

/// What the queries of a statement have in common.
#[derive(Clone)]
pub(super) struct Context<'q> {
    pub(super) tables: &'q [Table],
    /// WITH, as far as it is known where a query stands.
    pub(super) named: Vec<Named<'q>>,
    /// Queries lowered so far: one that is named is lowered each time it is read.
    pub(super) lowered: Rc<Cell<usize>>,
}

/// A query of WITH.
#[derive(Clone)]
pub(super) struct Named<'q> {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) query: &'q Query,
}

/// The most queries inside of one.
const QUERIES_MAX: usize = 100;

pub(super) fn query(
    text: &Text,
    query: &Query,
    tables: &[Table],
    sink: Sink,
    settings: &PlanSettings,
) -> Result<Plan, PlanError> {
    let text = Rc::new(text.clone());
    let context = Context { tables, named: Vec::new(), lowered: Rc::default() };
    let block = block(&context, &text, query)?;
    assemble::plan(block, &text, sink, settings)
}

/// A query with what is inside of it.
pub(super) fn block<'q>(context: &Context<'q>, text: &Rc<Text>, query: &'q Query) -> Result<Block<'q>, PlanError> {
    let at = |keyword, what: &str, instead: &str| Err(refuse(text.keyword(keyword), what, instead));
    context.lowered.set(context.lowered.get() + 1);
    if context.lowered.get() > QUERIES_MAX {
        let what = format!("more than {QUERIES_MAX} queries stand in this one");
        return Err(refuse(query.span(), what, "write some of them as INSERT INTO topic SELECT …"));
    }
    if query.fetch.is_some() {
        return at(Keyword::FETCH, "FETCH is not supported", "write LIMIT 10");
    }
    let plain = query.locks.is_empty() && query.for_clause.is_none() && query.settings.is_none();
    if !plain || query.format_clause.is_some() || !query.pipe_operators.is_empty() {
        return at(Keyword::SELECT, "the clause at the end of the query is not supported", SHAPE);
    }
    let mut context = context.clone();
    if let Some(with) = &query.with {
        if with.recursive {
            return at(Keyword::WITH, "WITH RECURSIVE is not supported", "write WITH name AS (SELECT …)");
        }
        for named in &with.cte_tables {
            let name = identifier(&named.alias.name);
            let columns = named.alias.columns.iter().map(|column| identifier(&column.name)).collect();
            context.named.push(Named { name, columns, query: &named.query });
        }
    }
    match query.body.as_ref() {
        SetExpr::Select(select) => select_block(&context, text, Some(query), select),
        body => {
            let inner = set(&context, text, body)?;
            ordered(text, query, inner)
        }
    }
}

/// A query without ORDER BY and LIMIT.
pub(super) fn set<'q>(context: &Context<'q>, text: &Rc<Text>, body: &'q SetExpr) -> Result<Block<'q>, PlanError> {
    let at = |keyword, what: &str, instead: &str| Err(refuse(text.keyword(keyword), what, instead));
    match body {
        SetExpr::Select(select) => select_block(context, text, None, select),
        SetExpr::Query(inner) => {
            let inner_text = Rc::new(text.within(inner.span()));
            block(context, &inner_text, inner)
        }
        SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, right } => match set_quantifier {
            SetQuantifier::All => union::all(context, text, left, right),
            SetQuantifier::None | SetQuantifier::Distinct => {
                let united = union::all(context, text, left, right)?;
                distinct_rows(text, None, body.span(), united)
            }
            _ => at(Keyword::UNION, "UNION BY NAME is not supported", "write UNION ALL, with the columns in one order"),
        },
        SetExpr::SetOperation { op, set_quantifier, .. } => {
            let keyword = match op {
                SetOperator::Except | SetOperator::Minus => Keyword::EXCEPT,
                SetOperator::Intersect => Keyword::INTERSECT,
                SetOperator::Union => Keyword::UNION,
            };
            let what = format!("{op} {set_quantifier} is not supported");
            at(keyword, what.replace("  ", " ").trim(), "write UNION ALL, or run one query for each SELECT")
        }
        SetExpr::Values(_) => at(Keyword::VALUES, "VALUES is not supported", "send records with a Kafka producer"),
        _ => Err(text.at_start("only a plain SELECT is supported", SHAPE)),
    }
}

/// ORDER BY and LIMIT after a query in parentheses or after UNION ALL.
fn ordered<'q>(text: &Rc<Text>, query: &Query, inner: Block<'q>) -> Result<Block<'q>, PlanError> {
    if query.order_by.is_none() && query.limit_clause.is_none() {
        return Ok(inner);
    }
    let mut lowering = Lowering::new(text.clone(), inner.as_scope(String::new(), &[]));
    let items: Vec<Item<'_>> =
        (0..inner.last.outputs.len()).map(|column| Item::numbered(column, query.span())).collect();
    let outputs = lower_outputs(&mut lowering, &items)?;
    let order = order::lower(&mut lowering, query, &outputs)?;
    let parts = Parts { condition: None, outputs, having: None, order, is_grouped: false, place: query.span() };
    inner.select(parts.selected(&lowering))
}

/// A SELECT, with the ORDER BY and LIMIT of `query`.
pub(super) fn select_block<'q>(
    context: &Context<'q>,
    text: &Rc<Text>,
    query: Option<&Query>,
    select: &'q Select,
) -> Result<Block<'q>, PlanError> {
    from::refuse_clauses(text, select)?;
    let joins = select.from.iter().flat_map(|from| &from.joins);
    let join = |lowering: &mut Lowering<'_>| joins.clone().try_for_each(|join| lowering.join(context, join));
    match from::source(context, text, select)? {
        from::Source::Topic { topic, qualifier, table } => {
            let mut lowering = Lowering::new(text.clone(), Scope::new(qualifier, table));
            join(&mut lowering)?;
            let (parts, distinct) = lower_select(&mut lowering, query, select)?;
            let selected = parts.selected(&lowering);
            let block = Block::of_topic(topic, lowering.scope, selected);
            if distinct { distinct_rows(text, query, select.span(), block) } else { Ok(block) }
        }
        from::Source::Query { block, qualifier, columns } => {
            let scope = block.as_scope(qualifier, &columns);
            let mut lowering = Lowering::new(text.clone(), scope);
            join(&mut lowering)?;
            let (parts, distinct) = lower_select(&mut lowering, query, select)?;
            let block = block.select(parts.selected(&lowering))?;
            if distinct { distinct_rows(text, query, select.span(), block) } else { Ok(block) }
        }
    }
}

/// DISTINCT over the rows of a query: they are grouped.
fn distinct_rows<'t>(
    text: &Rc<Text>,
    query: Option<&Query>,
    place: Span,
    block: Block<'t>,
) -> Result<Block<'t>, PlanError> {
    let mut lowering = Lowering::new(text.clone(), block.as_scope(String::new(), &[]));
    let items: Vec<Item<'_>> = (0..block.last.outputs.len()).map(|column| Item::numbered(column, place)).collect();
    group::distinct(&mut lowering, &items)?;
    let outputs = lower_outputs(&mut lowering, &items)?;
    let order = ordered_groups(&mut lowering, query, &outputs, "SELECT DISTINCT … ORDER BY")?;
    let parts = Parts { condition: None, outputs, having: None, order, is_grouped: true, place };
    block.select(parts.selected(&lowering))
}

/// ORDER BY and LIMIT of a query with groups.
fn ordered_groups(
    lowering: &mut Lowering<'_>,
    query: Option<&Query>,
    outputs: &[Output],
    clause: &str,
) -> Result<order::Order, PlanError> {
    let Some(query) = query else { return Ok(order::Order::default()) };
    let order = order::lower(lowering, query, outputs)?;
    for key in &order.keys {
        over_groups(lowering, &key.lowered, key.place, clause)?;
    }
    Ok(order)
}

/// The clauses of a SELECT; true if DISTINCT is to be taken of its groups, whose order is then not lowered.
fn lower_select(
    lowering: &mut Lowering<'_>,
    query: Option<&Query>,
    select: &Select,
) -> Result<(Parts, bool), PlanError> {
    let text = lowering.text.clone();
    let distinct = is_distinct(&text, select)?;
    let no_keys = matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty());
    lowering.has_group_by = distinct || !no_keys;
    for view in &select.lateral_views {
        lowering.lateral_view(view)?;
    }
    let items = Item::all(lowering, &select.projection)?;

    // The first spelling of a field that no table declares is its name, and SELECT comes first in the text. What is
    // wrong is told when the item is lowered again: it may need GROUP BY to be known.
    for item in &items {
        let _ = item.lower(lowering, Clause::Select);
    }
    let selects_aggregates = !lowering.aggregates.is_empty();
    lowering.aggregates.clear();
    let condition = match &select.selection {
        Some(condition) => Some(condition_of(lowering, condition, Clause::Where)?),
        None => None,
    };
    let has_group_by = group::keys(lowering, select, &items)?;
    let is_aggregate = has_group_by || selects_aggregates || select.having.is_some();
    if distinct && !is_aggregate {
        group::distinct(lowering, &items)?;
    }
    let outputs = lower_outputs(lowering, &items)?;
    let having = match &select.having {
        Some(having) => Some(condition_of(lowering, having, Clause::Having)?),
        None => None,
    };
    let is_aggregate = has_group_by || !lowering.aggregates.is_empty();
    if let (Some(condition), false) = (&select.having, is_aggregate) {
        let what = "HAVING needs GROUP BY or an aggregate";
        return Err(refuse(condition.span(), what, "filter records with WHERE"));
    }
    let place = select.span();
    if !is_aggregate && !distinct {
        let order =
            query.map_or_else(|| Ok(order::Order::default()), |query| order::lower(lowering, query, &outputs))?;
        let is_grouped = !lowering.aggregates.is_empty();
        if !is_grouped {
            return Ok((Parts { condition, outputs, having, order, is_grouped, place }, false));
        }
    }
    for (output, item) in outputs.iter().zip(&items) {
        over_groups(lowering, &output.lowered, item.place, "SELECT")?;
    }
    if let (Some(having), Some(condition)) = (&having, &select.having) {
        over_groups(lowering, having, condition.span(), "HAVING")?;
    }
    let distinct_above = distinct && is_aggregate;
    let clause = if distinct { "SELECT DISTINCT … ORDER BY" } else { "ORDER BY" };
    let query = query.filter(|_| !distinct_above);
    let order = ordered_groups(lowering, query, &outputs, clause)?;
    Ok((Parts { condition, outputs, having, order, is_grouped: true, place }, distinct_above))
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
pub(super) fn condition_of(lowering: &mut Lowering<'_>, expr: &Expr, clause: Clause) -> Result<Lowered, PlanError> {
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
        ItemSource::Column(_) => return lowered.typed.name.clone(),
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
    let name = match column.checked_sub(GENERATED).and_then(|number| lowering.generated.get(number)) {
        Some(generated) => generated.name.as_deref().unwrap_or_default(),
        None => lowering.scope.name(column),
    };
    let here = |(referenced, span): &&(usize, Span)| *referenced == column && span.start >= place.start;
    let place = lowering.references.iter().find(here).map_or(place, |(_, span)| *span);
    let what = format!("{name} stands in {clause} and is not grouped");
    Err(refuse(place, what, format!("add {name} to GROUP BY, or take it out of {clause}")))
}
