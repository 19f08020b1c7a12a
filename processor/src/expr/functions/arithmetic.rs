//! Operators on numbers of one type: INT and BIGINT wrap, a division by zero is NULL.

use crate::expr::build::Binary;
use crate::types::{DataType, Value};

/// Operators that Spark's `BinaryArithmetic` has, and the positive remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegralDivide,
    Modulo,
    PositiveModulo,
    BitAnd,
    BitOr,
    BitXor,
}

impl Operator {
    /// Operators that are no arithmetic count as a sum; the builder asks for none.
    pub(crate) fn of(op: Binary) -> Self {
        match op {
            Binary::Subtract => Self::Subtract,
            Binary::Multiply => Self::Multiply,
            Binary::Divide => Self::Divide,
            Binary::IntegralDivide => Self::IntegralDivide,
            Binary::Modulo => Self::Modulo,
            Binary::BitAnd => Self::BitAnd,
            Binary::BitOr => Self::BitOr,
            Binary::BitXor => Self::BitXor,
            _ => Self::Add,
        }
    }
}

type Two = for<'a> fn(Value<'a>, Value<'a>) -> Value<'a>;

/// The operator over two values of this type.
pub(crate) fn function(op: Operator, data_type: &DataType) -> Option<Two> {
    Some(match (data_type, op) {
        (DataType::Int, Operator::Add) => |left, right| int(left, right, |l, r| Some(l.wrapping_add(r))),
        (DataType::Int, Operator::Subtract) => |left, right| int(left, right, |l, r| Some(l.wrapping_sub(r))),
        (DataType::Int, Operator::Multiply) => |left, right| int(left, right, |l, r| Some(l.wrapping_mul(r))),
        (DataType::Int, Operator::Modulo) => |left, right| int(left, right, remainder_int),
        (DataType::Int, Operator::PositiveModulo) => |left, right| int(left, right, positive_int),
        (DataType::Int, Operator::BitAnd) => |left, right| int(left, right, |l, r| Some(l & r)),
        (DataType::Int, Operator::BitOr) => |left, right| int(left, right, |l, r| Some(l | r)),
        (DataType::Int, Operator::BitXor) => |left, right| int(left, right, |l, r| Some(l ^ r)),
        (DataType::BigInt, Operator::Add) => |left, right| bigint(left, right, |l, r| Some(l.wrapping_add(r))),
        (DataType::BigInt, Operator::Subtract) => |left, right| bigint(left, right, |l, r| Some(l.wrapping_sub(r))),
        (DataType::BigInt, Operator::Multiply) => |left, right| bigint(left, right, |l, r| Some(l.wrapping_mul(r))),
        (DataType::BigInt, Operator::IntegralDivide) => |left, right| bigint(left, right, quotient),
        (DataType::BigInt, Operator::Modulo) => |left, right| bigint(left, right, remainder),
        (DataType::BigInt, Operator::PositiveModulo) => |left, right| bigint(left, right, positive),
        (DataType::BigInt, Operator::BitAnd) => |left, right| bigint(left, right, |l, r| Some(l & r)),
        (DataType::BigInt, Operator::BitOr) => |left, right| bigint(left, right, |l, r| Some(l | r)),
        (DataType::BigInt, Operator::BitXor) => |left, right| bigint(left, right, |l, r| Some(l ^ r)),
        (DataType::Double, Operator::Add) => |left, right| double(left, right, |l, r| Some(l + r)),
        (DataType::Double, Operator::Subtract) => |left, right| double(left, right, |l, r| Some(l - r)),
        (DataType::Double, Operator::Multiply) => |left, right| double(left, right, |l, r| Some(l * r)),
        (DataType::Double, Operator::Divide) => |left, right| double(left, right, |l, r| (r != 0.0).then(|| l / r)),
        (DataType::Double, Operator::Modulo) => |left, right| double(left, right, |l, r| (r != 0.0).then(|| l % r)),
        (DataType::Double, Operator::PositiveModulo) => |left, right| double(left, right, positive_double),
        _ => return None,
    })
}

fn int<'a>(left: Value<'a>, right: Value<'a>, op: fn(i32, i32) -> Option<i32>) -> Value<'a> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => op(left, right).map_or(Value::Null, Value::Int),
        _ => Value::Null,
    }
}

fn bigint<'a>(left: Value<'a>, right: Value<'a>, op: fn(i64, i64) -> Option<i64>) -> Value<'a> {
    match (left, right) {
        (Value::BigInt(left), Value::BigInt(right)) => op(left, right).map_or(Value::Null, Value::BigInt),
        _ => Value::Null,
    }
}

fn double<'a>(left: Value<'a>, right: Value<'a>, op: fn(f64, f64) -> Option<f64>) -> Value<'a> {
    match (left, right) {
        (Value::Double(left), Value::Double(right)) => op(left, right).map_or(Value::Null, Value::Double),
        _ => Value::Null,
    }
}

fn remainder_int(left: i32, right: i32) -> Option<i32> {
    (right != 0).then(|| left.wrapping_rem(right))
}

fn remainder(left: i64, right: i64) -> Option<i64> {
    (right != 0).then(|| left.wrapping_rem(right))
}

fn quotient(left: i64, right: i64) -> Option<i64> {
    (right != 0).then(|| left.wrapping_div(right))
}

/// `Pmod`: a negative remainder goes up by the divisor, which may leave it negative where the divisor is.
fn positive_int(left: i32, right: i32) -> Option<i32> {
    let rest = remainder_int(left, right)?;
    if rest < 0 { remainder_int(rest.wrapping_add(right), right) } else { Some(rest) }
}

fn positive(left: i64, right: i64) -> Option<i64> {
    let rest = remainder(left, right)?;
    if rest < 0 { remainder(rest.wrapping_add(right), right) } else { Some(rest) }
}

fn positive_double(left: f64, right: f64) -> Option<f64> {
    if right == 0.0 {
        return None;
    }
    let rest = left % right;
    Some(if rest < 0.0 { (rest + right) % right } else { rest })
}

pub(crate) fn negate(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Int(value) => Value::Int(value.wrapping_neg()),
        Value::BigInt(value) => Value::BigInt(value.wrapping_neg()),
        Value::Double(value) => Value::Double(-value),
        Value::Decimal(value) => Value::Decimal(value.negated()),
        _ => Value::Null,
    }
}

pub(crate) fn abs(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Int(value) => Value::Int(value.wrapping_abs()),
        Value::BigInt(value) => Value::BigInt(value.wrapping_abs()),
        Value::Double(value) => Value::Double(value.abs()),
        Value::Decimal(value) => Value::Decimal(if value.unscaled < 0 { value.negated() } else { value }),
        _ => Value::Null,
    }
}
