//! GROUP BY: its keys, by column, by number, by alias or as expressions.

use sqlparser::ast::{Expr, GroupByExpr, Select, Spanned, Value as Literal};
use sqlparser::tokenizer::Span;

use super::aggregate::has_order;
use super::columns::is_constant;
use super::error::{PlanError, refuse};
use super::items::{Item, ItemSource};
use super::literal::identifier;
use super::lowered::{Clause, Key, Lowered, Lowering};
use super::schema::shown;
use super::sets;
use crate::expr;
use crate::expr::build;
use crate::types::{DataType, Value};

/// Whether the query has GROUP BY. Its keys are each taken once; constants are no keys, as Spark's optimizer has it
/// (`RemoveLiteralFromGroupExpressions`), unless there is nothing else.
pub(super) fn keys(lowering: &mut Lowering<'_>, select: &Select, items: &[Item<'_>]) -> Result<bool, PlanError> {
    let text = lowering.text.clone();
    let (exprs, modifiers) = match &select.group_by {
        GroupByExpr::Expressions(exprs, modifiers) => (Some(exprs), modifiers),
        GroupByExpr::All(modifiers) => (None, modifiers),
    };
    if let Some(sets) = sets::of(lowering, exprs.map(Vec::as_slice), modifiers, items, &text)? {
        sets::keys(lowering, sets)?;
        return Ok(true);
    }
    let lowered = match exprs {
        Some(exprs) if exprs.is_empty() => return Ok(false),
        Some(exprs) => exprs.iter().map(|expr| key(lowering, expr, items)).collect::<Result<Vec<_>, _>>()?,
        None => all(lowering, items)?,
    };
    let places = exprs.into_iter().flatten().map(Spanned::span).chain(items.iter().map(|item| item.place));
    add(lowering, lowered, places)?;
    Ok(true)
}

/// SELECT DISTINCT: the output columns are the keys.
pub(super) fn distinct(lowering: &mut Lowering<'_>, items: &[Item<'_>]) -> Result<(), PlanError> {
    let lowered = items.iter().map(|item| item.lower(lowering, Clause::GroupBy)).collect::<Result<Vec<_>, _>>()?;
    add(lowering, lowered, items.iter().map(|item| item.place))
}

fn add(
    lowering: &mut Lowering<'_>,
    lowered: Vec<Lowered>,
    places: impl Iterator<Item = Span>,
) -> Result<(), PlanError> {
    for (Lowered { typed, text, .. }, place) in lowered.into_iter().zip(places) {
        if !has_order(&typed.data_type) {
            let what = format!("{} is {}, which cannot be grouped by", typed.text, shown(&typed.data_type));
            return Err(refuse(place, what, "group by a part of it: map['key']"));
        }
        if !is_constant(&typed.expr) && lowering.keys.iter().all(|key| key.text != text) {
            lowering.keys.push(Key { typed, text });
        }
    }
    if lowering.keys.is_empty() {
        let typed = build::literal(Value::Int(0), DataType::Int, "0".to_owned());
        lowering.keys.push(Key { typed, text: "0".to_owned() });
    }
    Ok(())
}

/// GROUP BY ALL: what holds no aggregate.
fn all(lowering: &mut Lowering<'_>, items: &[Item<'_>]) -> Result<Vec<Lowered>, PlanError> {
    let mut keys = Vec::new();
    for item in items {
        if !holds_aggregate(lowering, item) {
            keys.push(item.lower(lowering, Clause::GroupBy)?);
        }
    }
    Ok(keys)
}

fn holds_aggregate(lowering: &mut Lowering<'_>, item: &Item<'_>) -> bool {
    let before = lowering.aggregates.len();
    // What is wrong with the item is told when it is lowered for good.
    let _ = item.lower(lowering, Clause::Select);
    let holds = lowering.aggregates.len() > before;
    lowering.aggregates.truncate(before);
    holds
}

pub(super) fn key(lowering: &mut Lowering<'_>, expr: &Expr, items: &[Item<'_>]) -> Result<Lowered, PlanError> {
    match expr {
        Expr::Nested(inner) => key(lowering, inner, items),
        Expr::Value(value) if matches!(value.value, Literal::Number(..)) => {
            match position(&value.value).map(|number| items.get(number)) {
                Some(Some(item)) => item_key(lowering, item, expr),
                Some(None) => {
                    let what = format!("GROUP BY {expr} names no item of SELECT");
                    Err(refuse(expr.span(), what, format!("use 1 to {}, or a column's name", items.len())))
                }
                None => lowering.lower(expr, Clause::GroupBy),
            }
        }
        Expr::Identifier(ident) => {
            let name = identifier(ident);
            match items.iter().find(|item| item.is_called(&name)) {
                Some(item) if !is_column(lowering, &name, item, items)? => item_key(lowering, item, expr),
                _ => lowering.lower(expr, Clause::GroupBy),
            }
        }
        _ => lowering.lower(expr, Clause::GroupBy),
    }
}

/// Whether a name means a column although an item has it as its alias: if the table has the column, or, without a
/// table, if an item of SELECT is that column, or the item itself is made from it.
fn is_column(lowering: &mut Lowering<'_>, name: &str, item: &Item<'_>, items: &[Item<'_>]) -> Result<bool, PlanError> {
    if lowering.scope.table().is_some() || lowering.scope.query_columns().is_some() {
        return Ok(lowering.scope.column(name).is_some());
    }
    if !lowering.scope.is_known(name) {
        return Ok(false);
    }
    let folded = name.to_lowercase();
    for other in items {
        if let ItemSource::Expr(Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Nested(_)) = &other.source
            && let expr::Expr::Column(column) = other.lower(lowering, Clause::GroupBy)?.typed.expr
            && lowering.scope.name(column).to_lowercase() == folded
        {
            return Ok(true);
        }
    }
    let before = lowering.references.len();
    if item.lower(lowering, Clause::GroupBy).is_err() {
        return Ok(false);
    }
    let named = lowering.references.iter().skip(before);
    Ok(named.into_iter().any(|(column, _)| lowering.scope.name(*column).to_lowercase() == folded))
}

/// The item that GROUP BY means by its number or alias.
fn item_key(lowering: &mut Lowering<'_>, item: &Item<'_>, expr: &Expr) -> Result<Lowered, PlanError> {
    if holds_aggregate(lowering, item) {
        let what = format!("{expr} is an aggregate and cannot be grouped by");
        return Err(refuse(expr.span(), what, "group by columns"));
    }
    item.lower(lowering, Clause::GroupBy)
}

/// The index that a number in GROUP BY or ORDER BY means.
pub(super) fn position(value: &Literal) -> Option<usize> {
    match value {
        Literal::Number(digits, false) => Some(digits.parse::<usize>().ok()?.wrapping_sub(1)),
        _ => None,
    }
}
