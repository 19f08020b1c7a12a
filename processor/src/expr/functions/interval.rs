//! What intervals do to times, numbers and each other. What would leave the range of a type is NULL, where Spark fails.

use super::rounding::half_up;
use crate::types::datetime::{
    Civil, MICROS_PER_DAY, MICROS_PER_SECOND, add_months as months_later, days_of_micros, micros_of_days,
};
use crate::types::{Decimal, Value};

use super::calendar::{MICROS_PER_HOUR, MICROS_PER_MINUTE};

pub(crate) type Two = for<'a> fn(Value<'a>, Value<'a>) -> Value<'a>;

fn months(months: Option<i32>) -> Value<'static> {
    months.map_or(Value::Null, Value::Months)
}

fn micros(micros: Option<i64>) -> Value<'static> {
    micros.map_or(Value::Null, Value::Micros)
}

fn timestamp(micros: Option<i64>) -> Value<'static> {
    micros.map_or(Value::Null, Value::Timestamp)
}

fn date(days: Option<i32>) -> Value<'static> {
    days.map_or(Value::Null, Value::Date)
}

/// The other way.
pub(crate) fn negated(interval: Value<'_>) -> Value<'_> {
    match interval {
        Value::Months(value) => months(value.checked_neg()),
        Value::Micros(value) => micros(value.checked_neg()),
        _ => Value::Null,
    }
}

pub(crate) fn plus<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    match (left, right) {
        (Value::Months(left), Value::Months(right)) => months(left.checked_add(right)),
        (Value::Micros(left), Value::Micros(right)) => micros(left.checked_add(right)),
        _ => Value::Null,
    }
}

pub(crate) fn minus<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    match (left, right) {
        (Value::Months(left), Value::Months(right)) => months(left.checked_sub(right)),
        (Value::Micros(left), Value::Micros(right)) => micros(left.checked_sub(right)),
        _ => Value::Null,
    }
}

/// Makes an interval of its number in its smallest unit.
type Make = fn(i64) -> Value<'static>;

/// An interval's number in its smallest unit, and how to make one of it again.
fn parts(interval: &Value<'_>) -> Option<(i64, Make)> {
    match interval {
        Value::Months(value) => Some((i64::from(*value), |value| months(i32::try_from(value).ok()))),
        Value::Micros(value) => Some((*value, |value| micros(Some(value)))),
        _ => None,
    }
}

/// A number as a whole one, a decimal or a double.
enum Number {
    Whole(i64),
    Decimal(Decimal),
    Double(f64),
}

fn number(value: &Value<'_>) -> Option<Number> {
    Some(match value {
        Value::TinyInt(value) => Number::Whole(i64::from(*value)),
        Value::SmallInt(value) => Number::Whole(i64::from(*value)),
        Value::Int(value) => Number::Whole(i64::from(*value)),
        Value::BigInt(value) => Number::Whole(*value),
        Value::Decimal(value) => Number::Decimal(*value),
        Value::Float(value) => Number::Double(f64::from(*value)),
        Value::Double(value) => Number::Double(*value),
        _ => return None,
    })
}

/// Rounded half up.
pub(crate) fn multiply<'a>(interval: Value<'a>, factor: Value<'a>) -> Value<'a> {
    let (Some((value, make)), Some(factor)) = (parts(&interval), number(&factor)) else { return Value::Null };
    let product = match factor {
        Number::Whole(factor) => value.checked_mul(factor),
        Number::Decimal(factor) => {
            let unit = 10_i128.checked_pow(u32::from(factor.scale));
            let product = i128::from(value).checked_mul(factor.unscaled);
            product.zip(unit).and_then(|(product, unit)| rounded(product, unit))
        }
        Number::Double(factor) => whole(value as f64 * factor),
    };
    product.map_or(Value::Null, make)
}

/// Rounded half up; NULL by zero.
pub(crate) fn divide<'a>(interval: Value<'a>, divisor: Value<'a>) -> Value<'a> {
    let (Some((value, make)), Some(divisor)) = (parts(&interval), number(&divisor)) else { return Value::Null };
    let quotient = match divisor {
        Number::Whole(divisor) => rounded(i128::from(value), i128::from(divisor)),
        Number::Decimal(divisor) => {
            let unit = 10_i128.checked_pow(u32::from(divisor.scale));
            let value = unit.and_then(|unit| i128::from(value).checked_mul(unit));
            value.and_then(|value| rounded(value, divisor.unscaled))
        }
        Number::Double(0.0) => None,
        Number::Double(divisor) => whole(value as f64 / divisor),
    };
    quotient.map_or(Value::Null, make)
}

