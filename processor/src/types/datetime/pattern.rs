//! Patterns of `date_format`, `to_timestamp` and their kin: `yyyy-MM-dd HH:mm:ss`. Follows Spark's
//! `DateTimeFormatterHelper` and `Iso8601TimestampFormatter`, and `java.time.format.DateTimeFormatter` with strict
//! resolution and English names.

mod compile;
mod names;
mod number;
mod offset;
mod parse;
mod print;
mod resolve;

use number::Number;
use offset::OffsetForm;

/// A pattern, ready to write and to read times with.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    items: Vec<Item>,
}

/// Part of a pattern.
#[derive(Clone, Debug)]
enum Item {
    Literal(char),
    Number(Field, Number),
    /// Digits of the second's fraction, at least and at most.
    Fraction {
        min: usize,
        max: usize,
    },
    Text(Field, Style),
    Offset(OffsetForm),
    /// `GMT+8`, or `GMT+08:00`.
    LocalizedOffset(Style),
    ZoneId,
    ZoneName(Style),
    Optional(Vec<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Short,
    Full,
}

/// What a number or a text says. The order is that of `Fields`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Year,
    YearOfEra,
    Era,
    Quarter,
    Month,
    Day,
    DayOfYear,
    DayOfWeek,
    /// Days 1 to 7 of a month are 1 to 7, and so are 8 to 14.
    AlignedDayOfWeek,
    /// 0 is AM.
    AmPm,
    Hour,
    /// 1 to 24.
    ClockHour,
    /// 0 to 11.
    HourOfAmPm,
    /// 1 to 12.
    ClockHourOfAmPm,
    Minute,
    Second,
    Nano,
}

const FIELDS: usize = Field::Nano as usize + 1;

impl Pattern {
    /// For writing; the error says what is wrong with the pattern.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        Ok(Self { items: compile::compile(pattern, false)? })
    }

    /// For reading, where fewer letters may stand, and a fraction may have fewer digits than the pattern.
    pub(crate) fn for_parsing(pattern: &str) -> Result<Self, String> {
        Ok(Self { items: compile::compile(pattern, true)? })
    }

    /// A timestamp in UTC. `None` if it has no such form: a year of more digits than the pattern takes.
    pub(crate) fn format(&self, micros: i64) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(32);
        print::print(&self.items, &print::Moment::new(micros), &mut out)?;
        Some(out)
    }

    /// Microseconds; what the text does not tell is of 1970-01-01 00:00:00 in UTC. `None` if it is not of this form.
    pub(crate) fn parse_timestamp(&self, text: &[u8]) -> Option<i64> {
        let text = std::str::from_utf8(text).ok()?;
        parse::parse(&self.items, text)?.resolve()
    }
}

#[cfg(test)]
mod tests;
