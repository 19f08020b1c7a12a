//! Intervals as Spark writes them: `5 seconds`, `interval 1 day -2 hours`, `1.5 seconds`.

use sqlparser::ast::DateTimeField;

use crate::expr::build::{self, Interval, Typed};
use crate::types::{IntervalRange, IntervalUnit, Value};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Reads an interval's text, whose first word may be `interval`; `None` if Spark does not read it either. See
/// `IntervalUtils.stringToInterval`.
pub(super) fn parse(text: &str) -> Option<Interval> {
    let folded = text.trim().to_ascii_lowercase();
    let mut rest = match folded.strip_prefix("interval") {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => folded.as_str(),
    };
    if rest.is_empty() {
        return None;
    }
    let mut interval = Interval::default();
    while !rest.is_empty() {
        let (negative, unsigned) = match rest.split_at_checked(1)? {
            ("-", unsigned) => (true, unsigned.trim_start()),
            ("+", unsigned) => (false, unsigned.trim_start()),
            _ => (false, rest),
        };
        let (number, after) = unsigned.split_at(unsigned.find(char::is_whitespace)?);
        let after = after.trim_start();
        let (unit, after) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
        add(&mut interval, number, unit, negative)?;
        rest = after.trim_start();
    }
    Some(interval)
}

/// Adds a number of a unit.
pub(super) fn add(interval: &mut Interval, number: &str, unit: &str, negative: bool) -> Option<()> {
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
    let sign = if negative { -1 } else { 1 };
    let whole = match (whole, fraction) {
        ("", Some(fraction)) if !fraction.is_empty() => 0,
        _ if whole.bytes().all(|digit| digit.is_ascii_digit()) => whole.parse::<i64>().ok()?.checked_mul(sign)?,
        _ => return None,
    };
    let fraction_micros = match fraction {
        None => 0,
        Some(fraction) => {
            if unit != "second" || fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok()? * sign
        }
    };
    let plus_int = |old: i32, factor: i64| i32::try_from(whole.checked_mul(factor)?.checked_add(i64::from(old))?).ok();
    let plus_micros = |old: i64, factor: i64| whole.checked_mul(factor)?.checked_add(old)?.checked_add(fraction_micros);
    match unit {
        "year" => interval.months = plus_int(interval.months, 12)?,
        "month" => interval.months = plus_int(interval.months, 1)?,
        "week" => interval.days = plus_int(interval.days, 7)?,
        "day" => interval.days = plus_int(interval.days, 1)?,
        "hour" => interval.micros = plus_micros(interval.micros, 3600 * MICROS_PER_SECOND)?,
        "minute" => interval.micros = plus_micros(interval.micros, 60 * MICROS_PER_SECOND)?,
        "second" => interval.micros = plus_micros(interval.micros, MICROS_PER_SECOND)?,
        "millisecond" => interval.micros = plus_micros(interval.micros, 1000)?,
        "microsecond" => interval.micros = plus_micros(interval.micros, 1)?,
        _ => return None,
    }
    Some(())
}

/// Reads `'1 02:03:04.5' DAY TO SECOND` and the like: the units of a text from the largest, `-` before them all.
pub(super) fn parse_range(text: &str, from: &str, to: &str) -> Option<Interval> {
    const UNITS: [&str; 4] = ["day", "hour", "minute", "second"];
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut interval = Interval::default();
    if (from, to) == ("year", "month") {
        let (years, months) = text.split_once('-')?;
        add(&mut interval, years, "year", negative)?;
        add(&mut interval, months, "month", negative)?;
        return Some(interval);
    }
    let place = |wanted: &str| UNITS.iter().position(|unit| *unit == wanted);
    let (first, last) = (place(from)?, place(to)?);
    if last <= first {
        return None;
    }
    let mut rest = Some(text);
    for (at, unit) in UNITS.iter().enumerate().skip(first).take(last + 1 - first) {
        let separator = if at == 0 { ' ' } else { ':' };
        let (number, after) = match rest?.split_once(separator) {
            Some((number, after)) if at < last => (number, Some(after)),
            None if at == last => (rest?, None),
            _ => return None,
        };
        add(&mut interval, number, unit, negative)?;
        rest = after;
    }
    Some(interval)
}

/// The same text for the same interval, which `parse` reads.
pub(super) fn to_text(interval: Interval) -> String {
    format!("{} months {} days {} microseconds", interval.months, interval.days, interval.micros)
}

/// Its microseconds; `None` if it holds months, which have no fixed length, or is too long.
pub(super) fn micros(interval: Interval) -> Option<i64> {
    if interval.months != 0 {
        return None;
    }
    i64::from(interval.days).checked_mul(MICROS_PER_DAY)?.checked_add(interval.micros)
}

