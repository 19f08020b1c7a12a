//! Conditions, and their normal form.

use sqlparser::tokenizer::Span;

use super::error::PlanError;
use super::lowered::{Lowered, at};
use super::operator;
use crate::expr::Expr;
use crate::expr::build::{self, Binary, BuildError};
use crate::types::Value;

/// `a AND b AND c`, or OR.
pub(super) fn junction(op: Binary, parts: Vec<(Lowered, Span)>) -> Result<Lowered, PlanError> {
    let word = if op == Binary::And { " AND " } else { " OR " };
    let texts: Vec<&str> = parts.iter().map(|(part, _)| part.text.as_str()).collect();
    let text = format!("({})", texts.join(word));
    let mut parts = parts.into_iter();
    let Some((first, mut place)) = parts.next() else { return Err(at(Span::empty())(empty())) };
    let mut typed = first.typed;
    for (part, next) in parts {
        typed = build::binary(op, typed, part.typed).map_err(at(place))?;
        place = next;
    }
    Ok(Lowered::new(typed, text))
}

fn empty() -> BuildError {
    BuildError { what: "there is no condition".to_owned(), instead: "write one".to_owned() }
}

pub(super) fn not(operand: Lowered) -> Result<Lowered, BuildError> {
    let text = format!("NOT ({})", operand.text);
    Ok(Lowered::open(build::not(operand.typed)?, text))
}

pub(super) fn negated(operand: Lowered, negated: bool) -> Result<Lowered, BuildError> {
    if negated { not(operand) } else { Ok(operand) }
}

pub(super) fn is_null(operand: Lowered) -> Lowered {
    let text = format!("{} IS NULL", operand.closed());
    Lowered::open(build::is_null(operand.typed), text)
}

pub(super) fn is_not_null(operand: Lowered) -> Lowered {
    let text = format!("NOT ({} IS NULL)", operand.closed());
    Lowered::open(build::is_not_null(operand.typed), text)
}

pub(super) fn between(operand: Lowered, low: Lowered, high: Lowered) -> Result<Lowered, BuildError> {
    let typed = build::between(operand.typed.clone(), low.typed.clone(), high.typed.clone())?;
    let low = operator::apply(Binary::GtEq, operand.clone(), low)?;
    let high = operator::apply(Binary::LtEq, operand, high)?;
    Ok(Lowered::new(typed, format!("({} AND {})", low.text, high.text)))
}

pub(super) fn in_list(operand: Lowered, list: Vec<Lowered>) -> Result<Lowered, BuildError> {
    let text = format!("{} IN ({})", operand.closed(), list_text(&list));
    let typed = build::in_list(operand.typed, list.into_iter().map(|item| item.typed).collect())?;
    Ok(Lowered::open(typed, text))
}

/// Strings in brackets, then NULL once if it is among them; a list of anything else as it is.
fn list_text(list: &[Lowered]) -> String {
    let mut strings = Vec::with_capacity(list.len());
    let mut null = false;
    for item in list {
        match &item.typed.expr {
            Expr::Literal(Value::String(_)) => strings.push(item.typed.name.as_str()),
            Expr::Literal(Value::Null) => null = true,
            _ => return list.iter().map(Lowered::closed).collect::<Vec<_>>().join(", "),
        }
    }
    format!("{strings:?}{}", if null { ", NULL" } else { "" })
}

pub(super) fn like(
    operand: Lowered,
    pattern: Lowered,
    escape: Option<char>,
    case_insensitive: bool,
) -> Result<Lowered, BuildError> {
    let word = if case_insensitive { "ILIKE" } else { "LIKE" };
    let pattern_text = match &pattern.typed.expr {
        Expr::Literal(Value::String(_)) => pieces(&pattern.typed.name, escape.unwrap_or('\\')),
        _ => pattern.closed(),
    };
    let text = format!("{} {word} {pattern_text}", operand.closed());
    Ok(Lowered::open(build::like(operand.typed, pattern.typed, escape, case_insensitive)?, text))
}

/// A pattern taken apart, so that equal patterns have equal text whatever their escape sign.
fn pieces(pattern: &str, escape: char) -> String {
    let mut pieces = Vec::new();
    let mut signs = pattern.chars();
    while let Some(sign) = signs.next() {
        pieces.push(match sign {
            _ if sign == escape => format!("Char({:?})", signs.next().unwrap_or(escape)),
            '%' => "Any".to_owned(),
            '_' => "One".to_owned(),
            other => format!("Char({other:?})"),
        });
    }
    format!("LikePattern([{}])", pieces.join(", "))
}

pub(super) fn rlike(operand: Lowered, pattern: Lowered) -> Result<Lowered, BuildError> {
    let text = format!("{} RLIKE {}", operand.closed(), pattern.closed());
    Ok(Lowered::open(build::rlike(operand.typed, pattern.typed)?, text))
}
