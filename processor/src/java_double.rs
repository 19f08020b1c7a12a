//! `Double.toString` and `Float.toString` of Java 17: the digits of `jdk.internal.math.FloatingDecimal`, which are not always the fewest
//! that read back to the same double (2E23 is printed as 1.9999999999999998E23; Java 19 changed that).
//!
//! The digits come from dividing exact big integers and stopping when the remainder is within half a unit in the last
//! place. What deviates from the shortest digits is kept on purpose: a symmetric stopping test next to powers of two,
//! at least two digits in the exponent form, and a remainder that is compared differently in machine words.

mod big;

use big::Big;

const FRACTION_BITS: i32 = 52;
const HIDDEN_BIT: u64 = 1 << FRACTION_BITS;

/// Decimal digits, most significant first, of 0.d1d2d3… * 10^exponent.
struct Digits {
    digits: Vec<u8>,
    exponent: i32,
}

/// Appends a finite double.
pub(crate) fn write(double: f64, out: &mut Vec<u8>) {
    if double.is_sign_negative() {
        out.push(b'-');
    }
    let bits = double.to_bits() & (u64::MAX >> 1);
    if bits == 0 {
        out.extend_from_slice(b"0.0");
        return;
    }
    let stored_exponent = (bits >> FRACTION_BITS) as i32;
    let stored_fraction = bits & (HIDDEN_BIT - 1);
    // Subnormal numbers are shifted up until they have their high bit; they have fewer significant bits.
    let (fraction, exponent, significant_bits) = if stored_exponent == 0 {
        let leading_zeros = stored_fraction.leading_zeros() as i32;
        let shift = leading_zeros - (63 - FRACTION_BITS);
        (stored_fraction << shift, 1 - shift - 1023, 64 - leading_zeros)
    } else {
        (stored_fraction | HIDDEN_BIT, stored_exponent - 1023, FRACTION_BITS + 1)
    };
    let digits = digits_of(fraction, exponent, significant_bits);
    write_digits(&digits, out);
}

/// Appends a finite float: as a double of fewer significant bits.
pub(crate) fn write_float(float: f32, out: &mut Vec<u8>) {
    const FLOAT_FRACTION_BITS: i32 = 23;
    if float.is_sign_negative() {
        out.push(b'-');
    }
    let bits = float.to_bits() & (u32::MAX >> 1);
    if bits == 0 {
        out.extend_from_slice(b"0.0");
        return;
    }
    let stored_exponent = (bits >> FLOAT_FRACTION_BITS) as i32;
    let stored_fraction = bits & ((1 << FLOAT_FRACTION_BITS) - 1);
    let (fraction, exponent, significant_bits) = if stored_exponent == 0 {
        let leading_zeros = stored_fraction.leading_zeros() as i32;
        let shift = leading_zeros - (31 - FLOAT_FRACTION_BITS);
        (stored_fraction << shift, 1 - shift - 127, 32 - leading_zeros)
    } else {
        (stored_fraction | 1 << FLOAT_FRACTION_BITS, stored_exponent - 127, FLOAT_FRACTION_BITS + 1)
    };
    let fraction = u64::from(fraction) << (FRACTION_BITS - FLOAT_FRACTION_BITS);
    write_digits(&digits_of(fraction, exponent, significant_bits), out);
}

/// Plain form from 10^-3 up to 10^7, else one digit, the point, at least one digit, and the exponent.
fn write_digits(Digits { digits, exponent }: &Digits, out: &mut Vec<u8>) {
    let at_least_a_zero = |digits: &[u8], out: &mut Vec<u8>| {
        if digits.is_empty() {
            out.push(b'0');
        }
        out.extend_from_slice(digits);
    };
    match *exponent {
        1..=7 => {
            let whole = digits.len().min(*exponent as usize);
            let (before, after) = digits.split_at(whole);
            out.extend_from_slice(before);
            out.resize(out.len() + *exponent as usize - whole, b'0');
            out.push(b'.');
            at_least_a_zero(after, out);
        }
        -2..=0 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + exponent.unsigned_abs() as usize, b'0');
            out.extend_from_slice(digits);
        }
        _ => {
            let (first, rest) = digits.split_at(1.min(digits.len()));
            out.extend_from_slice(first);
            out.push(b'.');
            at_least_a_zero(rest, out);
            out.extend_from_slice(format!("E{}", exponent - 1).as_bytes());
        }
    }
}

