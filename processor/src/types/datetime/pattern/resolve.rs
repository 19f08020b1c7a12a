//! Fields to a timestamp: `java.time.format.Parsed` with strict resolution, and Spark's defaults for what is missing.

use super::{FIELDS, Field};
use crate::types::datetime::calendar::{Civil, MICROS_PER_SECOND, day_of_year, days_of_civil};
use crate::types::datetime::zone::Zone;

/// The year of dates that do not tell theirs.
const YEAR_MISSING: i64 = 1970;

/// What was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    values: [Option<i64>; FIELDS],
    offset: Option<i32>,
    zone: Option<Zone>,
}

impl Fields {
    /// `None` if the field has another value already.
    pub(super) fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let place = self.values.get_mut(field as usize)?;
        (*place.get_or_insert(value) == value).then_some(())
    }

    pub(super) fn set_offset(&mut self, seconds: i32) -> Option<()> {
        (*self.offset.get_or_insert(seconds) == seconds).then_some(())
    }

    pub(super) fn set_zone(&mut self, zone: Zone) {
        self.zone = Some(zone);
    }

    /// `Some(None)` if it was not read, `None` if it is out of its range.
    fn get(&self, field: Field, range: std::ops::RangeInclusive<i64>) -> Option<Option<i64>> {
        match self.values.get(field as usize).copied().flatten() {
            Some(value) => range.contains(&value).then_some(Some(value)),
            None => Some(None),
        }
    }

    pub(super) fn resolve(&self) -> Option<i64> {
        let days = self.date()?;
        let micros = self.time()?;
        let zone = match (&self.zone, self.offset) {
            (Some(zone), _) => zone.clone(),
            (None, Some(seconds)) => Zone::Offset(seconds),
            (None, None) => Zone::UTC,
        };
        zone.to_utc(days, micros)
    }

    fn year(&self) -> Option<Option<i64>> {
        const YEAR_MAX: i64 = 999_999_999;
        let era = self.get(Field::Era, 0..=1)?;
        let of_era = self.get(Field::YearOfEra, 1..=YEAR_MAX)?;
        match (self.get(Field::Year, -YEAR_MAX..=YEAR_MAX)?, of_era, era) {
            (Some(year), _, _) => Some(Some(year)),
            (None, Some(of_era), Some(era)) => Some(Some(if era == 1 { of_era } else { 1 - of_era })),
            _ => Some(None),
        }
    }

    fn date(&self) -> Option<i32> {
        let year = self.year()?;
        let month = self.get(Field::Month, 1..=12)?;
        let day = self.get(Field::Day, 1..=31)?;
        let in_year = self.get(Field::DayOfYear, 1..=366)?;
        if let Some(in_year) = in_year
            && (year.is_none() || month.is_none() || day.is_none())
        {
            let year = year.unwrap_or(YEAR_MISSING);
            let days = days_of_civil(year, 1, 1)?.checked_add(in_year as i32 - 1)?;
            let date = Civil::of_days(days);
            let agrees = i64::from(date.year) == year
                && month.is_none_or(|month| i64::from(date.month) == month)
                && day.is_none_or(|day| i64::from(date.day) == day);
            return agrees.then_some(days);
        }
        let days = days_of_civil(year.unwrap_or(YEAR_MISSING), month.unwrap_or(1) as u32, day.unwrap_or(1) as u32)?;
        let whole = year.is_some() && month.is_some() && day.is_some();
        let agrees = !whole || in_year.is_none_or(|in_year| i64::from(day_of_year(days)) == in_year);
        agrees.then_some(days)
    }

    /// Microseconds of the day.
    fn time(&self) -> Option<i64> {
        let half = self.get(Field::AmPm, 0..=1)?;
        let clock_of_half = self.get(Field::ClockHourOfAmPm, 1..=12)?.map(|hour| hour % 12);
        let of_half = agreed(self.get(Field::HourOfAmPm, 0..=11)?, clock_of_half)?;
        let clock = self.get(Field::ClockHour, 1..=24)?.map(|hour| hour % 24);
        let hour = agreed(self.get(Field::Hour, 0..=23)?, clock)?;
        let by_half = half.zip(of_half).map(|(half, of_half)| half * 12 + of_half);
        let hour = match (agreed(hour, by_half)?, of_half, half) {
            (Some(hour), of_half, half) => {
                if of_half.is_some_and(|of_half| hour % 12 != of_half) || half.is_some_and(|half| hour / 12 != half) {
                    return None;
                }
                hour
            }
            (None, Some(of_half), _) => of_half,
            (None, None, Some(1)) => 12,
            (None, None, _) => 0,
        };
        let minute = self.get(Field::Minute, 0..=59)?.unwrap_or(0);
        let second = self.get(Field::Second, 0..=59)?.unwrap_or(0);
        let nano = self.get(Field::Nano, 0..=999_999_999)?.unwrap_or(0);
        Some((hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + nano / 1_000)
    }
}

/// `None` if the two differ.
fn agreed(one: Option<i64>, other: Option<i64>) -> Option<Option<i64>> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(Some(one)),
        (one, other) => Some(one.or(other)),
    }
}
