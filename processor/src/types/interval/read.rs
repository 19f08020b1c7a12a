//! Intervals out of text and numbers, as CAST and JSON take them: `1 02:03:04.5`, or
//! `INTERVAL '1 02:03:04.5' DAY TO SECOND` in any case. Follows `IntervalUtils.castStringToDTInterval` and its
//! neighbours.

use super::{IntervalRange, IntervalUnit, micros_in};
use crate::types::blank::trim_all;
use crate::types::{Decimal, Value};

/// The most digits of a count that is not bounded by the unit before it.
const DIGITS_MAX: usize = 19;

/// `None` if the text is not of just this range, or too long.
pub(crate) fn parse(text: &[u8], range: IntervalRange) -> Option<Value<'static>> {
    let text = std::str::from_utf8(trim_all(text)).ok()?;
    let (outer, text) = match strip_word(text, "INTERVAL") {
        Some(literal) => unquoted(literal, range)?,
        None => (false, text),
    };
    let (inner, text) = sign(text);
    let negative = outer != inner;
    if range.is_of_months() {
        let months = months(text, range)?;
        return i32::try_from(if negative { -months } else { months }).ok().map(Value::Months);
    }
    let micros = micros(text, range)?;
    i64::try_from(if negative { -micros } else { micros }).ok().map(Value::Micros)
}

/// So many of the smallest unit of a range; `None` if they are too many.
pub(crate) fn of_number(number: Decimal, range: IntervalRange) -> Option<Value<'static>> {
    let unit = match range.to {
        IntervalUnit::Year => 12,
        IntervalUnit::Month => 1,
        unit => micros_in(unit),
    };
    let product = number.unscaled.checked_mul(i128::from(unit))?;
    let whole = Decimal { unscaled: product, precision: 38, scale: number.scale }.rescale(38, 0)?.unscaled;
    if range.is_of_months() {
        i32::try_from(whole).ok().map(Value::Months)
    } else {
        i64::try_from(whole).ok().map(Value::Micros)
    }
}

/// What stands between the quotes of a literal of this range, and whether a minus stands before them.
fn unquoted(literal: &str, range: IntervalRange) -> Option<(bool, &str)> {
    let (negative, rest) = sign(literal.strip_prefix(char::is_whitespace)?.trim_start());
    let (text, mut units) = rest.strip_prefix('\'')?.split_once('\'')?;
    for word in range.to_string().split(' ') {
        units = strip_word(units.strip_prefix(char::is_whitespace)?.trim_start(), word)?;
    }
    units.is_empty().then_some((negative, text))
}

fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (first, rest) = text.split_at_checked(word.len())?;
    first.eq_ignore_ascii_case(word).then_some(rest)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        // The class of signs in Spark's patterns, [+|-], has a bar in it.
        None => (false, text.strip_prefix(['+', '|']).unwrap_or(text)),
    }
}

fn months(text: &str, range: IntervalRange) -> Option<i64> {
    if range.from == range.to {
        let factor = if range.to == IntervalUnit::Year { 12 } else { 1 };
        return count(text, DIGITS_MAX)?.checked_mul(factor);
    }
    let (years, months) = text.split_once('-')?;
    let months = count(months, DIGITS_MAX).filter(|months| *months < 12)?;
    count(years, DIGITS_MAX)?.checked_mul(12)?.checked_add(months)
}

fn micros(text: &str, range: IntervalRange) -> Option<i128> {
    const UNITS: [IntervalUnit; 4] =
        [IntervalUnit::Day, IntervalUnit::Hour, IntervalUnit::Minute, IntervalUnit::Second];
    let mut rest = text;
    let mut sum = 0;
    for unit in UNITS.into_iter().filter(|unit| (range.from..=range.to).contains(unit)) {
        let (part, after) = if unit == range.to {
            (rest, "")
        } else {
            rest.split_once(if unit == IntervalUnit::Day { ' ' } else { ':' })?
        };
        let (part, fraction) = match part.split_once('.') {
            Some((part, fraction)) if unit == IntervalUnit::Second => (part, nanos(fraction)? / 1000),
            Some(_) => return None,
            None => (part, 0),
        };
        let first = unit == range.from;
        let count = count(part, if first { first_digits(range) } else { 2 })?;
        let bound = match unit {
            IntervalUnit::Hour => 24,
            // Spark does not look at these.
            _ if range.from == IntervalUnit::Minute => 100,
            _ => 60,
        };
        if !first && count >= bound {
            return None;
        }
        sum += i128::from(count) * i128::from(micros_in(unit)) + i128::from(fraction);
        rest = after;
    }
    Some(sum)
}

/// Digits that the largest of the units may have, by the patterns that Spark matches.
fn first_digits(range: IntervalRange) -> usize {
    match (range.from, range.to) {
        (IntervalUnit::Second, _) => 13,
        (from, to) if from == to => DIGITS_MAX,
        (IntervalUnit::Day, _) => 9,
        (IntervalUnit::Hour, _) => 10,
        _ => 12,
    }
}

fn count(text: &str, digits_max: usize) -> Option<i64> {
    let is_count = !text.is_empty() && text.len() <= digits_max && text.bytes().all(|digit| digit.is_ascii_digit());
    is_count.then(|| text.parse().ok()).flatten()
}

/// Of one to nine digits after the point.
fn nanos(fraction: &str) -> Option<i64> {
    count(fraction, 9)?;
    format!("{fraction:0<9}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use IntervalUnit::{Day, Hour, Minute, Month, Second, Year};

    fn micros(text: &str, from: IntervalUnit, to: IntervalUnit) -> Option<i64> {
        match parse(text.as_bytes(), IntervalRange { from, to }) {
            Some(Value::Micros(micros)) => Some(micros),
            _ => None,
        }
    }

    #[test]
    fn each_range_has_its_text() {
        assert_eq!(micros("1 02:03:04.5", Day, Second), Some(93_784_500_000));
        assert_eq!(micros("-1 02", Day, Hour), Some(-93_600_000_000));
        assert_eq!(micros("interval -'-1 02' day  to hour", Day, Hour), Some(93_600_000_000));
        assert_eq!(micros("INTERVAL '5' DAY", Day, Second), None);
        assert_eq!(micros("INTERVAL '5' DAYS", Day, Day), None);
        assert_eq!(micros("12:30", Hour, Minute), Some(45_000_000_000));
        assert_eq!(micros("12:60", Hour, Minute), None);
        assert_eq!(micros("70.000001999", Second, Second), Some(70_000_001));
        assert_eq!(micros("1.", Second, Second), None);
        assert_eq!(micros("106751991 04:00:54.775808", Day, Second), None);
        assert_eq!(micros("-106751991 04:00:54.775808", Day, Second), Some(i64::MIN));
        let months = |text: &str, from, to| match parse(text.as_bytes(), IntervalRange { from, to }) {
            Some(Value::Months(months)) => Some(months),
            _ => None,
        };
        assert_eq!(months("1-11", Year, Month), Some(23));
        assert_eq!(months("1-12", Year, Month), None);
        assert_eq!(months("-178956970", Year, Year), Some(-2_147_483_640));
        assert_eq!(months("178956971", Year, Year), None);
    }
}
