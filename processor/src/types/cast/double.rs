//! DOUBLE out of text: Java's `Double.parseDouble`, and Spark's words for what is not finite.

use crate::types::blank::trim_java;

pub(super) fn parse(text: &[u8]) -> Option<f64> {
    let trimmed = trim_java(text);
    match finite(trimmed) {
        Some(value) => Some(value),
        None => non_finite(trimmed),
    }
}

/// FLOAT, of the text itself and not by way of a DOUBLE.
pub(super) fn parse_float(text: &[u8]) -> Option<f32> {
    let unsuffixed = without_suffix(trim_java(text));
    if is_decimal(unsuffixed) {
        return std::str::from_utf8(unsuffixed).ok()?.parse().ok();
    }
    parse(text).map(|value| value as f32)
}

fn finite(text: &[u8]) -> Option<f64> {
    let unsuffixed = without_suffix(text);
    if is_decimal(unsuffixed) {
        return std::str::from_utf8(unsuffixed).ok()?.parse().ok();
    }
    hexadecimal(unsuffixed)
}

fn without_suffix(text: &[u8]) -> &[u8] {
    match text {
        [rest @ .., b'f' | b'F' | b'd' | b'D'] => rest,
        rest => rest,
    }
}

/// Digits with a point or none, of which one at least, and an exponent or none.
fn is_decimal(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after = |text: &'_ [u8], count: usize| -> usize { text.len().min(count) };
    let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let whole = digits(unsigned);
    let rest = unsigned.get(after(unsigned, whole)..).unwrap_or_default();
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => {
            let fraction = digits(rest);
            (fraction, rest.get(fraction..).unwrap_or_default())
        }
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            !exponent.is_empty() && exponent.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// `0x1.8p3`: what Java reads as well. Digits beyond 120 bits only count as not being zero.
fn hexadecimal(text: &[u8]) -> Option<f64> {
    const KEPT_BELOW: u128 = 1 << 120;
    const EXPONENT_MAX: i64 = 100_000;
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let digits = unsigned.strip_prefix(b"0x").or_else(|| unsigned.strip_prefix(b"0X"))?;
    let marker = digits.iter().position(|byte| matches!(byte, b'p' | b'P'))?;
    let (digits, exponent) = digits.split_at_checked(marker)?;
    let mut mantissa = 0u128;
    let mut shift = 0i64;
    let (mut any, mut point) = (false, false);
    for &byte in digits {
        if byte == b'.' && !point {
            point = true;
            continue;
        }
        let digit = u128::from(char::from(byte).to_digit(16)?);
        any = true;
        if mantissa < KEPT_BELOW {
            mantissa = mantissa << 4 | digit;
            shift -= if point { 4 } else { 0 };
        } else {
            mantissa |= u128::from(digit != 0);
            shift += if point { 0 } else { 4 };
        }
    }
    let exponent = std::str::from_utf8(exponent.get(1..)?).ok()?;
    let plain = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if !any || plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What does not fit into 64 bits is far beyond every double.
    let bound = if exponent.starts_with('-') { -EXPONENT_MAX } else { EXPONENT_MAX };
    let exponent = exponent.parse().unwrap_or(bound).clamp(-EXPONENT_MAX, EXPONENT_MAX) + shift;
    let value = scaled(mantissa, exponent);
    Some(if negative { -value } else { value })
}

/// mantissa * 2^exponent, rounded once, half to even.
fn scaled(mantissa: u128, exponent: i64) -> f64 {
    const EXPONENT_MIN: i64 = -1074;
    if mantissa == 0 {
        return 0.0;
    }
    // Bits below the least of all doubles are dropped before the conversion, so that it alone rounds.
    let bits = 128 - i64::from(mantissa.leading_zeros());
    let kept = (bits + exponent - EXPONENT_MIN).clamp(0, 53);
    let dropped = (bits - kept).max(0);
    let (quotient, rest) = match u32::try_from(dropped) {
        Ok(dropped @ 1..128) => (mantissa >> dropped, mantissa & ((1 << dropped) - 1)),
        Ok(0) => (mantissa, 0),
        _ => (0, mantissa),
    };
    let half = if dropped > 0 { 1u128 << (dropped - 1).min(127) } else { u128::MAX };
    let up = rest > half || rest == half && quotient & 1 == 1;
    let rounded = (quotient + u128::from(up)) as f64;
    // Exact, in steps that do not leave the range on the way.
    let mut left = exponent + dropped;
    let mut value = rounded;
    while left != 0 && value != 0.0 && value.is_finite() {
        let step = left.clamp(-1000, 1000);
        value *= 2f64.powi(step as i32);
        left -= step;
    }
    value
}

/// `Cast.processFloatingPointSpecialLiterals`.
fn non_finite(text: &[u8]) -> Option<f64> {
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    if is("nan") || matches!(text, b"+NaN" | b"-NaN") {
        Some(f64::NAN)
    } else if ["inf", "+inf", "infinity", "+infinity"].into_iter().any(is) {
        Some(f64::INFINITY)
    } else if ["-inf", "-infinity"].into_iter().any(is) {
        Some(f64::NEG_INFINITY)
    } else {
        None
    }
}
