//! CASE: `CaseWhenCoercion`.

use super::coerce::wider_of;
use super::{BuildError, Built, Typed, sql_type};
use crate::expr::Expr;
use crate::types::{DataType, Value};

/// CASE WHEN … (searched; the simple form is turned into it by the caller with `binary(Eq, …)`).
pub(crate) fn case(branches: Vec<(Typed, Typed)>, otherwise: Option<Typed>) -> Built {
    let mut text = "CASE".to_owned();
    for (condition, value) in &branches {
        text.push_str(&format!(" WHEN {} THEN {}", condition.text, value.text));
    }
    if let Some(otherwise) = &otherwise {
        text.push_str(&format!(" ELSE {}", otherwise.text));
    }
    text.push_str(" END");
    if let Some((condition, _)) = branches.iter().find(|(condition, _)| condition.data_type == DataType::Null) {
        return Err(BuildError::operand(&text, condition, "BOOLEAN"));
    }
    choose(branches, otherwise, text)
}

/// The value of the first branch whose condition is true, all in a common type.
pub(super) fn choose(branches: Vec<(Typed, Typed)>, otherwise: Option<Typed>, text: String) -> Built {
    for (condition, _) in &branches {
        if !matches!(condition.data_type, DataType::Boolean | DataType::Null) {
            return Err(BuildError::operand(&text, condition, "BOOLEAN"));
        }
    }
    let values = || branches.iter().map(|(_, value)| value).chain(&otherwise);
    let Some(common) = wider_of(values().map(|value| &value.data_type)) else {
        return Err(no_common_type(&text, values()));
    };
    let otherwise = otherwise.map_or(Expr::Literal(Value::Null), |value| value.converted(&common).into_expr());
    let branches = branches
        .into_iter()
        .map(|(condition, value)| {
            (condition.converted(&DataType::Boolean).into_expr(), value.converted(&common).into_expr())
        })
        .collect();
    Ok(Typed::new(Expr::Case { branches, otherwise: Box::new(otherwise) }, common, text))
}

pub(super) fn no_common_type<'t>(text: &str, values: impl Iterator<Item = &'t Typed>) -> BuildError {
    let mut types: Vec<_> = values.map(|value| sql_type(&value.data_type)).collect();
    types.dedup();
    BuildError::new(format!("{text}: {} have no common type", types.join(" and ")), "CAST them all to one type")
}
