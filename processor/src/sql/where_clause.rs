//! WHERE to [`Predicate`].

use sqlparser::ast::{BinaryOperator, Expr, InTarget, Spanned, UnaryOperator, Value};

use super::error::{PlanError, refuse};
use super::literal;
use super::scope::Scope;
use crate::like::LikePattern;
use crate::predicate::{Comparison, Operand, Predicate};

const CONDITIONS: &str =
    "use =, <>, <, <=, >, >=, IN, BETWEEN, LIKE and IS [NOT] NULL between columns and strings, with AND, OR and NOT";

/// A side of a comparison.
enum Side {
    Column(usize),
    Text(String),
    Null,
}

pub(super) fn lower(scope: &mut Scope, expr: &Expr) -> Result<Predicate, PlanError> {
    match expr {
        Expr::Nested(inner) => lower(scope, inner),
        Expr::BinaryOp { op: BinaryOperator::And, .. } => Ok(Predicate::And(chain(scope, expr, &BinaryOperator::And)?)),
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => Ok(Predicate::Or(chain(scope, expr, &BinaryOperator::Or)?)),
        Expr::BinaryOp { left, op, right } => match comparison(op) {
            Some(comparison) => compare(side(scope, left)?, comparison, side(scope, right)?, expr),
            None => Err(refuse(left.span(), format!("the operator {op} is not supported"), CONDITIONS)),
        },
        Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr } => {
            Ok(Predicate::Not(Box::new(lower(scope, expr)?)))
        }
        Expr::IsNull(inner) => is_null(scope, inner),
        Expr::IsNotNull(inner) => Ok(Predicate::Not(Box::new(is_null(scope, inner)?))),
        Expr::In { expr, target: InTarget::List(list), negated, .. } => {
            Ok(negate(within(scope, expr, list)?, *negated))
        }
        Expr::Between { expr: value, negated, low, high } => {
            let low = compare(side(scope, value)?, Comparison::GtEq, side(scope, low)?, expr)?;
            let high = compare(side(scope, value)?, Comparison::LtEq, side(scope, high)?, expr)?;
            Ok(negate(Predicate::And(vec![low, high]), *negated))
        }
        Expr::Like { negated, any: false, expr: value, pattern, escape_char: None } => {
            Ok(negate(like(scope, value, pattern)?, *negated))
        }
        Expr::Value(value) => match value.value {
            Value::Boolean(truth) => Ok(Predicate::Constant(Some(truth))),
            Value::Null => Ok(Predicate::Constant(None)),
            _ => Err(refuse(expr.span(), "this is a value, not a condition", CONDITIONS)),
        },
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
            let what = format!("{expr} is a STRING, not a condition");
            Err(refuse(expr.span(), what, format!("compare it: {expr} = 'true'")))
        }
        _ => Err(refuse(expr.span(), "WHERE cannot hold this", CONDITIONS)),
    }
}

/// The parts of `a AND b AND c` (a tree that leans left), without a recursion for each.
fn chain(scope: &mut Scope, expr: &Expr, wanted: &BinaryOperator) -> Result<Vec<Predicate>, PlanError> {
    let mut parts = Vec::new();
    let mut rest = expr;
    while let Expr::BinaryOp { left, op, right } = rest
        && op == wanted
    {
        parts.push(right.as_ref());
        rest = left;
    }
    parts.push(rest);
    parts.into_iter().rev().map(|part| lower(scope, part)).collect()
}

fn negate(predicate: Predicate, negated: bool) -> Predicate {
    if negated { Predicate::Not(Box::new(predicate)) } else { predicate }
}

fn comparison(op: &BinaryOperator) -> Option<Comparison> {
    Some(match op {
        BinaryOperator::Eq => Comparison::Eq,
        BinaryOperator::NotEq => Comparison::NotEq,
        BinaryOperator::Lt => Comparison::Lt,
        BinaryOperator::LtEq => Comparison::LtEq,
        BinaryOperator::Gt => Comparison::Gt,
        BinaryOperator::GtEq => Comparison::GtEq,
        _ => return None,
    })
}

