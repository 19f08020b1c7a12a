//! A time by a pattern.

use super::names;
use super::{Field, Item, Style};
use crate::types::datetime::calendar::{
    Civil, MICROS_PER_DAY, MICROS_PER_SECOND, day_of_week, day_of_year, days_of_micros,
};

/// A timestamp in its parts.
pub(super) struct Moment {
    days: i32,
    date: Civil,
    second_of_day: i64,
    nano: u32,
}

impl Moment {
    pub(super) fn new(micros: i64) -> Self {
        let days = days_of_micros(micros);
        let of_day = micros.rem_euclid(MICROS_PER_DAY);
        Self {
            days,
            date: Civil::of_days(days),
            second_of_day: of_day / MICROS_PER_SECOND,
            nano: (of_day % MICROS_PER_SECOND) as u32 * 1_000,
        }
    }

    fn value(&self, field: Field) -> i64 {
        let year = i64::from(self.date.year);
        let hour = self.second_of_day / 3600;
        let or = |value: i64, instead: i64| if value == 0 { instead } else { value };
        match field {
            Field::Year => year,
            Field::YearOfEra => {
                if year > 0 {
                    year
                } else {
                    1 - year
                }
            }
            Field::Era => i64::from(year > 0),
            Field::Quarter => i64::from(self.date.quarter()),
            Field::Month => i64::from(self.date.month),
            Field::Day => i64::from(self.date.day),
            Field::DayOfYear => i64::from(day_of_year(self.days)),
            Field::DayOfWeek => i64::from(day_of_week(self.days)),
            Field::AlignedDayOfWeek => i64::from((self.date.day - 1) % 7 + 1),
            Field::AmPm => hour / 12,
            Field::Hour => hour,
            Field::ClockHour => or(hour, 24),
            Field::HourOfAmPm => hour % 12,
            Field::ClockHourOfAmPm => or(hour % 12, 12),
            Field::Minute => self.second_of_day / 60 % 60,
            Field::Second => self.second_of_day % 60,
            Field::Nano => i64::from(self.nano),
        }
    }
}

/// `None` if a part cannot be written.
pub(super) fn print(items: &[Item], moment: &Moment, out: &mut Vec<u8>) -> Option<()> {
    for item in items {
        match item {
            Item::Literal(literal) => out.extend_from_slice(literal.encode_utf8(&mut [0; 4]).as_bytes()),
            Item::Number(field, number) => number.print(moment.value(*field), out).then_some(())?,
            Item::Fraction { max, .. } => {
                const DIGITS: u32 = 9;
                let digits = *max as u32;
                let cut = moment.nano / 10u32.pow(DIGITS.saturating_sub(digits));
                crate::types::datetime::write::write_padded(cut, *max, out);
            }
            Item::Text(field, style) => {
                out.extend_from_slice(names::name(*field, *style, moment.value(*field))?.as_bytes());
            }
            Item::Offset(form) => form.print(out),
            Item::LocalizedOffset(_) => out.extend_from_slice(b"GMT"),
            Item::ZoneId | Item::ZoneName(Style::Short) => out.extend_from_slice(b"UTC"),
            Item::ZoneName(Style::Full) => out.extend_from_slice(b"Coordinated Universal Time"),
            Item::Optional(items) => print(items, moment, out)?,
        }
    }
    Some(())
}