/// `fraction` has its hidden bit; the value is fraction * 2^(exponent - 52).
fn digits_of(fraction: u64, exponent: i32, significant_bits: i32) -> Digits {
    let tail_zeros = fraction.trailing_zeros() as i32;
    let fraction_bits = FRACTION_BITS + 1 - tail_zeros;
    let tiny_bits = (fraction_bits - exponent - 1).max(0);
    if tiny_bits == 0 && exponent <= 62 {
        return digits_of_integer(fraction, exponent, significant_bits);
    }

    // value = B / S * 10^decimal, M is half a unit in the last place on the scale of B; powers of 2 and 5 apart.
    let decimal = estimated_decimal_exponent(fraction, exponent);
    let b5 = (-decimal).max(0);
    let mut b2 = b5 + tiny_bits + exponent;
    let s5 = decimal.max(0);
    let mut s2 = s5 + tiny_bits;
    let m5 = b5;
    let mut m2 = b2 - significant_bits;
    b2 -= fraction_bits - 1;
    let common = b2.min(s2);
    b2 -= common;
    s2 -= common;
    m2 -= common;
    if fraction_bits == 1 {
        m2 -= 1;
    }
    if m2 < 0 {
        b2 -= m2;
        s2 -= m2;
        m2 = 0;
    }
    let scaled = Scaled {
        b: Big::new(fraction >> tail_zeros, b5, b2),
        s: Big::new(1, s5, s2),
        m: Big::new(1, m5, m2),
        in_words: fraction_bits + b2 + bits_of_power_of_5(b5) < 64 && s2 + 1 + bits_of_power_of_5(s5 + 1) < 64,
    };
    scaled.digits(decimal)
}

/// How many bits 5^power has, as the JDK estimates it.
fn bits_of_power_of_5(power: i32) -> i32 {
    match power {
        0 => 0,
        1..=26 => 64 - 5u64.pow(power as u32).leading_zeros() as i32,
        _ => power * 3,
    }
}

fn estimated_decimal_exponent(fraction: u64, exponent: i32) -> i32 {
    let mantissa = f64::from_bits(1023 << FRACTION_BITS | (fraction & (HIDDEN_BIT - 1)));
    // The constants are the JDK's, to the digit: a better logarithm would give other digits.
    #[allow(clippy::approx_constant)]
    let estimate = (mantissa - 1.5) * 0.289529654 + 0.176091259 + f64::from(exponent) * 0.301029995663981;
    estimate.floor() as i32
}

/// A whole number below 2^63: its digits, rounded where they are beyond the double's precision.
fn digits_of_integer(fraction: u64, exponent: i32, significant_bits: i32) -> Digits {
    let mut value = if exponent >= FRACTION_BITS {
        fraction << (exponent - FRACTION_BITS)
    } else {
        fraction >> (FRACTION_BITS - exponent)
    };
    let mut dropped = 0;
    let excess_bits = exponent - significant_bits - 1;
    if exponent > significant_bits && excess_bits > 1 {
        // The digits that 2^excess_bits has beyond its first.
        dropped = (1u64 << excess_bits).ilog10();
        let unit = 10u64.pow(dropped);
        let rest = value % unit;
        value /= unit;
        if dropped > 0 && rest >= unit / 2 {
            value += 1;
        }
    }
    let mut digits = value.to_string().into_bytes();
    let exponent = (digits.len() + dropped as usize) as i32;
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    Digits { digits, exponent }
}

/// The division under way.
struct Scaled {
    b: Big,
    s: Big,
    m: Big,
    /// The JDK computes it in 64-bit words, where a remainder exactly at the bound goes on.
    in_words: bool,
}

