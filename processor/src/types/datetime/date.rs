//! DATE out of text without a pattern (Spark's `DateTimeUtils.stringToDate`).

use super::calendar::{days_in_month, days_of_civil};
use super::time::without_gmt;
use crate::types::blank::trim_all;
use crate::types::take_digit;

/// The first day, 1582-10-15, on which Spark's hybrid calendar of old is the Gregorian one.
const GREGORIAN_FROM_DAYS: i32 = -141_427;

/// CAST of a STRING, in days since 1970-01-01: a year of four to seven digits, with a sign or none, and month and day of
/// one or two digits, which may be missing. Behind a day anything may follow after a blank or `T`.
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    let text = trim_all(text);
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (year, rest) = take_digits(unsigned, 4..=7)?;
    let mut month = 1;
    let mut day = 1;
    if !rest.is_empty() {
        let (digits, rest) = take_digits(rest.strip_prefix(b"-")?, 1..=2)?;
        month = digits;
        if !rest.is_empty() {
            let (digits, rest) = take_digits(rest.strip_prefix(b"-")?, 1..=2)?;
            day = digits;
            if !matches!(rest, [] | [b' ' | b'T', ..]) {
                return None;
            }
        }
    }
    let year = i64::from(year);
    days_of_civil(if negative { -year } else { year }, month, day)
}

/// `from_json`: as CAST, once more without "GMT" in it, and last as a number of days since 1970-01-01, which before
/// 1582-10-15 are days of the Julian calendar. What only Spark 2 could read is NULL, as with
/// `spark.sql.legacy.timeParserPolicy=CORRECTED`.
pub(crate) fn json_date(text: &[u8]) -> Option<i32> {
    parse_date(text).or_else(|| parse_date(&without_gmt(text)?)).or_else(|| java_int(text).and_then(rebase_from_julian))
}

/// As `Integer.parseInt`: the digits of any script.
fn java_int(text: &[u8]) -> Option<i32> {
    let (sign, mut rest) = match text.split_first()? {
        (b'-', rest) => (-1, rest),
        (b'+', rest) => (1, rest),
        _ => (1, text),
    };
    let mut value: i64 = 0;
    loop {
        let (digit, after) = take_digit(rest)?;
        value = value.checked_mul(10)?.checked_add(i64::from(digit))?;
        if after.is_empty() {
            return i32::try_from(sign * value).ok();
        }
        rest = after;
    }
}

fn take_digits(text: &[u8], allowed: std::ops::RangeInclusive<usize>) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count).filter(|_| allowed.contains(&count))?;
    Some((digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')), rest))
}

/// `RebaseDateTime.rebaseJulianToGregorianDays`: the day that has the same name in the Gregorian calendar.
fn rebase_from_julian(days: i32) -> Option<i32> {
    const JULIAN_DAYS_PER_4_YEARS: i64 = 1_461;
    /// From 0000-03-01 of the Julian calendar to 1970-01-01 of the Gregorian one.
    const DAYS_TO_EPOCH: i64 = 719_470;
    if days >= GREGORIAN_FROM_DAYS {
        return Some(days);
    }
    let shifted = i64::from(days) + DAYS_TO_EPOCH;
    let cycle = shifted.div_euclid(JULIAN_DAYS_PER_4_YEARS);
    let day_of_cycle = shifted.rem_euclid(JULIAN_DAYS_PER_4_YEARS);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460) / 365;
    let day_of_year = day_of_cycle - 365 * year_of_cycle;
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 4 + year_of_cycle + i64::from(month <= 2);
    let (month, day) = (month as u32, day as u32);
    let past_end = day.saturating_sub(days_in_month(year, month));
    days_of_civil(year, month, day - past_end)?.checked_add_unsigned(past_end)
}
