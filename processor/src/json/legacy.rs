//! What Spark 2 read as a time: commons-lang's `FastDateFormat`, which takes the front of a text and any size of number.

use super::scalar::Unconverted;

/// What stands between its numbers.
pub(super) struct Pattern(&'static [u8]);

/// `yyyy-MM-dd`
pub(super) const DATE: Pattern = Pattern(b"--");
/// `yyyy-MM-dd HH:mm:ss`
pub(super) const TIMESTAMP: Pattern = Pattern(b"-- ::");

/// Of what kind a text is that Spark 3 cannot read as a time (`DateTimeFormatterHelper.checkParsedDiff`).
#[cold]
pub(super) fn unconverted(text: &[u8], pattern: &Pattern) -> Unconverted {
    if reads(text, pattern).is_some() { Unconverted::Outdated } else { Unconverted::Mismatch }
}

fn reads(text: &[u8], pattern: &Pattern) -> Option<()> {
    let mut rest = take_number(text)?;
    for separator in pattern.0 {
        let (first, after) = rest.split_first()?;
        if first != separator {
            return None;
        }
        rest = take_number(after)?;
    }
    Some(())
}

/// What is behind a number of 31 bits, which may have blanks before it.
fn take_number(text: &[u8]) -> Option<&[u8]> {
    let blanks = text.iter().take_while(|byte| matches!(byte, b'\t'..=b'\r' | 0x1c..=0x20)).count();
    let text = text.get(blanks..)?;
    let (digits, rest) = text.split_at_checked(text.iter().take_while(|byte| byte.is_ascii_digit()).count())?;
    std::str::from_utf8(digits).ok()?.parse::<i32>().ok()?;
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_of_a_text_is_enough() {
        for (text, pattern, expected) in [
            ("2024-01-02 03:04:05,123", &TIMESTAMP, Unconverted::Outdated),
            ("2024-01-02 03:04", &TIMESTAMP, Unconverted::Mismatch),
            ("2024-02-30T01:02:03", &TIMESTAMP, Unconverted::Mismatch),
            ("2024-02-30", &DATE, Unconverted::Outdated),
            (" 2024- 13-99999 and more", &DATE, Unconverted::Outdated),
            ("2024-01-99999999999", &DATE, Unconverted::Mismatch),
            ("2024-01-", &DATE, Unconverted::Mismatch),
            ("", &DATE, Unconverted::Mismatch),
        ] {
            assert_eq!(unconverted(text.as_bytes(), pattern), expected, "{text}");
        }
    }
}