impl Scaled {
    fn digits(mut self, estimate: i32) -> Digits {
        let mut decimal = estimate;
        let mut digits = Vec::with_capacity(20);
        let ten_s = self.s.times_ten();
        let (quotient, mut low, mut high) = self.next_digit(&ten_s);
        if quotient == 0 && !high {
            decimal -= 1;
        } else {
            digits.push(b'0' + quotient);
        }
        // The exponent form has a digit after its point, so there it goes on to a second one.
        if !(-3..8).contains(&decimal) {
            low = false;
            high = false;
        }
        while !low && !high {
            let quotient;
            (quotient, low, high) = self.next_digit(&ten_s);
            digits.push(b'0' + quotient);
        }
        let round_up = high
            && (!low || {
                match self.b.doubled().cmp(&ten_s) {
                    std::cmp::Ordering::Less => false,
                    std::cmp::Ordering::Equal => digits.last().is_some_and(|digit| digit & 1 == 1),
                    std::cmp::Ordering::Greater => true,
                }
            });
        let mut exponent = decimal + 1;
        if round_up && !increment(&mut digits) {
            exponent += 1;
        }
        Digits { digits, exponent }
    }

    /// The next digit; whether what remains is low enough to stop there, and high enough to stop one above.
    fn next_digit(&mut self, ten_s: &Big) -> (u8, bool, bool) {
        let quotient = self.b.take_quotient(&self.s);
        self.b = self.b.times_ten();
        self.m = self.m.times_ten();
        let low = self.b < self.m;
        let sum = self.b.plus(&self.m);
        let high = if self.in_words { sum > *ten_s } else { sum >= *ten_s };
        (quotient, low, high)
    }
}

/// Adds one in the last place. False if all digits were nines: the digits are then 1000…, one place up.
fn increment(digits: &mut [u8]) -> bool {
    let nines = digits.iter().rev().take_while(|digit| **digit == b'9').count();
    let kept = digits.len() - nines;
    if let Some(zeroed) = digits.get_mut(kept.max(1)..) {
        zeroed.fill(b'0');
    }
    match kept.checked_sub(1).and_then(|last| digits.get_mut(last)) {
        Some(digit) => {
            *digit += 1;
            true
        }
        None => {
            if let Some(first) = digits.first_mut() {
                *first = b'1';
            }
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(double: f64) -> String {
        let mut out = Vec::new();
        write(double, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_are_printed_as_java_17_prints_them() {
        for (double, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1.1, "1.1"),
            (100.0, "100.0"),
            (1e7, "1.0E7"),
            (9999999.0, "9999999.0"),
            (12345678.9, "1.23456789E7"),
            (0.001, "0.001"),
            (0.0009, "9.0E-4"),
            (1e-7, "1.0E-7"),
            (2e23, "1.9999999999999998E23"),
            (2e-3, "0.002"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (0.12345678901234568, "0.12345678901234568"),
            (9007199254740992.0, "9.007199254740992E15"),
            (-1.5e300, "-1.5E300"),
        ] {
            assert_eq!(printed(double), text);
        }
    }

    #[test]
    fn floats_are_printed_as_java_17_prints_them() {
        for (float, text) in [
            (0.1_f32, "0.1"),
            (1.1, "1.1"),
            (3.4028235e38, "3.4028235E38"),
            (2147483648.0, "2.14748365E9"),
            (9.223372e18, "9.223372E18"),
            (16777216.0, "1.6777216E7"),
            (1e10, "1.0E10"),
            (1e20, "1.0E20"),
            (9.99e-4, "9.99E-4"),
            (0.001, "0.001"),
            (1.4e-45, "1.4E-45"),
            (-0.0, "-0.0"),
        ] {
            let mut out = Vec::new();
            write_float(float, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        proptest::proptest!(|(bits: u32)| {
            let float = f32::from_bits(bits);
            if float.is_finite() {
                let mut out = Vec::new();
                write_float(float, &mut out);
                proptest::prop_assert_eq!(String::from_utf8(out).unwrap().parse::<f32>().unwrap().to_bits(), bits);
            }
        });
    }

    #[test]
    fn what_is_printed_reads_back_to_the_same_double() {
        proptest::proptest!(|(bits: u64)| {
            let double = f64::from_bits(bits);
            if double.is_finite() {
                proptest::prop_assert_eq!(printed(double).parse::<f64>().unwrap().to_bits(), bits);
            }
        });
    }
}
