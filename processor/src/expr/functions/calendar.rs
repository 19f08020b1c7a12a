//! Dates and timestamps: parts of them, steps between them, beginnings of periods. All in UTC. What would leave the
//! range of the type is NULL, where Spark fails.

use crate::types::Value;
use crate::types::datetime::{
    Civil, MICROS_PER_DAY, MICROS_PER_SECOND, add_months as months_later, day_of_week as iso_day, days_in_month,
    days_of_civil, days_of_micros,
};

const MICROS_PER_MILLI: i64 = 1_000;

pub(super) const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;

pub(super) const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;

fn date(days: Option<i32>) -> Value<'static> {
    days.map_or(Value::Null, Value::Date)
}

fn timestamp(micros: Option<i64>) -> Value<'static> {
    micros.map_or(Value::Null, Value::Timestamp)
}

/// Wraps, as Spark's does.
pub(crate) fn date_add<'a>(value: Value<'a>, count: Value<'a>) -> Value<'a> {
    match (value, count) {
        (Value::Date(days), Value::Int(count)) => Value::Date(days.wrapping_add(count)),
        _ => Value::Null,
    }
}

pub(crate) fn date_sub<'a>(value: Value<'a>, count: Value<'a>) -> Value<'a> {
    match (value, count) {
        (Value::Date(days), Value::Int(count)) => Value::Date(days.wrapping_sub(count)),
        _ => Value::Null,
    }
}

pub(crate) fn date_diff<'a>(end: Value<'a>, start: Value<'a>) -> Value<'a> {
    match (end, start) {
        (Value::Date(end), Value::Date(start)) => Value::Int(end.wrapping_sub(start)),
        _ => Value::Null,
    }
}

pub(crate) fn add_months<'a>(value: Value<'a>, months: Value<'a>) -> Value<'a> {
    match (value, months) {
        (Value::Date(days), Value::Int(months)) => date(months_later(days, months)),
        _ => Value::Null,
    }
}

fn last_of_month(days: i32) -> Option<i32> {
    let Civil { year, month, .. } = Civil::of_days(days);
    days_of_civil(i64::from(year), month, days_in_month(i64::from(year), month))
}

pub(crate) fn last_day(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Date(days) => date(last_of_month(days)),
        _ => Value::Null,
    }
}

/// The first such weekday after a date.
pub(crate) fn next_day<'a>(value: Value<'a>, name: Value<'a>) -> Value<'a> {
    let (Value::Date(days), Value::String(name)) = (value, name) else { return Value::Null };
    let names: [[&[u8]; 3]; 7] = [
        [b"MO", b"MON", b"MONDAY"],
        [b"TU", b"TUE", b"TUESDAY"],
        [b"WE", b"WED", b"WEDNESDAY"],
        [b"TH", b"THU", b"THURSDAY"],
        [b"FR", b"FRI", b"FRIDAY"],
        [b"SA", b"SAT", b"SATURDAY"],
        [b"SU", b"SUN", b"SUNDAY"],
    ];
    let name = name.trim_ascii().to_ascii_uppercase();
    let Some(wanted) = names.iter().position(|names| names.contains(&name.as_slice())) else { return Value::Null };
    let ahead = (wanted as i32 + 1 - iso_day(days) as i32 - 1).rem_euclid(7) + 1;
    date(days.checked_add(ahead))
}

/// Whole months where both are the same day of the month, or both the last; else a month has 31 days.
pub(crate) fn months_between<'a>(later: Value<'a>, earlier: Value<'a>, rounded: Value<'a>) -> Value<'a> {
    const SECONDS_PER_MONTH: f64 = 31.0 * 86_400.0;
    let (Value::Timestamp(later), Value::Timestamp(earlier), Value::Boolean(rounded)) = (later, earlier, rounded)
    else {
        return Value::Null;
    };
    let (later_days, earlier_days) = (days_of_micros(later), days_of_micros(earlier));
    let (to, from) = (Civil::of_days(later_days), Civil::of_days(earlier_days));
    let months = (i64::from(to.year) - i64::from(from.year)) * 12 + i64::from(to.month) - i64::from(from.month);
    let both_last = last_of_month(later_days) == Some(later_days) && last_of_month(earlier_days) == Some(earlier_days);
    if to.day == from.day || both_last {
        return Value::Double(months as f64);
    }
    let second_of_day = |micros: i64| micros.rem_euclid(MICROS_PER_DAY) / MICROS_PER_SECOND;
    let seconds = (i64::from(to.day) - i64::from(from.day)) * 86_400 + second_of_day(later) - second_of_day(earlier);
    let between = months as f64 + seconds as f64 / SECONDS_PER_MONTH;
    Value::Double(if rounded { super::rounding::half_up(between, 8) } else { between })
}

