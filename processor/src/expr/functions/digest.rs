//! Digests and codes of bytes, and the texts of numbers in other bases.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::string;
use crate::types::{Value, hash_value, xxhash_value};

/// What the first value's hash begins with.
const SEED: u32 = 42;
/// `java.util.Base64.getMimeEncoder`.
const MIME_LINE: usize = 76;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn bytes<'v>(value: &'v Value<'_>) -> &'v [u8] {
    match value {
        Value::String(bytes) | Value::Binary(bytes) => bytes,
        _ => &[],
    }
}

fn lower_hex(bytes: &[u8]) -> Value<'static> {
    let digits = b"0123456789abcdef";
    let digit = |nibble: u8| digits.get(usize::from(nibble)).copied().unwrap_or_default();
    string(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect())
}

pub(crate) fn md5(value: Value<'_>) -> Value<'_> {
    lower_hex(&Md5::digest(bytes(&value)))
}

pub(crate) fn sha1(value: Value<'_>) -> Value<'_> {
    lower_hex(&Sha1::digest(bytes(&value)))
}

/// Of so many bits, 0 for 256; NULL for other numbers.
pub(crate) fn sha2<'a>(value: Value<'a>, bits: Value<'a>) -> Value<'a> {
    match bits {
        Value::Int(224) => lower_hex(&Sha224::digest(bytes(&value))),
        Value::Int(0 | 256) => lower_hex(&Sha256::digest(bytes(&value))),
        Value::Int(384) => lower_hex(&Sha384::digest(bytes(&value))),
        Value::Int(512) => lower_hex(&Sha512::digest(bytes(&value))),
        _ => Value::Null,
    }
}

pub(crate) fn crc32(value: Value<'_>) -> Value<'_> {
    Value::BigInt(i64::from(crc32fast::hash(bytes(&value))))
}

pub(crate) fn hash(values: Vec<Value<'_>>) -> Value<'_> {
    Value::Int(values.iter().fold(SEED, |seed, value| hash_value(value, seed)) as i32)
}

pub(crate) fn xxhash64(values: Vec<Value<'_>>) -> Value<'_> {
    Value::BigInt(values.iter().fold(u64::from(SEED), |seed, value| xxhash_value(value, seed)) as i64)
}

/// In lines of 76 characters.
pub(crate) fn base64(value: Value<'_>) -> Value<'_> {
    let encoded = BASE64.encode(bytes(&value));
    let lines: Vec<&[u8]> = encoded.as_bytes().chunks(MIME_LINE).collect();
    string(lines.join(b"\r\n".as_slice()))
}

/// What is no sign of the alphabet does not count. NULL if one sign is left over, where Spark fails.
pub(crate) fn unbase64(value: Value<'_>) -> Value<'_> {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let signs: Vec<u8> =
        bytes(&value).iter().take_while(|byte| **byte != b'=').filter(|byte| is_sign(byte)).copied().collect();
    BASE64.decode(signs).map_or(Value::Null, |decoded| Value::Binary(decoded.into()))
}

/// Of signs of the alphabet with blanks between them, in fours, of which the last may be filled up or cut; NULL of other
/// texts.
pub(crate) fn strict_unbase64(value: Value<'_>) -> Value<'_> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0x0b | 0x1c..=0x1f);
    let bytes = bytes(&value);
    let (text, fill) = bytes.split_at(bytes.iter().position(|byte| *byte == b'=').unwrap_or(bytes.len()));
    let signs: Vec<u8> = text.iter().filter(|byte| !is_blank(byte)).copied().collect();
    let is_filled = !fill.is_empty();
    if is_filled
        && (fill.len() > 2 || !(signs.len() + fill.len()).is_multiple_of(4) || fill.iter().any(|byte| *byte != b'='))
    {
        return Value::Null;
    }
    BASE64.decode(signs).map_or(Value::Null, |decoded| Value::Binary(decoded.into()))
}

/// Of a number's 64 bits without zeros at the start, or of all bytes.
pub(crate) fn hex(value: Value<'_>) -> Value<'_> {
    match value {
        Value::BigInt(value) => string(format!("{value:X}").into_bytes()),
        other => match lower_hex(bytes(&other)) {
            Value::String(text) => string(text.to_ascii_uppercase()),
            other => other,
        },
    }
}

/// An odd first digit stands alone; NULL if there is another sign.
pub(crate) fn unhex(value: Value<'_>) -> Value<'_> {
    let digit = |sign: &u8| char::from(*sign).to_digit(16).map(|digit| digit as u8);
    let digits: Option<Vec<u8>> = bytes(&value).iter().map(digit).collect();
    let Some(digits) = digits else { return Value::Null };
    let (first, rest) = digits.split_at(digits.len() % 2);
    let pairs = rest.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
    Value::Binary(first.iter().copied().chain(pairs).collect())
}

pub(crate) fn bin(value: Value<'_>) -> Value<'_> {
    match value {
        Value::BigInt(value) => string(format!("{value:b}").into_bytes()),
        _ => Value::Null,
    }
}

/// The code of the first character.
pub(crate) fn ascii(value: Value<'_>) -> Value<'_> {
    let text = String::from_utf8_lossy(bytes(&value));
    Value::Int(text.chars().next().map_or(0, |char| u32::from(char) as i32))
}

/// The character of a code below 256, of which larger ones lose their higher bits; empty below 0.
pub(crate) fn chr(value: Value<'_>) -> Value<'_> {
    match value {
        Value::BigInt(..0) => string(Vec::new()),
        Value::BigInt(code) => string(char::from(code as u8).to_string().into_bytes()),
        _ => Value::Null,
    }
}

/// A number's text in one base as text in another, unsigned unless that is below 0. As Spark's `NumberConverter`: it
/// ends at the first sign that is no digit.
pub(crate) fn conv<'a>(value: Value<'a>, from: Value<'a>, to: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::Int(from), Value::Int(to)) = (value, from, to) else { return Value::Null };
    let bases = 2..=36;
    if text.is_empty() || !bases.contains(&from) || !bases.contains(&to.saturating_abs()) {
        return Value::Null;
    }
    let from = from.unsigned_abs();
    let (is_negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text.as_ref()),
    };
    let digits = digits.iter().map_while(|digit| char::from(*digit).to_digit(from));
    let magnitude = digits
        .map(u64::from)
        .try_fold(0_u64, |value, digit| value.checked_mul(u64::from(from))?.checked_add(digit))
        .unwrap_or(u64::MAX);
    let mut value = magnitude as i64;
    let mut is_negative = is_negative;
    if is_negative && to > 0 {
        value = if value < 0 { -1 } else { -value };
    }
    if to < 0 && value < 0 {
        value = value.wrapping_neg();
        is_negative = true;
    }
    let mut rest = value as u64;
    let base = u64::from(to.unsigned_abs());
    let mut out = Vec::new();
    while rest > 0 || out.is_empty() {
        let digit = (rest % base) as u32;
        out.push(char::from_digit(digit, 36).map_or(b'0', |digit| digit.to_ascii_uppercase() as u8));
        rest /= base;
    }
    if is_negative && to < 0 {
        out.push(b'-');
    }
    out.reverse();
    string(out)
}
