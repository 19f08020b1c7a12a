//! Time zones as `java.time.ZoneId.of` takes them (Spark's `DateTimeUtils.getZoneId`).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::calendar::{Civil, MICROS_PER_DAY, MICROS_PER_SECOND};

const OFFSET_SECONDS_MAX: i32 = 18 * 3600;

/// `ZoneId.SHORT_IDS`.
const SHORT_IDS: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

#[derive(Clone, Debug)]
pub(crate) enum Zone {
    /// Seconds east of UTC.
    Offset(i32),
    Region(TimeZone),
}

impl Zone {
    pub(super) const UTC: Self = Self::Offset(0);

    /// As in the text of a timestamp, where an offset may also be +h:mm or +hh:m. `None` if there is no such zone.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text == b"Z" {
            return Some(Self::UTC);
        }
        let text = std::str::from_utf8(text).ok()?;
        let text = SHORT_IDS.iter().find(|(short, _)| *short == text).map_or(text, |(_, id)| id);
        Self::parse_id(text)
    }

    /// `ZoneId.of` without short ids. Java's own names `SystemV/…` are not known.
    fn parse_id(text: &str) -> Option<Self> {
        if text.starts_with(['+', '-']) {
            return parse_offset(text.as_bytes()).map(Self::Offset);
        }
        for prefix in ["UTC", "GMT", "UT"] {
            match text.strip_prefix(prefix) {
                Some("") => return Some(Self::UTC),
                Some(offset) if offset.starts_with(['+', '-']) => {
                    return parse_offset(offset.as_bytes()).map(Self::Offset);
                }
                _ => {}
            }
        }
        // Java's names have their exact case.
        match Self::region(text)? {
            Self::Region(zone) if zone.iana_name() != Some(text) => None,
            zone => Some(zone),
        }
    }

    /// A region by its name in the time zone database, in any case.
    pub(super) fn region(name: &str) -> Option<Self> {
        // For machines whose zone was never set; Java does not have it.
        const UNSET: &str = "Factory";
        let zone = TimeZone::get(name).ok()?;
        (zone.iana_name() != Some(UNSET)).then_some(Self::Region(zone))
    }

    /// The instant of a local time (as microseconds of a day in UTC with the same reading): in a gap it moves on by the
    /// gap's length, in an overlap it is the earlier one. `None` if it is too far away for a timestamp.
    pub(crate) fn to_utc(&self, days: i32, micros_of_day: i64) -> Option<i64> {
        let seconds = match self {
            Self::Offset(seconds) => *seconds,
            Self::Region(zone) => region_offset(zone, days, micros_of_day)?,
        };
        let micros = i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(micros_of_day);
        i64::try_from(micros - i128::from(seconds) * i128::from(MICROS_PER_SECOND)).ok()
    }

    /// The local time of an instant, as microseconds in UTC with the same reading. `None` as above.
    pub(crate) fn local(&self, micros: i64) -> Option<i64> {
        let seconds = match self {
            Self::Offset(seconds) => *seconds,
            Self::Region(zone) => {
                // As far as the calendar's years go here; its rules repeat after as many.
                const SECONDS_PER_CYCLE: i64 = 146_097 * 86_400;
                const SECONDS_MAX: i64 = 253_000_000_000;
                let seconds = micros.div_euclid(MICROS_PER_SECOND);
                let seconds = match seconds {
                    _ if seconds < -SECONDS_MAX => seconds % SECONDS_PER_CYCLE - SECONDS_PER_CYCLE,
                    _ if seconds > SECONDS_MAX => seconds % SECONDS_PER_CYCLE + 10 * SECONDS_PER_CYCLE,
                    _ => seconds,
                };
                zone.to_offset(jiff::Timestamp::from_second(seconds).ok()?).seconds()
            }
        };
        micros.checked_add(i64::from(seconds) * MICROS_PER_SECOND)
    }
}

fn region_offset(zone: &TimeZone, days: i32, micros_of_day: i64) -> Option<i32> {
    const YEARS: i32 = 400;
    let Civil { year, month, day } = Civil::of_days(days);
    // The rules of the calendar repeat every 400 years, and years as far off as these have no other rules.
    let year = match year {
        9_600.. => 9_200 + year % YEARS,
        ..-9_600 => -9_200 + year % YEARS,
        _ => year,
    };
    let seconds = micros_of_day / MICROS_PER_SECOND;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let local =
        DateTime::new(i16::try_from(year).ok()?, month as i8, day as i8, hour as i8, minute as i8, second as i8, 0)
            .ok()?;
    use jiff::tz::AmbiguousOffset;
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset }
        | AmbiguousOffset::Gap { before: offset, .. }
        | AmbiguousOffset::Fold { before: offset, .. } => offset,
    };
    Some(offset.seconds())
}

/// `ZoneOffset.of`, and the two shorter forms of Spark 2: +h, +hh, +hhmm, +hhmmss, +hh:mm, +hh:mm:ss, +h:mm, +hh:m.
fn parse_offset(text: &[u8]) -> Option<i32> {
    let (&sign, rest) = text.split_first()?;
    let two = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let (hours, minutes, seconds) = match *rest {
        [h] => (two(b'0', h)?, 0, 0),
        [h0, h1] => (two(h0, h1)?, 0, 0),
        [h0, h1, m0, m1] if h1 != b':' && m0 != b':' => (two(h0, h1)?, two(m0, m1)?, 0),
        [h0, h1, m0, m1, s0, s1] if h1 != b':' && m0 != b':' => (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?),
        [h, b':', m0, m1] => (two(b'0', h)?, two(m0, m1)?, 0),
        [h, b':', m0, m1, b':', s0, s1] => (two(b'0', h)?, two(m0, m1)?, two(s0, s1)?),
        [h, b':', m] => (two(b'0', h)?, two(b'0', m)?, 0),
        [h0, h1, b':', m] => (two(h0, h1)?, two(b'0', m)?, 0),
        [h0, h1, b':', m0, m1] => (two(h0, h1)?, two(m0, m1)?, 0),
        [h0, h1, b':', m0, m1, b':', s0, s1] => (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?),
        _ => return None,
    };
    let total = hours * 3600 + minutes * 60 + seconds;
    if hours > 18 || minutes > 59 || seconds > 59 || total > OFFSET_SECONDS_MAX {
        return None;
    }
    match sign {
        b'+' => Some(total),
        b'-' => Some(-total),
        _ => None,
    }
}