fn compare(left: Side, op: Comparison, right: Side, expr: &Expr) -> Result<Predicate, PlanError> {
    Ok(match (left, right) {
        (Side::Null, _) | (_, Side::Null) => Predicate::Constant(None),
        (Side::Column(left), Side::Column(right)) => Predicate::Compare { left, op, right: Operand::Column(right) },
        (Side::Column(left), Side::Text(text)) => Predicate::Compare { left, op, right: Operand::Literal(text) },
        (Side::Text(text), Side::Column(column)) => {
            Predicate::Compare { left: column, op: op.flipped(), right: Operand::Literal(text) }
        }
        (Side::Text(_), Side::Text(_)) => {
            return Err(refuse(expr.span(), "no column stands in this comparison", "compare a column with a string"));
        }
    })
}

fn side(scope: &mut Scope, expr: &Expr) -> Result<Side, PlanError> {
    if let Some(name) = scope.column_name(expr)? {
        return Ok(Side::Column(scope.column(&name)));
    }
    let mut inner = expr;
    while let Expr::Nested(nested) = inner {
        inner = nested;
    }
    let number = |inner: &Expr| {
        // Spark would cast the column to the number's type, which makes '1.9' equal to 1 and "abc" null.
        let what = format!("columns are STRINGs and {inner} is a number");
        refuse(expr.span(), what, format!("compare with a string, byte by byte: '{inner}'"))
    };
    match inner {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Ok(Side::Text(literal::string(text, '\''))),
            Value::DoubleQuotedString(text) => Ok(Side::Text(literal::string(text, '"'))),
            Value::Null => Ok(Side::Null),
            Value::Number(..) => Err(number(inner)),
            Value::Boolean(truth) => {
                let what = format!("columns are STRINGs and {truth} is a BOOLEAN");
                Err(refuse(expr.span(), what, format!("compare with a string: '{truth}'")))
            }
            _ => Err(refuse(expr.span(), "a literal of this kind is not supported", "write a string: 'text'")),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, .. } => Err(number(inner)),
        _ => Err(refuse(expr.span(), "only columns and strings can be compared", CONDITIONS)),
    }
}

fn is_null(scope: &mut Scope, expr: &Expr) -> Result<Predicate, PlanError> {
    match scope.column_name(expr)? {
        Some(name) => Ok(Predicate::IsNull(scope.column(&name))),
        None => Err(refuse(expr.span(), "only a column can be tested for NULL", "write column IS [NOT] NULL")),
    }
}

fn within(scope: &mut Scope, expr: &Expr, list: &[Expr]) -> Result<Predicate, PlanError> {
    let Side::Column(column) = side(scope, expr)? else {
        return Err(refuse(expr.span(), "the left of IN is no column", "write column IN ('a', 'b')"));
    };
    let mut values = Vec::with_capacity(list.len());
    let mut null = false;
    for item in list {
        match side(scope, item)? {
            Side::Text(text) => values.push(text),
            Side::Null => null = true,
            Side::Column(_) => {
                return Err(refuse(item.span(), "a column stands in the list of IN", "write column IN ('a', 'b')"));
            }
        }
    }
    Ok(Predicate::In { column, values, null })
}

fn like(scope: &mut Scope, expr: &Expr, pattern: &Expr) -> Result<Predicate, PlanError> {
    let (Side::Column(column), Side::Text(text)) = (side(scope, expr)?, side(scope, pattern)?) else {
        return Err(refuse(expr.span(), "LIKE compares a column with a pattern", "write column LIKE 'text%'"));
    };
    match LikePattern::parse(&text) {
        Some(pattern) => Ok(Predicate::Like { column, pattern }),
        None => Err(refuse(
            pattern.span(),
            "in a pattern \\ stands before %, _ or \\ alone",
            "write \\\\\\\\ for a backslash in the pattern",
        )),
    }
}
