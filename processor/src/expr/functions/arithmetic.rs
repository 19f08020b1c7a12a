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

/// Of two values of one type; NULL where nothing is computed.
macro_rules! pair {
    ($left:expr, $right:expr, $variant:ident, $compute:expr) => {
        match ($left, $right) {
            (Value::$variant(left), Value::$variant(right)) => {
                applied($compute, left, right).map_or(Value::Null, Value::$variant)
            }
            _ => Value::Null,
        }
    };
}

/// The operators that all whole numbers have.
macro_rules! whole {
    ($op:expr, $variant:ident, $positive:expr) => {
        match $op {
            Operator::Add => |left, right| pair!(left, right, $variant, |l, r| Some(l.wrapping_add(r))),
            Operator::Subtract => |left, right| pair!(left, right, $variant, |l, r| Some(l.wrapping_sub(r))),
            Operator::Multiply => |left, right| pair!(left, right, $variant, |l, r| Some(l.wrapping_mul(r))),
            Operator::Modulo => |left, right| pair!(left, right, $variant, |l, r| (r != 0).then(|| l.wrapping_rem(r))),
            Operator::PositiveModulo => |left, right| pair!(left, right, $variant, $positive),
            Operator::BitAnd => |left, right| pair!(left, right, $variant, |l, r| Some(l & r)),
            Operator::BitOr => |left, right| pair!(left, right, $variant, |l, r| Some(l | r)),
            Operator::BitXor => |left, right| pair!(left, right, $variant, |l, r| Some(l ^ r)),
            Operator::Divide | Operator::IntegralDivide => return None,
        }
    };
}

/// The operators of the two types of fractions.
macro_rules! fraction {
    ($op:expr, $variant:ident, $positive:expr) => {
        match $op {
            Operator::Add => |left, right| pair!(left, right, $variant, |l, r| Some(l + r)),
            Operator::Subtract => |left, right| pair!(left, right, $variant, |l, r| Some(l - r)),
            Operator::Multiply => |left, right| pair!(left, right, $variant, |l, r| Some(l * r)),
            Operator::Divide => |left, right| pair!(left, right, $variant, |l, r| (r != 0.0).then(|| l / r)),
            Operator::Modulo => |left, right| pair!(left, right, $variant, |l, r| (r != 0.0).then(|| l % r)),
            Operator::PositiveModulo => |left, right| pair!(left, right, $variant, $positive),
            _ => return None,
        }
    };
}

/// The operators that leave the range of a whole number's type, NULL there.
macro_rules! checked {
    ($op:expr, $variant:ident) => {
        match $op {
            Operator::Add => |left, right| pair!(left, right, $variant, |l, r| l.checked_add(r)),
            Operator::Subtract => |left, right| pair!(left, right, $variant, |l, r| l.checked_sub(r)),
            Operator::Multiply => |left, right| pair!(left, right, $variant, |l, r| l.checked_mul(r)),
            _ => return None,
        }
    };
}

/// As `function`, but NULL instead of wrapping: `try_add` and its like.
pub(crate) fn checked(op: Operator, data_type: &DataType) -> Option<Two> {
    Some(match data_type {
        DataType::TinyInt => checked!(op, TinyInt),
        DataType::SmallInt => checked!(op, SmallInt),
        DataType::Int => checked!(op, Int),
        DataType::BigInt => checked!(op, BigInt),
        _ => return function(op, data_type),
    })
}

fn applied<T>(compute: impl FnOnce(T, T) -> Option<T>, left: T, right: T) -> Option<T> {
    compute(left, right)
}

/// The operator over two values of this type.
pub(crate) fn function(op: Operator, data_type: &DataType) -> Option<Two> {
    Some(match data_type {
        // `Pmod` computes small numbers as INT.
        DataType::TinyInt => whole!(op, TinyInt, |l, r| positive_int(l.into(), r.into()).map(|rest| rest as i8)),
        DataType::SmallInt => whole!(op, SmallInt, |l, r| positive_int(l.into(), r.into()).map(|rest| rest as i16)),
        DataType::Int => whole!(op, Int, positive_int),
        DataType::BigInt if op == Operator::IntegralDivide => {
            |left, right| pair!(left, right, BigInt, |l, r| (r != 0).then(|| l.wrapping_div(r)))
        }
        DataType::BigInt => whole!(op, BigInt, positive),
        DataType::Float => fraction!(op, Float, positive_float),
        DataType::Double => fraction!(op, Double, positive_double),
        _ => return None,
    })
}

fn remainder_int(left: i32, right: i32) -> Option<i32> {
    (right != 0).then(|| left.wrapping_rem(right))
}

fn remainder(left: i64, right: i64) -> Option<i64> {
    (right != 0).then(|| left.wrapping_rem(right))
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

fn positive_float(left: f32, right: f32) -> Option<f32> {
    if right == 0.0 {
        return None;
    }
    let rest = left % right;
    Some(if rest < 0.0 { (rest + right) % right } else { rest })
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
        Value::TinyInt(value) => Value::TinyInt(value.wrapping_neg()),
        Value::SmallInt(value) => Value::SmallInt(value.wrapping_neg()),
        Value::Int(value) => Value::Int(value.wrapping_neg()),
        Value::BigInt(value) => Value::BigInt(value.wrapping_neg()),
        Value::Float(value) => Value::Float(-value),
        Value::Double(value) => Value::Double(-value),
        Value::Decimal(value) => Value::Decimal(value.negated()),
        interval => super::interval::negated(interval),
    }
}

pub(crate) fn abs(value: Value<'_>) -> Value<'_> {
    match value {
        Value::TinyInt(value) => Value::TinyInt(value.wrapping_abs()),
        Value::SmallInt(value) => Value::SmallInt(value.wrapping_abs()),
        Value::Int(value) => Value::Int(value.wrapping_abs()),
        Value::BigInt(value) => Value::BigInt(value.wrapping_abs()),
        Value::Float(value) => Value::Float(value.abs()),
        Value::Double(value) => Value::Double(value.abs()),
        Value::Decimal(value) => Value::Decimal(if value.unscaled < 0 { value.negated() } else { value }),
        Value::Months(value) => value.checked_abs().map_or(Value::Null, Value::Months),
        Value::Micros(value) => value.checked_abs().map_or(Value::Null, Value::Micros),
        _ => Value::Null,
    }
}
