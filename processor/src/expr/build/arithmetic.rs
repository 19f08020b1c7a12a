//! Arithmetic and bit operators: `PromoteStrings`, `DecimalPrecision`, `Division`, `IntegralDivision`.

use super::coerce::{decimal, is_integral, is_numeric, operand_digits, tightest};
use super::{Binary, BuildError, Built, Typed, call, interval};
use crate::expr::functions::{Function, arithmetic as functions, decimal as decimals, interval as interval_functions};
use crate::types::{DataType, DecimalType};

fn sign(op: Binary) -> &'static str {
    match op {
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        Binary::IntegralDivide => "div",
        Binary::Modulo => "%",
        Binary::BitAnd => "&",
        Binary::BitOr => "|",
        Binary::BitXor => "^",
        _ => "+",
    }
}

pub(super) fn arithmetic(op: Binary, left: Typed, right: Typed) -> Built {
    let text = format!("({} {} {})", left.text, sign(op), right.text);
    if let Some(built) = interval::arithmetic(op, &left, &right, &text) {
        return built;
    }
    match (op, &left.data_type, &right.data_type) {
        (Binary::Add | Binary::Subtract, DataType::Date, DataType::String) => {
            Err(BuildError::operand(&text, &right, "INT"))
        }
        (Binary::Add, DataType::String, DataType::Date) => Err(BuildError::operand(&text, &left, "INT")),
        (Binary::Add, DataType::Date, _) => call("date_add", vec![left, right]),
        (Binary::Add, _, DataType::Date) => call("date_add", vec![right, left]),
        (Binary::Subtract, DataType::Date, _) => call("date_sub", vec![left, right]),
        _ => operation(op, left, right, text),
    }
}

/// `left op right` under a name of its own, as `mod(a, b)`.
pub(super) fn operation(op: Binary, left: Typed, right: Typed, text: String) -> Built {
    let Some((left, right)) = operands(op, left.clone(), right.clone()) else {
        return Err(BuildError::mismatch(&text, &left, &right));
    };
    typed_operation(functions::function, functions::Operator::of(op), left, right, text)
}

/// `try_add(left, right)` and its like: NULL where ANSI mode fails.
pub(super) fn tried(op: Binary, left: Typed, right: Typed, text: String) -> Built {
    let is_number = |operand: &Typed| is_numeric(&operand.data_type) || operand.data_type == DataType::String;
    if is_number(&left) && is_number(&right) {
        let Some((left, right)) = operands(op, left.clone(), right.clone()) else {
            return Err(BuildError::mismatch(&text, &left, &right));
        };
        return typed_operation(functions::checked, functions::Operator::of(op), left, right, text);
    }
    // What leaves the range of a time or an interval is NULL anyway.
    let typed = arithmetic(op, left, right)?;
    Ok(Typed::new(typed.expr, typed.data_type, text))
}

pub(super) fn pmod(left: Typed, right: Typed, text: String) -> Built {
    let Some((left, right)) = operands(Binary::Modulo, left.clone(), right.clone()) else {
        return Err(BuildError::mismatch(&text, &left, &right));
    };
    typed_operation(functions::function, functions::Operator::PositiveModulo, left, right, text)
}

type Find = fn(functions::Operator, &DataType) -> Option<interval_functions::Two>;

fn typed_operation(find: Find, op: functions::Operator, left: Typed, right: Typed, text: String) -> Built {
    use functions::Operator as O;
    let (function, data_type) = match (&left.data_type, &right.data_type) {
        (
            DataType::Decimal { precision: left_digits, scale: left_scale },
            DataType::Decimal { precision: right_digits, scale: right_scale },
        ) => {
            let left = DecimalType::new(*left_digits, *left_scale);
            let to = decimal_result(op, left, DecimalType::new(*right_digits, *right_scale));
            let data_type = match op {
                O::IntegralDivide => DataType::BigInt,
                _ => DataType::Decimal { precision: to.precision, scale: to.scale },
            };
            (Function::Decimal(decimals::Operation { op, to }), data_type)
        }
        (common, _) => match find(op, common) {
            Some(function) => (Function::Two(function), common.clone()),
            None => return Err(BuildError::mismatch(&text, &left, &right)),
        },
    };
    Ok(Typed::new(function.over(vec![left.into_expr(), right.into_expr()]), data_type, text))
}

/// The operands in the types that the operator computes with.
fn operands(op: Binary, left: Typed, right: Typed) -> Option<(Typed, Typed)> {
    use DataType::{Decimal, Double, Float, Null, String};
    let bits = matches!(op, Binary::BitAnd | Binary::BitOr | Binary::BitXor);
    let number = |operand: Typed| {
        // Spark makes a DOUBLE of any string in arithmetic.
        if operand.data_type == String { operand.converted(&Double) } else { operand }
    };
    let (left, right) = (number(left), number(right));
    let common = match (&left.data_type, &right.data_type) {
        (Null, Null) => {
            if bits {
                DataType::Int
            } else {
                Double
            }
        }
        (Decimal { .. }, Float | Double) | (Float | Double, Decimal { .. }) => Double,
        (Decimal { .. }, other) | (other, Decimal { .. }) if bits || !(is_numeric(other) || *other == Null) => {
            return None;
        }
        (Decimal { .. }, _) | (_, Decimal { .. }) => {
            let whole = |operand: Typed, other: &DataType| match operand.data_type {
                Null => Some(operand.converted(other)),
                _ => operand_digits(&operand).map(|(precision, scale)| operand.converted(&decimal(precision, scale))),
            };
            let (left_type, right_type) = (left.data_type.clone(), right.data_type.clone());
            return Some((whole(left, &right_type)?, whole(right, &left_type)?));
        }
        (left, right) => tightest(left, right)?,
    };
    let common = match op {
        Binary::Divide if is_integral(&common) || common == Float => Double,
        Binary::IntegralDivide if is_integral(&common) => DataType::BigInt,
        Binary::IntegralDivide => return None,
        _ if bits && !is_integral(&common) => return None,
        _ if !is_numeric(&common) => return None,
        _ => common,
    };
    Some((left.converted(&common), right.converted(&common)))
}

/// The type of a result, with Spark's loss of scale where there are too many digits.
fn decimal_result(op: functions::Operator, left: DecimalType, right: DecimalType) -> DecimalType {
    use functions::Operator as O;
    match op {
        O::Multiply => left.of_product(right),
        O::Divide => left.of_quotient(right),
        O::Modulo | O::PositiveModulo => left.of_remainder(right),
        _ => left.of_sum(right),
    }
}

pub(super) fn negate(operand: Typed) -> Built {
    let text = format!("(- {})", operand.text);
    negated(operand, text)
}

/// `negative(operand)` under a name of its own.
pub(super) fn negated(operand: Typed, text: String) -> Built {
    let operand = match operand.data_type {
        DataType::String | DataType::Null => operand.converted(&DataType::Double),
        DataType::Interval(_) => operand,
        _ if is_numeric(&operand.data_type) => operand,
        _ => return Err(BuildError::operand(&text, &operand, "a number")),
    };
    let data_type = operand.data_type.clone();
    Ok(Typed::new(Function::One(functions::negate).over(vec![operand.into_expr()]), data_type, text))
}
