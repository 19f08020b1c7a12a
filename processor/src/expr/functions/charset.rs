//! `encode` and `decode`: text in the bytes of a charset, by the names that every Java has.

use super::string;
use crate::types::Value;

#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    Utf16 { big_endian: bool, marked: bool },
}

impl Charset {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_slice() {
            b"US-ASCII" => Self::Ascii,
            b"ISO-8859-1" => Self::Latin1,
            b"UTF-8" => Self::Utf8,
            b"UTF-16" => Self::Utf16 { big_endian: true, marked: true },
            b"UTF-16BE" => Self::Utf16 { big_endian: true, marked: false },
            b"UTF-16LE" => Self::Utf16 { big_endian: false, marked: false },
            _ => return None,
        })
    }
}

/// NULL for a charset that is not known, where Spark fails; `?` for what the charset does not have.
pub(crate) fn encode<'a>(text: Value<'a>, charset: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::String(charset)) = (text, charset) else { return Value::Null };
    let Some(charset) = Charset::named(&charset) else { return Value::Null };
    let text = String::from_utf8_lossy(&text);
    let narrow =
        |limit: u32| text.chars().map(|char| if u32::from(char) < limit { char as u8 } else { b'?' }).collect();
    let bytes: Vec<u8> = match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Ascii => narrow(0x80),
        Charset::Latin1 => narrow(0x100),
        Charset::Utf16 { big_endian, marked } => {
            let mark = marked.then_some(0xFEFF);
            let units = mark.into_iter().chain(text.encode_utf16());
            units.flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        }
    };
    Value::Binary(bytes.into())
}

pub(crate) fn decode<'a>(bytes: Value<'a>, charset: Value<'a>) -> Value<'a> {
    let (Value::Binary(bytes), Value::String(charset)) = (bytes, charset) else { return Value::Null };
    let Some(charset) = Charset::named(&charset) else { return Value::Null };
    let text = match charset {
        Charset::Utf8 => String::from_utf8_lossy(&bytes).into_owned(),
        Charset::Ascii => {
            bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{FFFD}' }).collect()
        }
        Charset::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Charset::Utf16 { big_endian, marked } => {
            let (pairs, odd) = bytes.as_chunks::<2>();
            let big = |pair: &[u8; 2]| u16::from_be_bytes(*pair);
            let (big_endian, pairs) = match (marked, pairs.split_first()) {
                (true, Some((mark, rest))) if big(mark) == 0xFEFF => (true, rest),
                (true, Some((mark, rest))) if big(mark) == 0xFFFE => (false, rest),
                _ => (big_endian, pairs),
            };
            let units = pairs.iter().map(|pair| if big_endian { big(pair) } else { u16::from_le_bytes(*pair) });
            let lost = if odd.is_empty() { "" } else { "\u{FFFD}" };
            char::decode_utf16(units).map(|char| char.unwrap_or('\u{FFFD}')).chain(lost.chars()).collect()
        }
    };
    string(text.into_bytes())
}

/// A text's bytes.
pub(crate) fn utf8(text: Value<'_>) -> Value<'_> {
    match text {
        Value::String(text) => Value::Binary(text),
        _ => Value::Null,
    }
}