fn rounded(value: i128, unit: i128) -> Option<i64> {
    if unit == 0 {
        return None;
    }
    let (quotient, rest) = (value / unit, value % unit);
    let up = rest.unsigned_abs() * 2 >= unit.unsigned_abs();
    let away = if (value < 0) == (unit < 0) { 1 } else { -1 };
    i64::try_from(if up { quotient + away } else { quotient }).ok()
}

/// `DoubleMath.roundToLong` with HALF_UP.
fn whole(value: f64) -> Option<i64> {
    let rounded = half_up(value, 0);
    (value.is_finite() && rounded.abs() < 9_223_372_036_854_775_807.0).then_some(rounded as i64)
}

pub(crate) fn between<'a>(end: Value<'a>, start: Value<'a>) -> Value<'a> {
    match (end, start) {
        (Value::Timestamp(end), Value::Timestamp(start)) => micros(end.checked_sub(start)),
        _ => Value::Null,
    }
}

pub(crate) fn days_between<'a>(end: Value<'a>, start: Value<'a>) -> Value<'a> {
    match (end, start) {
        (Value::Date(end), Value::Date(start)) => {
            micros((i64::from(end) - i64::from(start)).checked_mul(MICROS_PER_DAY))
        }
        _ => Value::Null,
    }
}

/// Wraps, as Spark's.
pub(crate) fn date_plus_days<'a>(days: Value<'a>, interval: Value<'a>) -> Value<'a> {
    match (days, interval) {
        (Value::Date(days), Value::Micros(micros)) => date(Some(days.wrapping_add((micros / MICROS_PER_DAY) as i32))),
        _ => Value::Null,
    }
}

pub(crate) fn date_minus_days<'a>(days: Value<'a>, interval: Value<'a>) -> Value<'a> {
    match (days, interval) {
        (Value::Date(days), Value::Micros(micros)) => date(Some(days.wrapping_sub((micros / MICROS_PER_DAY) as i32))),
        _ => Value::Null,
    }
}

pub(crate) fn date_plus_months<'a>(days: Value<'a>, interval: Value<'a>) -> Value<'a> {
    match (days, interval) {
        (Value::Date(days), Value::Months(months)) => date(months_later(days, months)),
        _ => Value::Null,
    }
}

pub(crate) fn date_minus_months<'a>(days: Value<'a>, interval: Value<'a>) -> Value<'a> {
    date_plus_months(days, negated(interval))
}

pub(crate) fn timestamp_plus<'a>(time: Value<'a>, interval: Value<'a>) -> Value<'a> {
    match (time, interval) {
        (Value::Timestamp(time), Value::Micros(micros)) => timestamp(time.checked_add(micros)),
        (Value::Timestamp(time), Value::Months(months)) => timestamp(plus_months(time, i64::from(months))),
        _ => Value::Null,
    }
}

pub(crate) fn timestamp_minus<'a>(time: Value<'a>, interval: Value<'a>) -> Value<'a> {
    match (time, interval) {
        (Value::Timestamp(time), Value::Micros(micros)) => timestamp(time.checked_sub(micros)),
        (time, interval) => timestamp_plus(time, negated(interval)),
    }
}

fn plus_months(time: i64, months: i64) -> Option<i64> {
    let days = months_later(days_of_micros(time), i32::try_from(months).ok()?)?;
    micros_of_days(days)?.checked_add(time.rem_euclid(MICROS_PER_DAY))
}

/// A unit of `timestampadd` and `timestampdiff`: so many months, or microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Months(i64),
    Micros(i64),
}

