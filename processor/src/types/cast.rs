//! CAST between types with ANSI mode off: NULL where a value does not convert. Follows
//! `org.apache.spark.sql.catalyst.expressions.Cast`.

mod boolean;
mod double;
mod integer;
mod nested;

use std::borrow::Cow;

pub(crate) use nested::can_cast;

use super::datetime::{MICROS_PER_SECOND, days_of_micros, micros_of_days, parse_date, parse_timestamp};
use super::{DIGITS_MAX, DataType, Decimal, IntervalRange, Value, interval, text};

/// Converts a value of type `from` to type `to`; NULL if it does not convert, or if no value of the one type converts
/// to the other (`can_cast`).
pub(crate) fn cast<'a>(value: Value<'a>, from: &DataType, to: &DataType) -> Value<'a> {
    if value.is_null() {
        return Value::Null;
    }
    if let (DataType::Interval(range), Value::Months(_) | Value::Micros(_)) = (from, &value)
        && matches!(to, DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt)
    {
        // NULL where it does not fit, where Spark fails.
        let units = interval::units(&value, *range);
        let whole = |units: i64| checked_to_integer(units, to);
        return units.and_then(whole).unwrap_or(Value::Null);
    }
    if let (DataType::Interval(range), DataType::Decimal { precision, scale }) = (from, to) {
        let units = interval::decimal_units(&value, *range);
        return units.and_then(|units| units.rescale(*precision, *scale)).map_or(Value::Null, Value::Decimal);
    }
    match to {
        DataType::Null => Value::Null,
        DataType::Boolean => to_boolean(value).map_or(Value::Null, Value::Boolean),
        DataType::TinyInt => to_small(value).map_or(Value::Null, Value::TinyInt),
        DataType::SmallInt => to_small(value).map_or(Value::Null, Value::SmallInt),
        DataType::Int => to_int(value).map_or(Value::Null, Value::Int),
        DataType::BigInt => to_bigint(value).map_or(Value::Null, Value::BigInt),
        DataType::Float => to_float(value).map_or(Value::Null, Value::Float),
        DataType::Double => to_double(value).map_or(Value::Null, Value::Double),
        DataType::Decimal { precision, scale } => {
            to_decimal(value, *precision, *scale).map_or(Value::Null, Value::Decimal)
        }
        DataType::String => to_string(value, from),
        DataType::Binary => to_binary(value),
        DataType::Date => to_date(value).map_or(Value::Null, Value::Date),
        DataType::Timestamp => to_timestamp(value).map_or(Value::Null, Value::Timestamp),
        DataType::Interval(range) => to_interval(value, *range),
        DataType::Array(_) | DataType::Map(..) | DataType::Struct(_) => nested::cast(value, from, to),
    }
}

/// As `cast`, and NULL also where ANSI mode fails: a number that does not fit, a text of a number that is not whole.
pub(crate) fn try_cast<'a>(value: Value<'a>, from: &DataType, to: &DataType) -> Value<'a> {
    if !matches!(to, DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt) {
        return cast(value, from, to);
    }
    let whole = match value {
        Value::String(text) if text.contains(&b'.') => None,
        Value::Float(value) => whole_double(f64::from(value)),
        Value::Double(value) => whole_double(value),
        Value::Decimal(value) => value.to_i64_exact(),
        other => to_bigint(other),
    };
    whole.and_then(|whole| checked_to_integer(whole, to)).unwrap_or(Value::Null)
}

/// Cut to a whole number, if BIGINT holds it.
fn whole_double(value: f64) -> Option<i64> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    (-BOUND..BOUND).contains(&value).then_some(value as i64)
}

/// `None` if it has too many bits.
fn checked_to_integer(value: i64, to: &DataType) -> Option<Value<'static>> {
    Some(match to {
        DataType::TinyInt => Value::TinyInt(i8::try_from(value).ok()?),
        DataType::SmallInt => Value::SmallInt(i16::try_from(value).ok()?),
        DataType::Int => Value::Int(i32::try_from(value).ok()?),
        _ => Value::BigInt(value),
    })
}

fn to_boolean(value: Value<'_>) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(value),
        Value::TinyInt(value) => Some(value != 0),
        Value::SmallInt(value) => Some(value != 0),
        Value::Int(value) => Some(value != 0),
        Value::BigInt(value) | Value::Timestamp(value) => Some(value != 0),
        Value::Float(value) => Some(value != 0.0),
        Value::Double(value) => Some(value != 0.0),
        Value::Decimal(value) => Some(!value.is_zero()),
        Value::String(text) => boolean::parse(&text),
        _ => None,
    }
}

/// To 8 or 16 bits: a text must fit, of numbers the lowest bits stay.
fn to_small<T: TryFrom<i32> + Wrapping>(value: Value<'_>) -> Option<T> {
    match value {
        Value::String(text) => T::try_from(integer::parse_int(&text)?).ok(),
        other => to_int(other).map(T::wrapped),
    }
}

/// Takes the lowest bits.
trait Wrapping {
    fn wrapped(value: i32) -> Self;
}

impl Wrapping for i8 {
    fn wrapped(value: i32) -> Self {
        value as Self
    }
}

impl Wrapping for i16 {
    fn wrapped(value: i32) -> Self {
        value as Self
    }
}

fn to_int(value: Value<'_>) -> Option<i32> {
    match value {
        Value::Int(value) => Some(value),
        Value::String(text) => integer::parse_int(&text),
        // Java's (int) of a double stops at the bounds, and as it stands in Rust; NaN is 0.
        Value::Double(value) => Some(value as i32),
        Value::Float(value) => Some(value as i32),
        other => to_bigint(other).map(|value| value as i32),
    }
}

