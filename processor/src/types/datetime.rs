//! DATE and TIMESTAMP: reading and writing them, and the calendar. All in UTC, as the session's time zone is.

mod calendar;
mod date;
mod pattern;
mod time;
mod write;
mod zone;

pub(crate) use calendar::{
    Civil, MICROS_PER_DAY, MICROS_PER_SECOND, add_months, day_of_week, day_of_year, days_in_month, days_of_civil,
    days_of_micros, iso_week, micros_of_days,
};
pub(crate) use date::{json_date, parse_date};
pub(crate) use pattern::Pattern;
pub(crate) use time::{json_timestamp, parse_timestamp};
pub(crate) use write::{write_date, write_json_timestamp, write_timestamp};
pub(crate) use zone::Zone;

#[cfg(test)]
mod tests;
