//! ORDER BY and LIMIT.

use sqlparser::ast::{Expr, LimitClause, OrderBy, OrderByKind, OrderBySort, Query, Spanned, Value as Literal};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::group::position;
use super::lowered::{Clause, Lowered, Lowering};
use super::select::Output;

/// What ORDER BY and LIMIT ask for.
#[derive(Default)]
pub(super) struct Order {
    pub(super) keys: Vec<OrderKey>,
    pub(super) limit: Option<u64>,
}

pub(super) struct OrderKey {
    pub(super) lowered: Lowered,
    pub(super) place: Span,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
}

pub(super) fn lower(lowering: &mut Lowering<'_>, query: &Query, outputs: &[Output]) -> Result<Order, PlanError> {
    let keys = match &query.order_by {
        Some(order_by) => keys(lowering, order_by, outputs)?,
        None => Vec::new(),
    };
    let limit = match &query.limit_clause {
        Some(limit) => self::limit(lowering, limit)?,
        None => None,
    };
    Ok(Order { keys, limit })
}

fn keys(lowering: &mut Lowering<'_>, order_by: &OrderBy, outputs: &[Output]) -> Result<Vec<OrderKey>, PlanError> {
    let place = lowering.text.keyword(Keyword::ORDER);
    let OrderBy { kind: OrderByKind::Expressions(exprs), interpolate: None } = order_by else {
        return Err(refuse(place, "this form of ORDER BY is not supported", "name the columns: ORDER BY column DESC"));
    };
    let mut keys = Vec::with_capacity(exprs.len());
    for item in exprs {
        let place = item.expr.span();
        let descending = match (&item.options.sort, &item.with_fill) {
            (None | Some(OrderBySort::Asc), None) => false,
            (Some(OrderBySort::Desc), None) => true,
            _ => return Err(refuse(place, "this form of ORDER BY is not supported", "write column ASC or DESC")),
        };
        let lowered = match &item.expr {
            Expr::Value(value) if matches!(value.value, Literal::Number(..)) => {
                match position(&value.value).map(|number| outputs.get(number)) {
                    Some(Some(output)) => output.lowered.clone(),
                    Some(None) => {
                        let what = format!("ORDER BY {} names no item of SELECT", item.expr);
                        return Err(refuse(place, what, format!("use 1 to {}, or a name", outputs.len())));
                    }
                    None => lowering.lower(&item.expr, Clause::OrderBy)?,
                }
            }
            expr => lowering.lower(expr, Clause::OrderBy)?,
        };
        let nulls_first = item.options.nulls_first.unwrap_or(!descending);
        keys.push(OrderKey { lowered, place, descending, nulls_first });
    }
    Ok(keys)
}

fn limit(lowering: &Lowering<'_>, limit: &LimitClause) -> Result<Option<u64>, PlanError> {
    let place = lowering.text.keyword(Keyword::LIMIT);
    match limit {
        LimitClause::LimitOffset { limit, offset: None, limit_by } if limit_by.is_empty() => {
            let Some(limit) = limit else { return Ok(None) };
            match limit {
                Expr::Value(value) if matches!(value.value, Literal::Number(..)) => match &value.value {
                    Literal::Number(digits, _)
                        if digits.parse::<u32>().is_ok_and(|rows| i32::try_from(rows).is_ok()) =>
                    {
                        Ok(digits.parse().ok())
                    }
                    _ => Err(refuse(limit.span(), format!("LIMIT {limit} is no INT"), "write LIMIT 10")),
                },
                _ => Err(refuse(limit.span(), "LIMIT takes a whole number", "write LIMIT 10")),
            }
        }
        LimitClause::LimitOffset { offset: Some(_), .. } | LimitClause::OffsetCommaLimit { .. } => {
            let place = lowering.text.keyword(Keyword::OFFSET);
            Err(refuse(place, "OFFSET is not supported", "write LIMIT alone"))
        }
        LimitClause::LimitOffset { .. } => Err(refuse(place, "this form of LIMIT is not supported", "write LIMIT 10")),
    }
}
