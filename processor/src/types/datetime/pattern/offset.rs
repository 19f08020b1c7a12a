//! Offsets from UTC: `+02:00`, `+0200`, `Z` (`OffsetIdPrinterParser` and `LocalizedOffsetIdPrinterParser`).

use super::Style;

/// How an offset is written: by the number of letters X or x, where one is hours and minutes if there are any, two
/// hours and minutes, three the same with a colon, four and five the same with seconds if there are any.
#[derive(Clone, Copy, Debug)]
pub(super) struct OffsetForm {
    letters: usize,
    /// Zero is written as Z.
    z: bool,
}

impl OffsetForm {
    pub(super) const fn with_z(letters: usize) -> Self {
        Self { letters, z: true }
    }

    pub(super) const fn without_z(letters: usize) -> Self {
        Self { letters, z: false }
    }

    fn zero(self) -> &'static str {
        match (self.z, self.letters) {
            (true, _) => "Z",
            (false, 1) => "+00",
            (false, 2 | 4) => "+0000",
            (false, _) => "+00:00",
        }
    }

    /// All times are in UTC.
    pub(super) fn print(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.zero().as_bytes());
    }

    /// Seconds east of UTC, and what is behind them.
    pub(super) fn parse(self, text: &str) -> Option<(i32, &str)> {
        let zero = self.zero();
        if let Some((start, rest)) = text.split_at_checked(zero.len())
            && start.eq_ignore_ascii_case(zero)
        {
            return Some((0, rest));
        }
        let (sign, rest) = take_sign(text)?;
        let colon = matches!(self.letters, 3 | 5);
        let (hours, mut rest) = take_two(rest)?;
        let (mut minutes, mut seconds) = (0, 0);
        match take_part(rest, colon) {
            Some((found, after)) => (minutes, rest) = (found, after),
            None if self.letters == 1 => {}
            None => return None,
        }
        if self.letters >= 4
            && let Some((found, after)) = take_part(rest, colon)
        {
            (seconds, rest) = (found, after);
        }
        within_bounds(sign, hours, minutes, seconds).map(|total| (total, rest))
    }
}

/// `GMT`, `GMT+8` or, in the full form, `GMT+08:00`.
pub(super) fn parse_localized(style: Style, text: &str) -> Option<(i32, &str)> {
    const GMT: &str = "GMT";
    let (start, rest) = text.split_at_checked(GMT.len())?;
    if !start.eq_ignore_ascii_case(GMT) {
        return None;
    }
    let Some((sign, after)) = take_sign(rest) else { return Some((0, rest)) };
    let (hours, mut rest) = match (style, take_two(after)) {
        (_, Some(found)) => found,
        (Style::Full, None) => return None,
        (Style::Short, None) => {
            let (digit, rest) = after.split_at_checked(1)?;
            (digit.parse().ok()?, rest)
        }
    };
    let (mut minutes, mut seconds) = (0, 0);
    match take_part(rest, true) {
        Some((found, after)) => {
            (minutes, rest) = (found, after);
            if let Some((found, after)) = take_part(rest, true) {
                (seconds, rest) = (found, after);
            }
        }
        None if style == Style::Full => return None,
        None => {}
    }
    within_bounds(sign, hours, minutes, seconds).map(|total| (total, rest))
}

fn take_sign(text: &str) -> Option<(i32, &str)> {
    match text.as_bytes().first()? {
        b'+' => Some((1, text.get(1..)?)),
        b'-' => Some((-1, text.get(1..)?)),
        _ => None,
    }
}

fn take_two(text: &str) -> Option<(i32, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let digits = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((digits.parse().ok()?, rest))
}

/// Minutes or seconds.
fn take_part(text: &str, colon: bool) -> Option<(i32, &str)> {
    take_two(if colon { text.strip_prefix(':')? } else { text }).filter(|(value, _)| *value <= 59)
}

/// `ZoneOffset` ends at 18 hours.
fn within_bounds(sign: i32, hours: i32, minutes: i32, seconds: i32) -> Option<i32> {
    const SECONDS_MAX: i32 = 18 * 3600;
    let total = hours * 3600 + minutes * 60 + seconds;
    (total <= SECONDS_MAX).then_some(sign * total)
}
