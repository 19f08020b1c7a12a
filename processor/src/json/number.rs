//! Numbers as Jackson reads and writes them.

use crate::java_double;

/// What a number is, and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// Index after its last character.
    pub(super) end: usize,
    /// Written with a fraction or an exponent.
    pub(super) float: bool,
}

/// Takes the number that begins at `from` with a digit or a minus. Which character follows is not looked at.
///
/// No leading zero, plus, or bare point; digits on both sides of the point.
#[inline]
pub(super) fn take_number(bytes: &[u8], from: usize) -> Option<Number> {
    let mut at = from + usize::from(bytes.get(from) == Some(&b'-'));
    at = match bytes.get(at)? {
        b'0' => at + 1,
        b'1'..=b'9' => digits_end(bytes, at),
        _ => return None,
    };
    let mut float = false;
    if bytes.get(at) == Some(&b'.') {
        float = true;
        at = some_digits_end(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        float = true;
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = some_digits_end(bytes, at + 1 + usize::from(signed))?;
    }
    // "07": the zero is a number, and then comes what cannot follow it.
    Some(Number { end: at, float })
}

#[inline]
fn digits_end(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    let mut at = from;
    // Eight at a time: a digit less '0' is at most 9, and adding 0x76 to more sets its high bit. A carry goes to the
    // bytes after the first that is no digit, which no longer matter.
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let block = u64::from_le_bytes(*block) ^ (ONES * u64::from(b'0'));
        let others = (block.wrapping_add(ONES * 0x76) | block) & (ONES << 7);
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn some_digits_end(bytes: &[u8], from: usize) -> Option<usize> {
    Some(digits_end(bytes, from)).filter(|&end| end > from)
}

/// What is no number and yet may stand for one (`allowNonNumericNumbers`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonFinite {
    NaN,
    Infinity,
    NegativeInfinity,
}

impl NonFinite {
    const NAMES: [(&[u8], Self); 6] = [
        (b"NaN", Self::NaN),
        (b"Infinity", Self::Infinity),
        (b"+Infinity", Self::Infinity),
        (b"+INF", Self::Infinity),
        (b"-Infinity", Self::NegativeInfinity),
        (b"-INF", Self::NegativeInfinity),
    ];

    /// By its name.
    pub(super) fn named(text: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
    }

    /// As Jackson's generator writes it.
    pub(super) fn written(self) -> &'static str {
        match self {
            Self::NaN => "\"NaN\"",
            Self::Infinity => "\"Infinity\"",
            Self::NegativeInfinity => "\"-Infinity\"",
        }
    }

    pub(super) fn value(self) -> f64 {
        match self {
            Self::NaN => f64::NAN,
            Self::Infinity => f64::INFINITY,
            Self::NegativeInfinity => f64::NEG_INFINITY,
        }
    }
}

/// Takes a non-finite number, and where it ends.
pub(super) fn take_non_finite(bytes: &[u8], from: usize) -> Option<(usize, NonFinite)> {
    let rest = bytes.get(from..)?;
    let (name, value) = NonFinite::NAMES.iter().find(|(name, _)| rest.starts_with(name))?;
    Some((from + name.len(), *value))
}

/// Appends a number as Jackson's generator writes it: an integer of any size digit by digit, anything else as the
/// nearest double. `text` is what `take_number` took.
pub(super) fn write_number(text: &[u8], float: bool, out: &mut Vec<u8>) {
    if !float {
        out.extend_from_slice(if text == b"-0" { b"0" } else { text });
        return;
    }
    let double = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
    if double.is_infinite() {
        out.extend_from_slice(if double > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    } else {
        java_double::write(double, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_their_grammar_ends() {
        for (text, end, float) in [
            ("0", 1, false),
            ("-0", 2, false),
            ("12,", 2, false),
            ("1.5e+3]", 6, true),
            ("07", 1, false),
            ("1E5x", 3, true),
        ] {
            assert_eq!(take_number(text.as_bytes(), 0), Some(Number { end, float }), "{text}");
        }
        proptest::proptest!(|(digits in "[0-9]{0,30}", after in "[^0-9]{0,9}")| {
            let text = digits.clone() + &after;
            proptest::prop_assert_eq!(digits_end(text.as_bytes(), 0), digits.len());
        });
        for text in ["", "-", "-a", ".5", "5.", "5.e1", "1e", "1e+", "+1"] {
            assert_eq!(take_number(text.as_bytes(), 0), None, "{text}");
        }
    }
}
