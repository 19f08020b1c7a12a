//! Times as text by a pattern, and as seconds.

use std::cell::RefCell;

use crate::types::Value;
use crate::types::datetime::{MICROS_PER_DAY, MICROS_PER_SECOND, Pattern, Zone, days_of_micros};

pub(crate) use crate::types::datetime::Pattern as TimePattern;

const MICROS_PER_MILLI: i64 = 1_000;

pub(crate) fn format<'a>(pattern: &Pattern, value: Value<'a>) -> Value<'a> {
    match value {
        Value::Timestamp(micros) => pattern.format(micros).map_or(Value::Null, super::string),
        _ => Value::Null,
    }
}

/// A TIMESTAMP of a text; NULL if it is not of the pattern's form.
pub(crate) fn parse<'a>(pattern: &Pattern, value: Value<'a>) -> Value<'a> {
    match value {
        Value::String(text) => pattern.parse_timestamp(&text).map_or(Value::Null, Value::Timestamp),
        _ => Value::Null,
    }
}

type Compiled = Option<(Vec<u8>, Pattern)>;

thread_local! {
    /// The patterns of the row before: those that come from a column are often the same.
    static WRITING: RefCell<Compiled> = const { RefCell::new(None) };
    static READING: RefCell<Compiled> = const { RefCell::new(None) };
    static ZONE: RefCell<Option<(Vec<u8>, Zone)>> = const { RefCell::new(None) };
}

fn of_row(last: &mut Compiled, text: &[u8], compile: fn(&str) -> Result<Pattern, String>) -> Option<Pattern> {
    if let Some((known, pattern)) = last
        && known.as_slice() == text
    {
        return Some(pattern.clone());
    }
    let pattern = compile(&String::from_utf8_lossy(text)).ok()?;
    *last = Some((text.to_vec(), pattern.clone()));
    Some(pattern)
}

/// By a pattern of the row; NULL if it is none.
pub(crate) fn format_any<'a>(value: Value<'a>, pattern: Value<'a>) -> Value<'a> {
    let Value::String(text) = pattern else { return Value::Null };
    let pattern = WRITING.with_borrow_mut(|last| of_row(last, &text, Pattern::new));
    pattern.map_or(Value::Null, |pattern| format(&pattern, value))
}

pub(crate) fn parse_any<'a>(value: Value<'a>, pattern: Value<'a>) -> Value<'a> {
    let Value::String(text) = pattern else { return Value::Null };
    let pattern = READING.with_borrow_mut(|last| of_row(last, &text, Pattern::for_parsing));
    pattern.map_or(Value::Null, |pattern| parse(&pattern, value))
}

/// A zone of the row, by its name or offset.
fn in_zone(name: &[u8], convert: impl FnOnce(&Zone) -> Option<i64>) -> Value<'static> {
    ZONE.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| known.as_slice() != name) {
            *last = Zone::parse(name).map(|zone| (name.to_vec(), zone));
        }
        last.as_ref().and_then(|(_, zone)| convert(zone)).map_or(Value::Null, Value::Timestamp)
    })
}

/// What a clock of a zone shows, as the instant. NULL if there is no such zone, where Spark fails.
pub(crate) fn to_utc<'a>(time: Value<'a>, zone: Value<'a>) -> Value<'a> {
    let (Value::Timestamp(micros), Value::String(zone)) = (time, zone) else { return Value::Null };
    in_zone(&zone, |zone| zone.to_utc(days_of_micros(micros), micros.rem_euclid(MICROS_PER_DAY)))
}

/// An instant, as a clock of a zone shows it.
pub(crate) fn from_utc<'a>(time: Value<'a>, zone: Value<'a>) -> Value<'a> {
    let (Value::Timestamp(micros), Value::String(zone)) = (time, zone) else { return Value::Null };
    in_zone(&zone, |zone| zone.local(micros))
}

/// Of a STRUCT of start and end.
pub(crate) fn window_time(window: Value<'_>) -> Value<'_> {
    match window {
        Value::Struct(bounds) => match bounds.get(1) {
            Some(Value::Timestamp(end)) => end.checked_sub(1).map_or(Value::Null, Value::Timestamp),
            _ => Value::Null,
        },
        _ => Value::Null,
    }
}

/// A BIGINT of seconds as TIMESTAMP; what overflows wraps.
pub(crate) fn of_wrapping_seconds(value: Value<'_>) -> Value<'_> {
    match value {
        Value::BigInt(seconds) => Value::Timestamp(seconds.wrapping_mul(MICROS_PER_SECOND)),
        _ => Value::Null,
    }
}

/// Whole seconds, cut towards 1970.
pub(crate) fn unix_timestamp(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Timestamp(micros) => Value::BigInt(micros / MICROS_PER_SECOND),
        _ => Value::Null,
    }
}

/// Seconds of any numeric type, with their fraction; NULL where they are out of range or have more than six digits
/// after the point, where Spark fails.
pub(crate) fn timestamp_seconds(value: Value<'_>) -> Value<'_> {
    let micros = match value {
        Value::TinyInt(seconds) => Some(i64::from(seconds) * MICROS_PER_SECOND),
        Value::SmallInt(seconds) => Some(i64::from(seconds) * MICROS_PER_SECOND),
        Value::Float(seconds) => return timestamp_seconds(Value::Double(f64::from(seconds))),
        Value::Int(seconds) => Some(i64::from(seconds) * MICROS_PER_SECOND),
        Value::BigInt(seconds) => seconds.checked_mul(MICROS_PER_SECOND),
        Value::Double(seconds) if seconds.is_finite() => Some((seconds * MICROS_PER_SECOND as f64) as i64),
        Value::Decimal(seconds) => seconds
            .rescale(38, 6)
            .filter(|cut| cut.compare(seconds).is_eq())
            .and_then(|micros| i64::try_from(micros.unscaled).ok()),
        _ => None,
    };
    micros.map_or(Value::Null, Value::Timestamp)
}

pub(crate) fn timestamp_millis(value: Value<'_>) -> Value<'_> {
    match value {
        Value::BigInt(millis) => millis.checked_mul(MICROS_PER_MILLI).map_or(Value::Null, Value::Timestamp),
        _ => Value::Null,
    }
}

pub(crate) fn timestamp_micros(value: Value<'_>) -> Value<'_> {
    match value {
        Value::BigInt(micros) => Value::Timestamp(micros),
        _ => Value::Null,
    }
}

fn floored(value: &Value<'_>, unit: i64) -> Value<'static> {
    match value {
        Value::Timestamp(micros) => Value::BigInt(micros.div_euclid(unit)),
        _ => Value::Null,
    }
}

pub(crate) fn unix_seconds(value: Value<'_>) -> Value<'_> {
    floored(&value, MICROS_PER_SECOND)
}

pub(crate) fn unix_millis(value: Value<'_>) -> Value<'_> {
    floored(&value, MICROS_PER_MILLI)
}

pub(crate) fn unix_micros(value: Value<'_>) -> Value<'_> {
    floored(&value, 1)
}

pub(crate) fn unix_date(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Date(days) => Value::Int(days),
        _ => Value::Null,
    }
}

pub(crate) fn date_of_unix(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Int(days) => Value::Date(days),
        _ => Value::Null,
    }
}

/// The day of a TIMESTAMP.
pub(crate) fn day_of(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Timestamp(micros) => Value::Date(days_of_micros(micros)),
        other => other,
    }
}
