//! Computes expressions over rows, with SQL's three-valued logic.

use std::cmp::Ordering;

use super::functions::Function;
use super::{Comparison, Expr, Row};
use crate::types::{self, Value};

impl Expr {
    /// The time of a window.
    pub(crate) fn window_time(window: Self) -> Self {
        Function::WindowTime.over(vec![window])
    }

    /// The column that it is the time of, if it is the time of a window.
    pub(crate) fn window_column(&self) -> Option<usize> {
        match self {
            Self::Call { function, arguments } => match (function.as_ref(), arguments.as_slice()) {
                (Function::WindowTime, [Self::Column(window)]) => Some(*window),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value over a row.
    pub(crate) fn eval<'r, R: Row>(&'r self, row: &'r R) -> Value<'r> {
        match self {
            Self::Literal(value) => value.borrowed(),
            Self::Column(index) => row.value(*index),
            Self::Field(operand, index) => match operand.eval(row) {
                Value::Struct(values) => values.get(*index).cloned().unwrap_or(Value::Null),
                _ => Value::Null,
            },
            Self::Cast { operand, from, to } => match operand.eval(row) {
                Value::Null => Value::Null,
                value => types::cast(value, from, to),
            },
            Self::Case { branches, otherwise } => {
                let chosen = branches.iter().find(|(condition, _)| condition.test(row) == Some(true));
                chosen.map_or(otherwise.as_ref(), |(_, value)| value).eval(row)
            }
            Self::HigherOrder { function, arguments, lambdas } => {
                let values: Vec<Value<'_>> = arguments.iter().map(|argument| argument.eval(row)).collect();
                function.eval(&values, lambdas, row)
            }
            Self::Call { function, arguments } => function.eval(arguments, row),
            _ => self.test(row).map_or(Value::Null, Value::Boolean),
        }
    }

    /// The value of a condition; `None` is NULL.
    pub(crate) fn test<R: Row>(&self, row: &R) -> Option<bool> {
        match self {
            Self::Compare { op, left, right } => compare(*op, &left.eval(row), &right.eval(row)),
            Self::And(operands) => {
                let mut all = Some(true);
                for operand in operands {
                    match operand.test(row) {
                        Some(false) => return Some(false),
                        None => all = None,
                        Some(true) => {}
                    }
                }
                all
            }
            Self::Or(operands) => {
                let mut any = Some(false);
                for operand in operands {
                    match operand.test(row) {
                        Some(true) => return Some(true),
                        None => any = None,
                        Some(false) => {}
                    }
                }
                any
            }
            Self::Not(operand) => operand.test(row).map(|value| !value),
            Self::IsNull(operand) => Some(operand.eval(row).is_null()),
            Self::In(operand, list) => {
                let value = operand.eval(row);
                if value.is_null() {
                    return None;
                }
                let mut found = Some(false);
                for item in list {
                    match compare(Comparison::Eq, &value, &item.eval(row)) {
                        Some(true) => return Some(true),
                        None => found = None,
                        Some(false) => {}
                    }
                }
                found
            }
            _ => match self.eval(row) {
                Value::Boolean(value) => Some(value),
                _ => None,
            },
        }
    }
}

/// NULL if one side is; `<=>` never is.
fn compare(op: Comparison, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    if left.is_null() || right.is_null() {
        return (op == Comparison::NullSafeEq).then(|| left.is_null() && right.is_null());
    }
    Some(match op {
        Comparison::Eq | Comparison::NullSafeEq => equal(left, right),
        Comparison::Lt => order(left, right) == Ordering::Less,
        Comparison::LtEq => order(left, right) != Ordering::Greater,
        Comparison::Gt => order(left, right) == Ordering::Greater,
        Comparison::GtEq => order(left, right) != Ordering::Less,
    })
}

fn equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left == right,
        _ => types::equal(left, right),
    }
}

fn order(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    match (left, right) {
        (Value::BigInt(left), Value::BigInt(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        _ => types::order(left, right),
    }
}

impl Function {
    fn eval<'r, R: Row>(&'r self, arguments: &'r [Expr], row: &'r R) -> Value<'r> {
        if let Self::Coalesce = self {
            return arguments
                .iter()
                .map(|argument| argument.eval(row))
                .find(|value| !value.is_null())
                .unwrap_or(Value::Null);
        }
        match arguments {
            [operand] if !self.takes_nulls() => match operand.eval(row) {
                Value::Null => Value::Null,
                value => self.one(value),
            },
            [left, right] if !self.takes_nulls() => {
                let left = left.eval(row);
                if left.is_null() {
                    return Value::Null;
                }
                match right.eval(row) {
                    Value::Null => Value::Null,
                    right => self.two(left, right),
                }
            }
            _ => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    let value = argument.eval(row);
                    if value.is_null() && !self.takes_nulls() {
                        return Value::Null;
                    }
                    values.push(value);
                }
                self.many(values)
            }
        }
    }
}

/// No row: for expressions that read none.
pub(crate) struct Nothing;

impl Row for Nothing {
    fn value(&self, _column: usize) -> Value<'_> {
        Value::Null
    }
}

/// The literal that an expression over literals always is. Its operands were made constant before.
pub(super) fn constant(expr: Expr) -> Expr {
    let is_literal = |expr: &Expr| matches!(expr, Expr::Literal(_));
    let folds = match &expr {
        Expr::Literal(_) | Expr::Column(_) | Expr::HigherOrder { .. } => false,
        Expr::Field(operand, _) | Expr::Cast { operand, .. } | Expr::Not(operand) | Expr::IsNull(operand) => {
            is_literal(operand)
        }
        Expr::Compare { left, right, .. } => is_literal(left) && is_literal(right),
        Expr::And(operands) | Expr::Or(operands) => operands.iter().all(is_literal),
        Expr::In(operand, list) => is_literal(operand) && list.iter().all(is_literal),
        Expr::Case { branches, otherwise } => {
            is_literal(otherwise)
                && branches.iter().all(|(condition, value)| is_literal(condition) && is_literal(value))
        }
        Expr::Call { arguments, .. } => arguments.iter().all(is_literal),
    };
    if folds { Expr::Literal(expr.eval(&Nothing).into_owned()) } else { expr }
}