impl Step {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "MICROSECOND" => Self::Micros(1),
            "MILLISECOND" => Self::Micros(1000),
            "SECOND" => Self::Micros(MICROS_PER_SECOND),
            "MINUTE" => Self::Micros(MICROS_PER_MINUTE),
            "HOUR" => Self::Micros(MICROS_PER_HOUR),
            "DAY" | "DAYOFYEAR" => Self::Micros(MICROS_PER_DAY),
            "WEEK" => Self::Micros(7 * MICROS_PER_DAY),
            "MONTH" => Self::Months(1),
            "QUARTER" => Self::Months(3),
            "YEAR" => Self::Months(12),
            _ => return None,
        })
    }

    /// A time so many steps later.
    pub(crate) fn add<'a>(self, count: Value<'a>, time: Value<'a>) -> Value<'a> {
        let (Value::Int(count), Value::Timestamp(time)) = (count, time) else { return Value::Null };
        let count = i64::from(count);
        timestamp(match self {
            Self::Months(months) => plus_months(time, months * count),
            Self::Micros(micros) => micros.checked_mul(count).and_then(|micros| time.checked_add(micros)),
        })
    }

    /// The whole steps between two times.
    pub(crate) fn count<'a>(self, start: Value<'a>, end: Value<'a>) -> Value<'a> {
        let (Value::Timestamp(start), Value::Timestamp(end)) = (start, end) else { return Value::Null };
        Value::BigInt(match self {
            Self::Months(months) => months_between(start, end) / months,
            // Days fit, however far apart the times are.
            Self::Micros(micros) => ((i128::from(end) - i128::from(start)) / i128::from(micros)) as i64,
        })
    }
}

/// `ChronoUnit.MONTHS.between` of local times.
fn months_between(start: i64, end: i64) -> i64 {
    let (start_days, mut end_days) = (days_of_micros(start), days_of_micros(end));
    let time_of_day = |micros: i64| micros.rem_euclid(MICROS_PER_DAY);
    if end_days > start_days && time_of_day(end) < time_of_day(start) {
        end_days -= 1;
    } else if end_days < start_days && time_of_day(end) > time_of_day(start) {
        end_days += 1;
    }
    let packed = |days: i32| {
        let Civil { year, month, day } = Civil::of_days(days);
        (i64::from(year) * 12 + i64::from(month)) * 32 + i64::from(day)
    };
    (packed(end_days) - packed(start_days)) / 32
}

/// A part of an interval, with its sign.
fn part(interval: Value<'_>, unit: i64, count: i64) -> Option<i64> {
    match interval {
        Value::Micros(micros) => Some(micros / unit % count),
        Value::Months(months) => Some(i64::from(months) / unit % count),
        _ => None,
    }
}

pub(crate) fn years(interval: Value<'_>) -> Value<'_> {
    part(interval, 12, i64::MAX).map_or(Value::Null, |years| Value::Int(years as i32))
}

pub(crate) fn months_of_year(interval: Value<'_>) -> Value<'_> {
    part(interval, 1, 12).map_or(Value::Null, |months| Value::TinyInt(months as i8))
}

pub(crate) fn days(interval: Value<'_>) -> Value<'_> {
    part(interval, MICROS_PER_DAY, i64::MAX).map_or(Value::Null, |days| Value::Int(days as i32))
}

pub(crate) fn hours_of_day(interval: Value<'_>) -> Value<'_> {
    part(interval, MICROS_PER_HOUR, 24).map_or(Value::Null, |hours| Value::TinyInt(hours as i8))
}

pub(crate) fn minutes_of_hour(interval: Value<'_>) -> Value<'_> {
    part(interval, MICROS_PER_MINUTE, 60).map_or(Value::Null, |minutes| Value::TinyInt(minutes as i8))
}

/// With their fraction, a DECIMAL(8,6).
pub(crate) fn seconds_of_minute(interval: Value<'_>) -> Value<'_> {
    let micros = part(interval, 1, MICROS_PER_MINUTE);
    super::decimal_or_null(micros.and_then(|micros| Decimal::new(i128::from(micros), 8, 6)))
}

/// Of days, hours, minutes and seconds as a DECIMAL(18,6).
pub(crate) fn make_days(values: Vec<Value<'_>>) -> Value<'_> {
    let [Value::Int(days), Value::Int(hours), Value::Int(minutes), Value::Decimal(seconds)] = values.as_slice() else {
        return Value::Null;
    };
    let sum = |seconds: i64| {
        let micros = seconds.checked_add(i64::from(*minutes).checked_mul(MICROS_PER_MINUTE)?)?;
        let micros = micros.checked_add(i64::from(*hours).checked_mul(MICROS_PER_HOUR)?)?;
        micros.checked_add(i64::from(*days).checked_mul(MICROS_PER_DAY)?)
    };
    micros(seconds.rescale(38, 6).and_then(|seconds| i64::try_from(seconds.unscaled).ok()).and_then(sum))
}

/// Of years and months.
pub(crate) fn make_months<'a>(years: Value<'a>, more: Value<'a>) -> Value<'a> {
    match (years, more) {
        (Value::Int(years), Value::Int(more)) => months(years.checked_mul(12).and_then(|all| all.checked_add(more))),
        _ => Value::Null,
    }
}
