//! The ANSI intervals: of years and months, or of days and smaller units.

mod read;

use std::fmt;

use super::{DIGITS_MAX, Decimal, Value};

pub(super) use read::of_number;
pub(crate) use read::parse;

/// The microseconds of a unit that is not made of months.
fn micros_in(unit: IntervalUnit) -> i64 {
    match unit {
        IntervalUnit::Day => 86_400_000_000,
        IntervalUnit::Hour => 3_600_000_000,
        IntervalUnit::Minute => 60_000_000,
        _ => 1_000_000,
    }
}

/// A unit of an interval, the largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntervalUnit {
    /// Twelve months.
    Year,
    /// Of no fixed length.
    Month,
    /// 24 hours.
    Day,
    /// 60 minutes.
    Hour,
    /// 60 seconds.
    Minute,
    /// With microseconds.
    Second,
}

/// The units that an interval's type shows. Its values do not depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalRange {
    /// The largest.
    pub from: IntervalUnit,
    /// The smallest; of one kind with `from`.
    pub to: IntervalUnit,
}

impl IntervalRange {
    /// `interval day to second`: what a difference of times is.
    pub(crate) const DAY_TO_SECOND: Self = Self { from: IntervalUnit::Day, to: IntervalUnit::Second };
    /// `interval year to month`
    pub(crate) const YEAR_TO_MONTH: Self = Self { from: IntervalUnit::Year, to: IntervalUnit::Month };
    /// `interval day`
    pub(crate) const DAY: Self = Self { from: IntervalUnit::Day, to: IntervalUnit::Day };

    /// Whether it counts months.
    pub(crate) fn is_of_months(self) -> bool {
        self.from <= IntervalUnit::Month
    }

    /// The range that holds both; `None` if they are of different kinds.
    pub(crate) fn with(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.min(other.from), to: self.to.max(other.to) };
        (self.is_of_months() == other.is_of_months()).then_some(both)
    }
}

impl IntervalUnit {
    /// The unit of a word in upper case.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "YEAR" => Self::Year,
            "MONTH" => Self::Month,
            "DAY" => Self::Day,
            "HOUR" => Self::Hour,
            "MINUTE" => Self::Minute,
            "SECOND" => Self::Second,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }
}

/// `day to second`, or `day`.
impl fmt::Display for IntervalRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.from.name())?;
        if self.from == self.to { Ok(()) } else { write!(f, " to {}", self.to.name()) }
    }
}

/// An interval's length in the smallest unit of its range, cut to whole ones.
pub(super) fn units(value: &Value<'_>, range: IntervalRange) -> Option<i64> {
    match (value, range.to) {
        (Value::Months(months), IntervalUnit::Year) => Some(i64::from(months / 12)),
        (Value::Months(months), _) => Some(i64::from(*months)),
        (Value::Micros(micros), unit) => Some(micros / micros_in(unit)),
        _ => None,
    }
}

/// The same as a decimal; seconds have their fraction.
pub(super) fn decimal_units(value: &Value<'_>, range: IntervalRange) -> Option<Decimal> {
    match (value, range.to) {
        (Value::Micros(micros), IntervalUnit::Second) => Decimal::new(i128::from(*micros), DIGITS_MAX, 6),
        _ => Decimal::from_integer(units(value, range)?, DIGITS_MAX, 0),
    }
}

/// Without what is smaller than the units of a range.
pub(super) fn cut(value: Value<'_>, range: IntervalRange) -> Value<'_> {
    match (value, range.to) {
        (Value::Months(months), IntervalUnit::Year) => Value::Months(months - months % 12),
        (Value::Micros(micros), unit @ (IntervalUnit::Day | IntervalUnit::Hour | IntervalUnit::Minute)) => {
            Value::Micros(micros - micros % micros_in(unit))
        }
        (value, _) => value,
    }
}

/// Appends `INTERVAL '1-2' YEAR TO MONTH` (`IntervalUtils.toYearMonthIntervalString`).
pub(super) fn write_months(months: i32, range: IntervalRange, out: &mut Vec<u8>) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    let text = match (range.from, range.to) {
        (_, IntervalUnit::Year) => format!("{sign}{}", months / 12),
        (IntervalUnit::Month, _) => format!("{sign}{months}"),
        _ => format!("{sign}{}-{}", months / 12, months % 12),
    };
    write_quoted(&text, range, out);
}

/// Appends `INTERVAL '1 02:03:04.5' DAY TO SECOND` (`IntervalUtils.toDayTimeIntervalString`).
pub(super) fn write_micros(micros: i64, range: IntervalRange, out: &mut Vec<u8>) {
    let mut text = if micros < 0 { "-".to_owned() } else { String::new() };
    let mut rest = micros.unsigned_abs();
    let parts =
        [(IntervalUnit::Day, ""), (IntervalUnit::Hour, " "), (IntervalUnit::Minute, ":"), (IntervalUnit::Second, ":")];
    for (unit, separator) in parts {
        if unit < range.from || unit > range.to {
            continue;
        }
        let length = micros_in(unit).unsigned_abs();
        let count = rest / length;
        rest %= length;
        if unit > range.from {
            text.push_str(separator);
        }
        match unit {
            IntervalUnit::Day => text.push_str(&count.to_string()),
            _ => text.push_str(&format!("{count:02}")),
        }
        if unit == IntervalUnit::Second && rest > 0 {
            text.push_str(format!(".{rest:06}").trim_end_matches('0'));
        }
    }
    write_quoted(&text, range, out);
}

fn write_quoted(text: &str, range: IntervalRange, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("INTERVAL '{text}' {}", range.to_string().to_ascii_uppercase()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_written_as_in_spark() {
        use IntervalUnit::{Day, Hour, Minute, Month, Second, Year};
        let micros = |micros, from, to| {
            let mut out = Vec::new();
            write_micros(micros, IntervalRange { from, to }, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(micros(49_556_789_123, Day, Second), "INTERVAL '0 13:45:56.789123' DAY TO SECOND");
        assert_eq!(micros(-86_400_000_000, Day, Day), "INTERVAL '-1' DAY");
        assert_eq!(micros(5_500_000, Second, Second), "INTERVAL '05.5' SECOND");
        assert_eq!(micros(90_000_000_000, Hour, Minute), "INTERVAL '25:00' HOUR TO MINUTE");
        assert_eq!(micros(i64::MIN, Day, Hour), "INTERVAL '-106751991 04' DAY TO HOUR");
        assert_eq!(micros(60_000_000, Minute, Second), "INTERVAL '01:00' MINUTE TO SECOND");
        let months = |months, from, to| {
            let mut out = Vec::new();
            write_months(months, IntervalRange { from, to }, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(months(-14, Year, Month), "INTERVAL '-1-2' YEAR TO MONTH");
        assert_eq!(months(14, Month, Month), "INTERVAL '14' MONTH");
        assert_eq!(months(24, Year, Year), "INTERVAL '2' YEAR");
    }
}
