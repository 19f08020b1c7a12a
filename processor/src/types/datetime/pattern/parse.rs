//! The fields that a text has by a pattern.

use super::number::count_digits;
use super::offset::OffsetForm;
use super::resolve::Fields;
use super::{Field, Item, Style, names, offset};
use crate::types::datetime::zone::Zone;

/// The whole text has to be of the form.
pub(super) fn parse(items: &[Item], text: &str) -> Option<Fields> {
    let mut fields = Fields::default();
    let rest = take_all(items, text, &mut fields)?;
    rest.is_empty().then_some(fields)
}

fn take_all<'t>(items: &[Item], mut text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    for item in items {
        text = take(item, text, fields)?;
    }
    Some(text)
}

fn take<'t>(item: &Item, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    match item {
        Item::Literal(literal) => {
            let mut characters = text.chars();
            let found = characters.next()?;
            let same = found == *literal || found.to_uppercase().eq(literal.to_uppercase());
            same.then_some(characters.as_str())
        }
        Item::Number(field, number) => {
            let (value, rest) = number.parse(text)?;
            fields.set(*field, value)?;
            Some(rest)
        }
        Item::Fraction { min, max, .. } => {
            const DIGITS: u32 = 9;
            let count = count_digits(text, *max);
            if count < *min {
                return None;
            }
            let (digits, rest) = text.split_at_checked(count)?;
            let value: i64 = digits.parse().ok()?;
            fields.set(Field::Nano, value * 10i64.pow(DIGITS.saturating_sub(count as u32)))?;
            Some(rest)
        }
        Item::Text(field, style) => {
            let (value, rest) = names::parse(*field, *style, text)?;
            fields.set(*field, value)?;
            Some(rest)
        }
        Item::Offset(form) => {
            let (seconds, rest) = form.parse(text)?;
            fields.set_offset(seconds)?;
            Some(rest)
        }
        Item::LocalizedOffset(style) => {
            let (seconds, rest) = offset::parse_localized(*style, text)?;
            fields.set_offset(seconds)?;
            Some(rest)
        }
        Item::ZoneId => take_zone(text, fields, |_| None),
        Item::ZoneName(style) => take_zone(text, fields, |name| region_of_name(name, *style)),
        Item::Optional(items) => {
            let before = fields.clone();
            Some(take_all(items, text, fields).unwrap_or_else(|| {
                *fields = before;
                text
            }))
        }
    }
}

/// A zone at the front: an offset, UTC with an offset or none, or the longest name of a region, in any case
/// (`ZoneIdPrinterParser`).
fn take_zone<'t>(text: &'t str, fields: &mut Fields, region: impl Fn(&str) -> Option<&'static str>) -> Option<&'t str> {
    const OFFSET: OffsetForm = OffsetForm::without_z(5);
    if text.starts_with(['+', '-']) {
        let (seconds, rest) = OFFSET.parse(text)?;
        fields.set_zone(Zone::Offset(seconds));
        return Some(rest);
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'+' | b'-' | b' ');
    let longest = text.bytes().take_while(|byte| is_part(byte)).count();
    for length in (1..=longest).rev() {
        let (name, rest) = text.split_at_checked(length)?;
        if matches!(name.to_ascii_uppercase().as_str(), "UTC" | "GMT" | "UT") {
            let (seconds, rest) = OFFSET.parse(rest).unwrap_or((0, rest));
            fields.set_zone(Zone::Offset(seconds));
            return Some(rest);
        }
        if let Some(zone) = Zone::region(region(name).unwrap_or(name)) {
            fields.set_zone(zone);
            return Some(rest);
        }
    }
    let rest = text.strip_prefix(['Z', 'z'])?;
    fields.set_zone(Zone::UTC);
    Some(rest)
}

/// Zones that logs name by an abbreviation, or in full. Java has more; where several have one name it is Java's choice.
fn region_of_name(name: &str, style: Style) -> Option<&'static str> {
    const NAMES: [(&str, &str, &str); 15] = [
        ("PST", "Pacific Standard Time", "America/Los_Angeles"),
        ("PDT", "Pacific Daylight Time", "America/Los_Angeles"),
        ("MST", "Mountain Standard Time", "America/Denver"),
        ("MDT", "Mountain Daylight Time", "America/Denver"),
        ("CST", "Central Standard Time", "America/Chicago"),
        ("CDT", "Central Daylight Time", "America/Chicago"),
        ("EST", "Eastern Standard Time", "America/New_York"),
        ("EDT", "Eastern Daylight Time", "America/New_York"),
        ("CET", "Central European Standard Time", "Europe/Paris"),
        ("CEST", "Central European Summer Time", "Europe/Paris"),
        ("JST", "Japan Standard Time", "Asia/Tokyo"),
        ("AEST", "Australian Eastern Standard Time", "Australia/Sydney"),
        ("MSK", "Moscow Standard Time", "Europe/Moscow"),
        ("BST", "Bougainville Standard Time", "Pacific/Bougainville"),
        ("UTC", "Coordinated Universal Time", "UTC"),
    ];
    let found = NAMES.iter().find(|(short, full, _)| match style {
        Style::Short => name.eq_ignore_ascii_case(short),
        Style::Full => name.eq_ignore_ascii_case(full),
    });
    found.map(|(_, _, region)| *region)
}
