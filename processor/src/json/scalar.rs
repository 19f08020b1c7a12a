//! What a token that opens nothing becomes in a column of each type (`JacksonParser.makeConverter`).

use std::borrow::Cow;

use super::legacy;
use super::number::{NonFinite, write_number};
use crate::types::datetime::{json_date, json_timestamp};
use crate::types::{DataType, Decimal, Value, parse_interval};

/// A token that is neither null nor an object or array.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    Boolean(bool),
    /// As `take_number` takes it; `float` if written with a fraction or an exponent.
    Number {
        text: &'a [u8],
        float: bool,
    },
    NonFinite(NonFinite),
    /// The characters of a string, in UTF-8.
    Text(&'a [u8]),
}

/// A value that the column's type does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unconverted {
    Mismatch,
    /// A time that only Spark 2 could read: Spark ends the query (`SparkUpgradeException`).
    Outdated,
}

use Unconverted::Mismatch;

/// The value for a column of this type. BINARY is not done here: it stops in the middle of a string.
pub(super) fn convert(data_type: &DataType, scalar: Scalar<'_>) -> Result<Value<'static>, Unconverted> {
    convert_inline(data_type, scalar)
}

/// The same where it is done for each record: the value then never is in memory as such.
#[inline(always)]
pub(super) fn convert_inline(data_type: &DataType, scalar: Scalar<'_>) -> Result<Value<'static>, Unconverted> {
    match (data_type, scalar) {
        (DataType::BigInt, Scalar::Number { text, float: false }) => integer(text).map(Value::BigInt).ok_or(Mismatch),
        (DataType::Int, Scalar::Number { text, float: false }) => {
            integer(text).and_then(|value| i32::try_from(value).ok()).map(Value::Int).ok_or(Mismatch)
        }
        // -128 to 255, of which the upper half wraps (Jackson's `getByteValue`).
        (DataType::TinyInt, Scalar::Number { text, float: false }) => integer(text)
            .filter(|value| (-128..=255).contains(value))
            .map(|value| Value::TinyInt(value as i8))
            .ok_or(Mismatch),
        (DataType::SmallInt, Scalar::Number { text, float: false }) => {
            integer(text).and_then(|value| i16::try_from(value).ok()).map(Value::SmallInt).ok_or(Mismatch)
        }
        (DataType::Float, Scalar::Number { text, float }) => Ok(Value::Float(self::float(text, float))),
        (DataType::Float, Scalar::NonFinite(value)) => Ok(Value::Float(value.value() as f32)),
        (DataType::Float, Scalar::Text(text)) => {
            NonFinite::named(text).map(|named| Value::Float(named.value() as f32)).ok_or(Mismatch)
        }
        (DataType::Double, Scalar::Number { text, float }) => Ok(Value::Double(double(text, float))),
        (DataType::Double, Scalar::NonFinite(value)) => Ok(Value::Double(value.value())),
        (DataType::Double, Scalar::Text(text)) => {
            NonFinite::named(text).map(|named| Value::Double(named.value())).ok_or(Mismatch)
        }
        (DataType::Timestamp, Scalar::Text(text)) => match json_timestamp(text) {
            Some(micros) => Ok(Value::Timestamp(micros)),
            None => Err(legacy::unconverted(text, &legacy::TIMESTAMP)),
        },
        // Seconds; more than fit wrap around.
        (DataType::Timestamp, Scalar::Number { text, float: false }) => {
            integer(text).map(|seconds| Value::Timestamp(seconds.wrapping_mul(1_000_000))).ok_or(Mismatch)
        }
        (DataType::Boolean, Scalar::Boolean(value)) => Ok(Value::Boolean(value)),
        (DataType::Date, Scalar::Text(text)) => match json_date(text) {
            Some(days) => Ok(Value::Date(days)),
            None => Err(legacy::unconverted(text, &legacy::DATE)),
        },
        (&DataType::Decimal { precision, scale }, Scalar::Number { text, .. }) => {
            Decimal::read(text, precision, scale).map(Value::Decimal).ok_or(Mismatch)
        }
        (&DataType::Decimal { precision, scale }, Scalar::Text(text)) => {
            Decimal::read(&without_commas(text), precision, scale).map(Value::Decimal).ok_or(Mismatch)
        }
        (DataType::Interval(range), Scalar::Text(text)) => parse_interval(text, *range).ok_or(Mismatch),
        (DataType::String, scalar) => Ok(Value::String(Cow::Owned(string(scalar)))),
        (DataType::Null, _) => Ok(Value::Null),
        _ => Err(Mismatch),
    }
}

/// An integer of 64 bits; `None` if it has more.
#[inline]
fn integer(text: &[u8]) -> Option<i64> {
    const DIGITS_THAT_FIT: usize = 18;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > DIGITS_THAT_FIT {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let magnitude = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit & 0xf));
    Some(if negative { -magnitude } else { magnitude })
}

/// The nearest double. An integer has no negative zero.
#[inline]
fn double(text: &[u8], float: bool) -> f64 {
    let double = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
    if float { double } else { double + 0.0 }
}

/// The nearest float: of an integer of 64 bits that is it, of a longer one its double's.
fn float(text: &[u8], float: bool) -> f32 {
    if !float {
        return integer(text).map_or_else(|| double(text, false) as f32, |value| value as f32);
    }
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f32::NAN)
}

/// `ExprUtils.getDecimalParser` of the locale en-US.
fn without_commas(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b',') {
        Cow::Owned(text.iter().copied().filter(|&byte| byte != b',').collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// As Jackson's generator writes it, where it is no string.
fn string(scalar: Scalar<'_>) -> Vec<u8> {
    match scalar {
        Scalar::Text(text) => text.to_vec(),
        Scalar::Boolean(true) => b"true".to_vec(),
        Scalar::Boolean(false) => b"false".to_vec(),
        Scalar::NonFinite(value) => value.written().as_bytes().to_vec(),
        Scalar::Number { text, float } => {
            let mut out = Vec::with_capacity(text.len());
            write_number(text, float, &mut out);
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_64_bits() {
        for (text, value) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("123456789012345678", Some(123_456_789_012_345_678)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
        ] {
            assert_eq!(integer(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn a_whole_zero_has_no_sign() {
        assert!(double(b"-0", false).is_sign_positive());
        assert!(double(b"-0.0", true).is_sign_negative());
    }
}
