//! INT and BIGINT out of text (Spark's `UTF8String.toInt` and `toLong`).

use crate::types::blank::trim_all;

pub(super) fn parse_int(text: &[u8]) -> Option<i32> {
    i32::try_from(parse_bigint(text)?).ok()
}

/// Digits with a sign or none, and a fraction or none, which is cut: "1.9" is 1, "1." is 1 and "." is 0.
pub(super) fn parse_bigint(text: &[u8]) -> Option<i64> {
    /// So many digits never overflow.
    const SAFE_DIGITS: usize = 18;
    let text = trim_all(text);
    let (negative, digits) = match text {
        [] => return None,
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    let mut rest = digits;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            if byte != b'.' || !after.iter().all(u8::is_ascii_digit) {
                return None;
            }
            break;
        }
        // Downwards, where the numbers reach one further.
        value = if digits.len() <= SAFE_DIGITS {
            value * 10 - i64::from(digit)
        } else {
            value.checked_mul(10)?.checked_sub(i64::from(digit))?
        };
    }
    if negative { Some(value) } else { value.checked_neg() }
}
