//! Functions of numbers. Those of doubles are fdlibm's, as Java's `StrictMath`.

use crate::types::Value;

pub(crate) fn double<'a>(value: Value<'a>, function: fn(f64) -> f64) -> Value<'a> {
    match value {
        Value::Double(value) => Value::Double(function(value)),
        _ => Value::Null,
    }
}

/// NULL up to a bound, as of logarithms.
pub(crate) fn above<'a>(value: Value<'a>, bound: f64, function: fn(f64) -> f64) -> Value<'a> {
    match value {
        Value::Double(value) if value <= bound => Value::Null,
        other => double(other, function),
    }
}

pub(crate) fn doubles<'a>(left: Value<'a>, right: Value<'a>, function: fn(f64, f64) -> f64) -> Value<'a> {
    match (left, right) {
        (Value::Double(left), Value::Double(right)) => Value::Double(function(left, right)),
        _ => Value::Null,
    }
}

/// Of base and number; NULL if one is not above zero.
pub(crate) fn log<'a>(base: Value<'a>, value: Value<'a>) -> Value<'a> {
    match (base, value) {
        (Value::Double(base), Value::Double(value)) if !(base <= 0.0 || value <= 0.0) => {
            Value::Double(libm::log(value) / libm::log(base))
        }
        _ => Value::Null,
    }
}

pub(crate) fn log2(value: f64) -> f64 {
    libm::log(value) / libm::log(2.0)
}

pub(crate) fn signum(value: f64) -> f64 {
    if value == 0.0 || value.is_nan() { value } else { value.signum() }
}

pub(crate) fn asinh(value: f64) -> f64 {
    if value == f64::NEG_INFINITY { value } else { libm::log(value + (value * value + 1.0).sqrt()) }
}

pub(crate) fn acosh(value: f64) -> f64 {
    libm::log(value + (value * value - 1.0).sqrt())
}

pub(crate) fn atanh(value: f64) -> f64 {
    0.5 * (libm::log1p(value) - libm::log1p(-value))
}

/// A DOUBLE as BIGINT, upwards; its bounds where it is beyond them.
pub(crate) fn ceil(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Double(value) => Value::BigInt(value.ceil() as i64),
        other => other,
    }
}

pub(crate) fn floor(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Double(value) => Value::BigInt(value.floor() as i64),
        other => other,
    }
}

/// NULL below 0 and above 20.
pub(crate) fn factorial(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Int(value @ 0..=20) => Value::BigInt((1..=i64::from(value)).product()),
        _ => Value::Null,
    }
}

pub(crate) fn shift_left<'a>(value: Value<'a>, bits: Value<'a>) -> Value<'a> {
    match (value, bits) {
        (Value::Int(value), Value::Int(bits)) => Value::Int(value.wrapping_shl(bits as u32)),
        (Value::BigInt(value), Value::Int(bits)) => Value::BigInt(value.wrapping_shl(bits as u32)),
        _ => Value::Null,
    }
}

pub(crate) fn shift_right<'a>(value: Value<'a>, bits: Value<'a>) -> Value<'a> {
    match (value, bits) {
        (Value::Int(value), Value::Int(bits)) => Value::Int(value.wrapping_shr(bits as u32)),
        (Value::BigInt(value), Value::Int(bits)) => Value::BigInt(value.wrapping_shr(bits as u32)),
        _ => Value::Null,
    }
}

pub(crate) fn shift_right_unsigned<'a>(value: Value<'a>, bits: Value<'a>) -> Value<'a> {
    match (value, bits) {
        (Value::Int(value), Value::Int(bits)) => Value::Int((value as u32).wrapping_shr(bits as u32) as i32),
        (Value::BigInt(value), Value::Int(bits)) => Value::BigInt((value as u64).wrapping_shr(bits as u32) as i64),
        _ => Value::Null,
    }
}

pub(crate) fn complement(value: Value<'_>) -> Value<'_> {
    match value {
        Value::TinyInt(value) => Value::TinyInt(!value),
        Value::SmallInt(value) => Value::SmallInt(!value),
        Value::Int(value) => Value::Int(!value),
        Value::BigInt(value) => Value::BigInt(!value),
        _ => Value::Null,
    }
}

/// Of 64 bits, also of an INT.
pub(crate) fn bit_count(value: Value<'_>) -> Value<'_> {
    let bits = match value {
        Value::Boolean(value) => u32::from(value),
        Value::TinyInt(value) => i64::from(value).count_ones(),
        Value::SmallInt(value) => i64::from(value).count_ones(),
        Value::Int(value) => i64::from(value).count_ones(),
        Value::BigInt(value) => value.count_ones(),
        _ => return Value::Null,
    };
    Value::Int(bits as i32)
}

/// The bit of this number, from 0; NULL where the type has none, where Spark fails.
pub(crate) fn get_bit<'a>(value: Value<'a>, number: Value<'a>) -> Value<'a> {
    let (value, bits) = match value {
        Value::TinyInt(value) => (i64::from(value), 8),
        Value::SmallInt(value) => (i64::from(value), 16),
        Value::Int(value) => (i64::from(value), 32),
        Value::BigInt(value) => (value, 64),
        _ => return Value::Null,
    };
    match number {
        Value::Int(number) if (0..bits).contains(&number) => Value::TinyInt((value >> number & 1) as i8),
        _ => Value::Null,
    }
}

/// The number of the bucket, of so many equal ones between two bounds, that a number is in: 0 before them, one more
/// than there are after them. NULL where there can be no buckets.
pub(crate) fn width_bucket(values: Vec<Value<'_>>) -> Value<'_> {
    let [Value::Double(value), Value::Double(from), Value::Double(to), Value::BigInt(buckets)] = values.as_slice()
    else {
        return Value::Null;
    };
    let (value, from, to, buckets) = (*value, *from, *to, *buckets);
    if buckets <= 0 || buckets == i64::MAX || value.is_nan() || from == to || !from.is_finite() || !to.is_finite() {
        return Value::Null;
    }
    let (before, after) = if from < to { (value < from, value >= to) } else { (value > from, value <= to) };
    Value::BigInt(if before {
        0
    } else if after {
        buckets + 1
    } else {
        (buckets as f64 * (value - from) / (to - from)) as i64 + 1
    })
}
