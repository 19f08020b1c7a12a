//! Decimals out of text, as Java's `BigDecimal(String)` takes it.

use super::{DIGITS_MAX, Decimal, power_of_ten};
use crate::types::blank::trim_java;

/// The zeros of Java 17's decimal digits (Unicode category Nd) in the basic plane; each is followed by its nine others.
const ZEROS: [u16; 37] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
    0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// The first digits of a number, most significant first and without leading zeros: `digits` * 10^`exponent`, more or
/// less what was dropped.
struct Digits {
    negative: bool,
    kept: u128,
    kept_count: i64,
    /// All digits, with those that are not kept.
    count: i64,
    /// The first digit that is not kept.
    next: u8,
    /// Digits after the point less the exponent: BigDecimal's scale.
    scale: i64,
}

/// The largest power of ten that a BigInteger of Java can be; dividing by a larger one fails.
const POWER_OF_TEN_MAX: i64 = 646_456_993;

impl Decimal {
    /// CAST of a STRING: blanks around it are no part of the number; rounded HALF_UP; `None` if it is no number, does not
    /// fit, or has more than 38 digits before its point (`Decimal.fromString`).
    pub(crate) fn parse(text: &[u8], precision: u8, scale: u8) -> Option<Self> {
        let digits = Digits::read(trim_java(text))?;
        // BigDecimal counts a zero as one digit, so 0E50 has 51 of them; and it counts in 32 bits.
        if (digits.count.max(1) - digits.scale) as i32 > i32::from(DIGITS_MAX) {
            return None;
        }
        digits.to_decimal(precision, scale)
    }

    /// A number without blanks around it, however long: `BigDecimal(text).setScale(scale, HALF_UP)`.
    pub(crate) fn read(text: &[u8], precision: u8, scale: u8) -> Option<Self> {
        let digits = Digits::read(text)?;
        if digits.scale - i64::from(scale) > POWER_OF_TEN_MAX {
            return None;
        }
        digits.to_decimal(precision, scale)
    }

    /// A number with the precision and scale that it is written with, as a literal in SQL has them; `None` if it is no
    /// number or has more than 38 digits.
    pub(crate) fn literal(text: &[u8]) -> Option<Self> {
        let digits = Digits::read(text)?;
        let scale = u8::try_from(digits.scale.max(0)).ok()?;
        let whole = (digits.count.max(1) - digits.scale).max(0);
        let precision = u8::try_from(whole + i64::from(scale)).ok().filter(|digits| *digits <= DIGITS_MAX)?;
        digits.to_decimal(precision.max(1), scale)
    }
}

impl Digits {
    fn read(text: &[u8]) -> Option<Self> {
        let (negative, mut rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mut digits = Self { negative, kept: 0, kept_count: 0, count: 0, next: 0, scale: 0 };
        let (mut any, mut point) = (false, false);
        while let Some((&first, after)) = rest.split_first() {
            match first {
                b'0'..=b'9' => {
                    digits.push(first - b'0', point);
                    any = true;
                    rest = after;
                }
                b'.' if !point => {
                    point = true;
                    rest = after;
                }
                b'e' | b'E' if any => {
                    digits.scale -= read_exponent(after)?;
                    rest = &[];
                }
                _ => {
                    let (digit, after) = take_wide_digit(rest)?;
                    digits.push(digit, point);
                    any = true;
                    rest = after;
                }
            }
        }
        // BigDecimal's scale is an int.
        (any && i32::try_from(digits.scale).is_ok()).then_some(digits)
    }

    fn push(&mut self, digit: u8, after_point: bool) {
        self.scale += i64::from(after_point);
        if self.count == 0 && digit == 0 {
            return;
        }
        if self.kept_count < i64::from(DIGITS_MAX) {
            self.kept = self.kept * 10 + u128::from(digit);
            self.kept_count += 1;
        } else if self.count == i64::from(DIGITS_MAX) {
            self.next = digit;
        }
        self.count += 1;
    }

    fn to_decimal(&self, precision: u8, scale: u8) -> Option<Decimal> {
        if self.kept == 0 {
            return Decimal::new(0, precision, scale);
        }
        // kept * 10^shift is the unscaled number.
        let shift = i64::from(scale) - self.scale + self.count - self.kept_count;
        let magnitude = if shift > 0 {
            i128::try_from(self.kept).ok()?.checked_mul(power_of_ten(u32::try_from(shift).ok()?)?)?
        } else if shift == 0 {
            i128::try_from(self.kept).ok()? + i128::from(self.next >= 5)
        } else {
            // 38 digits and less: from 10^39 on nothing is left, not even by rounding.
            match u32::try_from(-shift).ok().and_then(power_of_ten) {
                None => 0,
                Some(divisor) => {
                    let divisor = divisor.unsigned_abs();
                    let up = self.kept % divisor >= divisor.div_ceil(2);
                    i128::try_from(self.kept / divisor).ok()? + i128::from(up)
                }
            }
        };
        Decimal::new(if self.negative { -magnitude } else { magnitude }, precision, scale)
    }
}

/// Ten digits at most, as in Java.
fn read_exponent(text: &[u8]) -> Option<i64> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut exponent = 0;
    let mut count = 0;
    while !rest.is_empty() {
        let (digit, after) = take_digit(rest)?;
        exponent = exponent * 10 + i64::from(digit);
        // Leading zeros do not count.
        count += i32::from(exponent > 0);
        if count > 10 {
            return None;
        }
        if count == 0 && after.is_empty() {
            return Some(0);
        }
        rest = after;
    }
    (count > 0).then_some(if negative { -exponent } else { exponent })
}

pub(crate) fn take_digit(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [digit @ b'0'..=b'9', rest @ ..] => Some((digit - b'0', rest)),
        _ => take_wide_digit(text),
    }
}

/// A digit of another script.
fn take_wide_digit(text: &[u8]) -> Option<(u8, &[u8])> {
    let length = match text.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => return None,
    };
    let (encoded, rest) = text.split_at_checked(length)?;
    let character = std::str::from_utf8(encoded).ok()?.chars().next()?;
    let unit = u16::try_from(u32::from(character)).ok()?;
    let digit = ZEROS.iter().find_map(|zero| unit.checked_sub(*zero).filter(|digit| *digit < 10))?;
    Some((digit as u8, rest))
}
