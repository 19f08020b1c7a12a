//! Parts of dates and timestamps, in UTC.

use super::calendar::{MICROS_PER_HOUR, MICROS_PER_MINUTE};
use crate::types::datetime::{Civil, MICROS_PER_SECOND, day_of_week as iso_day, day_of_year as year_day, iso_week};
use crate::types::{Decimal, Value};

fn of_date(value: &Value<'_>, part: impl Fn(i32) -> i32) -> Value<'static> {
    match value {
        Value::Date(days) => Value::Int(part(*days)),
        _ => Value::Null,
    }
}

pub(crate) fn year(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| Civil::of_days(days).year)
}

pub(crate) fn quarter(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| Civil::of_days(days).quarter() as i32)
}

pub(crate) fn month(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| Civil::of_days(days).month as i32)
}

pub(crate) fn day(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| Civil::of_days(days).day as i32)
}

/// Sunday is 1, Saturday 7.
pub(crate) fn day_of_week(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| iso_day(days) as i32 % 7 + 1)
}

/// Monday is 1, Sunday 7.
pub(crate) fn iso_day_of_week(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| iso_day(days) as i32)
}

/// Monday is 0, Sunday 6.
pub(crate) fn weekday(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| iso_day(days) as i32 - 1)
}

pub(crate) fn day_of_year(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| year_day(days) as i32)
}

pub(crate) fn week_of_year(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| iso_week(days).1 as i32)
}

pub(crate) fn year_of_week(value: Value<'_>) -> Value<'_> {
    of_date(&value, |days| iso_week(days).0)
}

/// Of the time of day, in a unit of so many microseconds, of which a larger one has so many.
fn of_time(value: &Value<'_>, unit_micros: i64, count: i64) -> Value<'static> {
    match value {
        Value::Timestamp(micros) => Value::Int(micros.div_euclid(unit_micros).rem_euclid(count) as i32),
        _ => Value::Null,
    }
}

pub(crate) fn hour(value: Value<'_>) -> Value<'_> {
    of_time(&value, MICROS_PER_HOUR, 24)
}

pub(crate) fn minute(value: Value<'_>) -> Value<'_> {
    of_time(&value, MICROS_PER_MINUTE, 60)
}

pub(crate) fn second(value: Value<'_>) -> Value<'_> {
    of_time(&value, MICROS_PER_SECOND, 60)
}

/// With its fraction, a DECIMAL(8,6).
pub(crate) fn second_with_fraction(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Timestamp(micros) => {
            let micros = i128::from(micros.rem_euclid(MICROS_PER_MINUTE));
            super::decimal_or_null(Decimal::new(micros, 8, 6))
        }
        _ => Value::Null,
    }
}
