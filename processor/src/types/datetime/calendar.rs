//! The proleptic Gregorian calendar, on days and microseconds since 1970-01-01 (`java.time.LocalDate`).

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

const DAYS_PER_400_YEARS: i64 = 146_097;
/// From 0000-03-01, where the years of the arithmetic below begin, to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;

/// Years have a zero, which is 1 BC; months and days count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i32,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

impl Civil {
    /// Of days since 1970-01-01.
    pub(crate) fn of_days(days: i32) -> Self {
        // Years are counted from March, so that a leap day is the last of its year.
        let shifted = i64::from(days) + DAYS_TO_EPOCH;
        let (cycle, day_of_cycle) = (shifted.div_euclid(DAYS_PER_400_YEARS), shifted.rem_euclid(DAYS_PER_400_YEARS));
        let year_of_cycle =
            (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
        let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
        Self { year: year as i32, month: month as u32, day: day as u32 }
    }

    pub(crate) fn quarter(self) -> u32 {
        self.month.div_ceil(3)
    }
}

/// Days since 1970-01-01; `None` if there is no such day or it is too far away.
pub(crate) fn days_of_civil(year: i64, month: u32, day: u32) -> Option<i32> {
    let whole = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    if !whole || year.unsigned_abs() > 10_000_000 {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (cycle, year_of_cycle) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    i32::try_from(cycle * DAYS_PER_400_YEARS + day_of_cycle - DAYS_TO_EPOCH).ok()
}

pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// From 1.
pub(crate) fn day_of_year(days: i32) -> u32 {
    let year = i64::from(Civil::of_days(days).year);
    days_of_civil(year, 1, 1).map_or(1, |first| days.abs_diff(first) + 1)
}

/// Monday is 1, Sunday 7.
pub(crate) fn day_of_week(days: i32) -> u32 {
    // 1970-01-01 was a Thursday.
    (i64::from(days) + 3).rem_euclid(7) as u32 + 1
}

/// The year that a day's week belongs to, and its number there from 1: a week has its Thursday's year.
pub(crate) fn iso_week(days: i32) -> (i32, u32) {
    let thursday = days.saturating_add(4 - day_of_week(days) as i32);
    (Civil::of_days(thursday).year, (day_of_year(thursday) - 1) / 7 + 1)
}

/// The same day `months` later, or the last of its month if there is no such day.
pub(crate) fn add_months(days: i32, months: i32) -> Option<i32> {
    let Civil { year, month, day } = Civil::of_days(days);
    let total = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(months);
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) as u32 + 1);
    days_of_civil(year, month, day.min(days_in_month(year, month)))
}

/// The day that a timestamp is in.
pub(crate) fn days_of_micros(micros: i64) -> i32 {
    micros.div_euclid(MICROS_PER_DAY) as i32
}

/// Midnight; `None` if it is too far away for a timestamp.
pub(crate) fn micros_of_days(days: i32) -> Option<i64> {
    i64::from(days).checked_mul(MICROS_PER_DAY)
}