fn to_bigint(value: Value<'_>) -> Option<i64> {
    match value {
        Value::BigInt(value) => Some(value),
        Value::Int(value) => Some(i64::from(value)),
        Value::TinyInt(value) => Some(i64::from(value)),
        Value::SmallInt(value) => Some(i64::from(value)),
        Value::Float(value) => Some(value as i64),
        Value::Boolean(value) => Some(i64::from(value)),
        Value::String(text) => integer::parse_bigint(&text),
        Value::Double(value) => Some(value as i64),
        Value::Decimal(value) => Some(value.to_i64()),
        Value::Timestamp(value) => Some(value.div_euclid(MICROS_PER_SECOND)),
        _ => None,
    }
}

fn to_float(value: Value<'_>) -> Option<f32> {
    match value {
        Value::Float(value) => Some(value),
        Value::BigInt(value) => Some(value as f32),
        Value::String(text) => double::parse_float(&text),
        Value::Decimal(value) => Some(value.to_f32()),
        other => to_double(other).map(|value| value as f32),
    }
}

fn to_double(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Double(value) => Some(value),
        Value::Float(value) => Some(f64::from(value)),
        Value::TinyInt(value) => Some(f64::from(value)),
        Value::SmallInt(value) => Some(f64::from(value)),
        Value::Int(value) => Some(f64::from(value)),
        Value::BigInt(value) => Some(value as f64),
        Value::Boolean(value) => Some(f64::from(u8::from(value))),
        Value::String(text) => double::parse(&text),
        Value::Decimal(value) => Some(value.to_f64()),
        Value::Timestamp(value) => Some(seconds_of(value)),
        _ => None,
    }
}

fn seconds_of(micros: i64) -> f64 {
    micros as f64 / MICROS_PER_SECOND as f64
}

fn to_decimal(value: Value<'_>, precision: u8, scale: u8) -> Option<Decimal> {
    match value {
        Value::Decimal(value) => value.rescale(precision, scale),
        Value::TinyInt(value) => Decimal::from_integer(i64::from(value), precision, scale),
        Value::SmallInt(value) => Decimal::from_integer(i64::from(value), precision, scale),
        Value::Int(value) => Decimal::from_integer(i64::from(value), precision, scale),
        Value::BigInt(value) => Decimal::from_integer(value, precision, scale),
        Value::Boolean(value) => Decimal::from_integer(i64::from(value), precision, scale),
        Value::Float(value) => Decimal::from_f64(f64::from(value), precision, scale),
        Value::Double(value) => Decimal::from_f64(value, precision, scale),
        Value::String(text) => Decimal::parse(&text, precision, scale),
        Value::Timestamp(value) => Decimal::from_f64(seconds_of(value), precision, scale),
        _ => None,
    }
}

/// Of numbers so many of the smallest unit.
fn to_interval(value: Value<'_>, range: IntervalRange) -> Value<'_> {
    match value {
        Value::Months(_) | Value::Micros(_) => interval::cut(value, range),
        Value::String(text) => interval::parse(&text, range).unwrap_or(Value::Null),
        Value::Decimal(number) => interval::of_number(number, range).unwrap_or(Value::Null),
        number => {
            let whole = to_bigint(number).and_then(|whole| Decimal::from_integer(whole, DIGITS_MAX, 0));
            whole.and_then(|whole| interval::of_number(whole, range)).unwrap_or(Value::Null)
        }
    }
}

fn to_string<'a>(value: Value<'a>, from: &DataType) -> Value<'a> {
    match value {
        Value::String(text) | Value::Binary(text) => Value::String(text),
        other => {
            let mut out = Vec::new();
            text::write_cast(&other, from, &mut out);
            Value::String(Cow::Owned(out))
        }
    }
}

fn to_binary(value: Value<'_>) -> Value<'_> {
    match value {
        Value::String(bytes) | Value::Binary(bytes) => Value::Binary(bytes),
        Value::TinyInt(value) => Value::Binary(Cow::Owned(value.to_be_bytes().to_vec())),
        Value::SmallInt(value) => Value::Binary(Cow::Owned(value.to_be_bytes().to_vec())),
        Value::Int(value) => Value::Binary(Cow::Owned(value.to_be_bytes().to_vec())),
        Value::BigInt(value) => Value::Binary(Cow::Owned(value.to_be_bytes().to_vec())),
        _ => Value::Null,
    }
}

fn to_date(value: Value<'_>) -> Option<i32> {
    match value {
        Value::Date(days) => Some(days),
        Value::String(text) => parse_date(&text),
        Value::Timestamp(micros) => Some(days_of_micros(micros)),
        _ => None,
    }
}

fn to_timestamp(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Timestamp(micros) => Some(micros),
        Value::String(text) => parse_timestamp(&text),
        Value::Date(days) => micros_of_days(days),
        // Seconds; Java's TimeUnit stops at the bounds.
        Value::TinyInt(seconds) => Some(i64::from(seconds) * MICROS_PER_SECOND),
        Value::SmallInt(seconds) => Some(i64::from(seconds) * MICROS_PER_SECOND),
        Value::Int(seconds) => Some(i64::from(seconds) * MICROS_PER_SECOND),
        Value::BigInt(seconds) => Some(seconds.saturating_mul(MICROS_PER_SECOND)),
        // And yet microseconds.
        Value::Boolean(value) => Some(i64::from(value)),
        Value::Float(seconds) => to_timestamp(Value::Double(f64::from(seconds))),
        Value::Double(seconds) => seconds.is_finite().then_some((seconds * MICROS_PER_SECOND as f64) as i64),
        Value::Decimal(seconds) => Some(seconds.to_micros()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