/// The literal of an interval that is written with units from the one to the other; `None` if it mixes months with
/// days or smaller units, or is too long.
pub(super) fn literal(interval: Interval, from: IntervalUnit, to: IntervalUnit) -> Option<Typed> {
    let range = IntervalRange { from: from.min(to), to: from.max(to) };
    let mixed = (range.from <= IntervalUnit::Month) != (range.to <= IntervalUnit::Month);
    let value = match range.from {
        _ if mixed => return None,
        IntervalUnit::Year | IntervalUnit::Month => Value::Months(interval.months),
        _ => Value::Micros(micros(interval)?),
    };
    Some(build::interval(value, range))
}

/// The units that an interval's text names, the largest and the smallest.
pub(super) fn units_of(text: &str) -> Option<(IntervalUnit, IntervalUnit)> {
    let units = text.split_whitespace().filter_map(|word| unit(&word.to_ascii_lowercase()));
    units.map(|unit| (unit, unit)).reduce(|(from, to), (unit, _)| (from.min(unit), to.max(unit)))
}

/// The unit that a word is counted in: weeks are days, milliseconds are seconds.
pub(super) fn unit(word: &str) -> Option<IntervalUnit> {
    Some(match word.strip_suffix('s').unwrap_or(word) {
        "year" => IntervalUnit::Year,
        "month" => IntervalUnit::Month,
        "week" | "day" => IntervalUnit::Day,
        "hour" => IntervalUnit::Hour,
        "minute" => IntervalUnit::Minute,
        "second" | "millisecond" | "microsecond" => IntervalUnit::Second,
        _ => return None,
    })
}

/// As the syntax tree has it.
pub(super) fn field(unit: IntervalUnit) -> DateTimeField {
    match unit {
        IntervalUnit::Year => DateTimeField::Year,
        IntervalUnit::Month => DateTimeField::Month,
        IntervalUnit::Day => DateTimeField::Day,
        IntervalUnit::Hour => DateTimeField::Hour,
        IntervalUnit::Minute => DateTimeField::Minute,
        IntervalUnit::Second => DateTimeField::Second,
    }
}

/// What `field` made.
pub(super) fn unit_of(field: &DateTimeField) -> Option<IntervalUnit> {
    unit(&field.to_string().to_ascii_lowercase())
}

/// The other way.
pub(super) fn negated(interval: Interval) -> Interval {
    Interval {
        months: interval.months.wrapping_neg(),
        days: interval.days.wrapping_neg(),
        micros: interval.micros.wrapping_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_spark_reads_them() {
        let cases = [
            ("5 seconds", Some((0, 0, 5_000_000))),
            ("interval 1 minute", Some((0, 0, 60_000_000))),
            (" INTERVAL  1 Day  2 HOURS ", Some((0, 1, 7_200_000_000))),
            ("1.5 seconds", Some((0, 0, 1_500_000))),
            ("-1.000000999 second", Some((0, 0, -1_000_000))),
            (".5 seconds", Some((0, 0, 500_000))),
            ("- 5 days +3 milliseconds", Some((0, -5, 3000))),
            ("1 year 2 months 3 weeks", Some((14, 21, 0))),
            ("0 seconds", Some((0, 0, 0))),
            ("7 microseconds", Some((0, 0, 7))),
            ("5", None),
            ("", None),
            ("interval", None),
            ("10 s", None),
            ("5seconds", None),
            ("1.5 minutes", None),
            ("5 secondss", None),
            ("five seconds", None),
            ("1 second,", None),
            ("99999999999 days", None),
            ("9223372036854775807 seconds", None),
        ];
        for (text, expected) in cases {
            let found = parse(text).map(|interval| (interval.months, interval.days, interval.micros));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn ranges_of_units_are_read() {
        let cases = [
            ("1:30", "minute", "second", Some((0, 0, 90_000_000))),
            ("1 2:03:04.5", "day", "second", Some((0, 1, 7_384_500_000))),
            ("-1 2", "day", "hour", Some((0, -1, -7_200_000_000))),
            ("1-2", "year", "month", Some((14, 0, 0))),
            ("1", "day", "hour", None),
            ("1:2:3", "minute", "second", None),
            ("1:2", "second", "minute", None),
        ];
        for (text, from, to, expected) in cases {
            let found = parse_range(text, from, to).map(|interval| (interval.months, interval.days, interval.micros));
            assert_eq!(found, expected, "{text} {from} {to}");
        }
        let interval = parse("-1 month 2 days -3 seconds").unwrap();
        assert_eq!(parse(&to_text(interval)), Some(interval));
    }
}
