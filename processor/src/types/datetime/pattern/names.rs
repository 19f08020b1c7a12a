//! Names of months, days and eras in English.

use super::{Field, Style};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];
const QUARTERS_SHORT: [&str; 4] = ["Q1", "Q2", "Q3", "Q4"];
const ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];
const ERAS_SHORT: [&str; 2] = ["BC", "AD"];
const HALVES: [&str; 2] = ["AM", "PM"];
const LETTERS_SHORT: usize = 3;

/// All names of a field, and the value of the first.
fn names(field: Field, style: Style) -> (&'static [&'static str], i64) {
    match (field, style) {
        (Field::Month, _) => (&MONTHS, 1),
        (Field::DayOfWeek, _) => (&DAYS, 1),
        (Field::Quarter, Style::Full) => (&QUARTERS, 1),
        (Field::Quarter, Style::Short) => (&QUARTERS_SHORT, 1),
        (Field::Era, Style::Full) => (&ERAS, 0),
        (Field::Era, Style::Short) => (&ERAS_SHORT, 0),
        (Field::AmPm, _) => (&HALVES, 0),
        _ => (&[], 0),
    }
}

fn in_style(field: Field, style: Style, name: &'static str) -> &'static str {
    match (field, style) {
        (Field::Month | Field::DayOfWeek, Style::Short) => name.get(..LETTERS_SHORT).unwrap_or(name),
        _ => name,
    }
}

pub(super) fn name(field: Field, style: Style, value: i64) -> Option<&'static str> {
    let (names, first) = names(field, style);
    let name = names.get(usize::try_from(value - first).ok()?)?;
    Some(in_style(field, style, name))
}

/// The value whose name is at the front, in any case, and what is behind it.
pub(super) fn parse(field: Field, style: Style, text: &str) -> Option<(i64, &str)> {
    let (names, first) = names(field, style);
    let values = names.iter().zip(first..);
    values.into_iter().find_map(|(name, value)| {
        let name = in_style(field, style, name);
        let (start, rest) = text.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some((value, rest))
    })
}