pub(crate) fn make_date<'a>(year: Value<'a>, month: Value<'a>, day: Value<'a>) -> Value<'a> {
    let (Value::Int(year), Value::Int(month), Value::Int(day)) = (year, month, day) else { return Value::Null };
    date(civil_date(year, month, day))
}

/// `LocalDate.of`, to whose range years are bound.
fn civil_date(year: i32, month: i32, day: i32) -> Option<i32> {
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    days_of_civil(i64::from(year), month, day)
}

/// Of year, month, day, hour, minute and seconds as a DECIMAL(16,6); 60 seconds are a minute.
pub(crate) fn make_timestamp(values: Vec<Value<'_>>) -> Value<'_> {
    let [Value::Int(year), Value::Int(month), Value::Int(day), Value::Int(hour), Value::Int(minute), seconds] =
        values.as_slice()
    else {
        return Value::Null;
    };
    let Value::Decimal(seconds) = seconds else { return Value::Null };
    let Some(days) = civil_date(*year, *month, *day) else { return Value::Null };
    let Some(micros) = seconds.rescale(38, 6).and_then(|seconds| i64::try_from(seconds.unscaled).ok()) else {
        return Value::Null;
    };
    if !(0..24).contains(hour) || !(0..60).contains(minute) || !(0..=MICROS_PER_MINUTE).contains(&micros) {
        return Value::Null;
    }
    let time = i64::from(*hour) * MICROS_PER_HOUR + i64::from(*minute) * MICROS_PER_MINUTE + micros;
    timestamp(i64::from(days).checked_mul(MICROS_PER_DAY).and_then(|midnight| midnight.checked_add(time)))
}

/// A period that times are cut to the beginning of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_slice() {
            b"MICROSECOND" => Self::Microsecond,
            b"MILLISECOND" => Self::Millisecond,
            b"SECOND" => Self::Second,
            b"MINUTE" => Self::Minute,
            b"HOUR" => Self::Hour,
            b"DAY" | b"DD" => Self::Day,
            b"WEEK" => Self::Week,
            b"MON" | b"MONTH" | b"MM" => Self::Month,
            b"QUARTER" => Self::Quarter,
            b"YEAR" | b"YYYY" | b"YY" => Self::Year,
            _ => return None,
        })
    }

    fn first_day(self, days: i32) -> Option<i32> {
        let Civil { year, month, .. } = Civil::of_days(days);
        match self {
            Self::Week => days.checked_sub(iso_day(days) as i32 - 1),
            Self::Month => days_of_civil(i64::from(year), month, 1),
            Self::Quarter => days_of_civil(i64::from(year), (month - 1) / 3 * 3 + 1, 1),
            Self::Year => days_of_civil(i64::from(year), 1, 1),
            _ => Some(days),
        }
    }
}

/// The beginning of the period that a timestamp is in; a date's, if it is a week or longer.
pub(crate) fn truncate<'a>(unit: Unit, value: Value<'a>) -> Value<'a> {
    match value {
        Value::Timestamp(micros) => {
            let step = match unit {
                Unit::Microsecond => 1,
                Unit::Millisecond => MICROS_PER_MILLI,
                Unit::Second => MICROS_PER_SECOND,
                Unit::Minute => MICROS_PER_MINUTE,
                Unit::Hour => MICROS_PER_HOUR,
                Unit::Day => MICROS_PER_DAY,
                _ => {
                    let first = unit.first_day(days_of_micros(micros));
                    return timestamp(first.and_then(|days| i64::from(days).checked_mul(MICROS_PER_DAY)));
                }
            };
            timestamp(micros.checked_sub(micros.rem_euclid(step)))
        }
        Value::Date(days) if matches!(unit, Unit::Week | Unit::Month | Unit::Quarter | Unit::Year) => {
            date(unit.first_day(days))
        }
        _ => Value::Null,
    }
}

/// `truncate` with a unit of the row, the first.
pub(crate) fn truncate_to<'a>(unit: Value<'a>, value: Value<'a>) -> Value<'a> {
    match unit {
        Value::String(name) => Unit::parse(&name).map_or(Value::Null, |unit| truncate(unit, value)),
        _ => Value::Null,
    }
}

pub(crate) fn truncate_date_to<'a>(value: Value<'a>, unit: Value<'a>) -> Value<'a> {
    truncate_to(unit, value)
}
