//! TIMESTAMP out of text without a pattern (Spark's `DateTimeUtils.stringToTimestamp`).

use super::calendar::{MICROS_PER_DAY, MICROS_PER_SECOND, days_of_civil};
use super::zone::Zone;
use crate::types::blank::trim_all;

/// CAST of a STRING, in microseconds: a year, or year and month, a date, or a date with a blank or `T` and a time of
/// which minutes, seconds and fraction may be missing; behind seconds a zone may stand. Months, days, hours, minutes and
/// seconds may have one digit, years have four to six and may have a sign; a fraction beyond microseconds is cut.
///
/// A time without a date is NULL here, where Spark takes the day of the clock: the same records must give the same rows
/// when they are read again.
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let text = trim_all(text);
    match read_usual(text) {
        Some(micros) => Some(micros),
        None => read_any(text),
    }
}

/// `from_json`: as CAST, and once more without "GMT" in it. What only Spark 2 could read is NULL, as with
/// `spark.sql.legacy.timeParserPolicy=CORRECTED`.
pub(crate) fn json_timestamp(text: &[u8]) -> Option<i64> {
    parse_timestamp(text).or_else(|| parse_timestamp(&without_gmt(text)?))
}

/// `None` if there is none to remove.
pub(super) fn without_gmt(text: &[u8]) -> Option<Vec<u8>> {
    const GMT: &[u8] = b"GMT";
    text.windows(GMT.len()).any(|window| window == GMT).then(|| {
        let mut rest = text;
        let mut kept = Vec::with_capacity(text.len());
        while let Some((&first, after)) = rest.split_first() {
            rest = rest.strip_prefix(GMT).unwrap_or_else(|| {
                kept.push(first);
                after
            });
        }
        kept
    })
}

/// The form that nearly all have: yyyy-MM-dd HH:mm:ss, with T or a blank, a fraction or none, Z or none.
#[inline]
fn read_usual(text: &[u8]) -> Option<i64> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b' ' | b'T', h0, h1, b':', n0, n1, b':', s0, s1] = *head else {
        return None;
    };
    let all = [y0, y1, y2, y3, m0, m1, d0, d1, h0, h1, n0, n1, s0, s1];
    if !all.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let rest = rest.strip_suffix(b"Z").unwrap_or(rest);
    let micros = match rest {
        [] => 0,
        [b'.', fraction @ ..] => {
            let mut micros = 0;
            let mut unit = MICROS_PER_SECOND;
            for digit in fraction {
                if !digit.is_ascii_digit() {
                    return None;
                }
                unit /= 10;
                micros += i64::from(digit - b'0') * unit;
            }
            micros
        }
        _ => return None,
    };
    let days = days_of_civil(two(y0, y1) * 100 + two(y2, y3), two(m0, m1) as u32, two(d0, d1) as u32)?;
    let time = time_of_day(two(h0, h1), two(n0, n1), two(s0, s1))?;
    Some(i64::from(days) * MICROS_PER_DAY + time + micros)
}

/// Microseconds of a day.
pub(super) fn time_of_day(hour: i64, minute: i64, second: i64) -> Option<i64> {
    let valid = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    valid.then(|| (hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND)
}

/// Which part of the text is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
}

/// Digits seen of a part, and their value.
#[derive(Clone, Copy, Default)]
struct Digits {
    value: i64,
    count: usize,
}

impl Digits {
    fn push(&mut self, digit: u8) {
        // No part has as many as ten.
        if self.count < 10 {
            self.value = self.value * 10 + i64::from(digit - b'0');
        }
        self.count += 1;
    }

    /// The value, if so many digits are allowed here.
    fn take(&mut self, part: Part) -> Option<i64> {
        let Self { value, count } = std::mem::take(self);
        let allowed = match part {
            Part::Year => (4..=6).contains(&count),
            Part::Fraction => true,
            _ => (1..=2).contains(&count),
        };
        allowed.then_some(value)
    }
}

fn read_any(text: &[u8]) -> Option<i64> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mut year, mut month, mut day, mut hour, mut minute, mut second, mut micros) = (1, 1, 1, 0, 0, 0, 0);
    let mut zone = Zone::UTC;
    let mut part = Part::Year;
    let mut digits = Digits::default();
    let mut fraction_unit = MICROS_PER_SECOND;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte.is_ascii_digit() {
            if part == Part::Fraction {
                fraction_unit /= 10;
                micros += i64::from(byte - b'0') * fraction_unit;
            } else {
                digits.push(byte);
            }
            continue;
        }
        part = match (part, byte) {
            (Part::Year, b'-') => {
                year = digits.take(part)?;
                Part::Month
            }
            (Part::Month, b'-') => {
                month = digits.take(part)?;
                Part::Day
            }
            (Part::Day, b' ' | b'T') => {
                day = digits.take(part)?;
                Part::Hour
            }
            (Part::Hour, b':') => {
                hour = digits.take(part)?;
                Part::Minute
            }
            (Part::Minute, b':') => {
                minute = digits.take(part)?;
                Part::Second
            }
            (Part::Second, b'.') => {
                second = digits.take(part)?;
                Part::Fraction
            }
            (Part::Second | Part::Fraction, _) => {
                if part == Part::Second {
                    second = digits.take(part)?;
                }
                let from = text.len().checked_sub(after.len() + 1)?;
                zone = Zone::parse(crate::types::blank::trim_java(text.get(from..)?))?;
                rest = &[];
                Part::Fraction
            }
            _ => return None,
        };
    }
    match part {
        Part::Year => year = digits.take(part)?,
        Part::Month => month = digits.take(part)?,
        Part::Day => day = digits.take(part)?,
        Part::Hour => hour = digits.take(part)?,
        Part::Minute => minute = digits.take(part)?,
        Part::Second => second = digits.take(part)?,
        Part::Fraction => {}
    }
    let year = if negative { -year } else { year };
    let days = days_of_civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
    zone.to_utc(days, time_of_day(hour, minute, second)? + micros)
}
