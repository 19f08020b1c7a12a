//! Characters cut from the ends of texts, and added to them.

use super::text::{LENGTH_MAX, bytes, part};
use super::{string, utf8};
use crate::types::Value;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
    Both,
}

fn trimmed<'a>(value: Value<'a>, unwanted: &[u8], side: Side) -> Value<'a> {
    let Value::String(text) = value else { return Value::Null };
    let unwanted: Vec<&[u8]> = utf8::characters(unwanted).collect();
    let mut kept = 0..text.len();
    if side != Side::End {
        let cut = utf8::characters(&text).take_while(|char| unwanted.contains(char)).map(<[u8]>::len);
        kept.start = cut.sum();
    }
    if side != Side::Start {
        let rest = text.get(kept.clone()).unwrap_or_default();
        let mut end = kept.start;
        let mut at = kept.start;
        for char in utf8::characters(rest) {
            at += char.len();
            if !unwanted.contains(&char) {
                end = at;
            }
        }
        kept.end = end;
    }
    Value::String(part(text, kept))
}

/// Only blanks go, no other white space.
pub(crate) fn trim(value: Value<'_>) -> Value<'_> {
    trimmed(value, b" ", Side::Both)
}

pub(crate) fn trim_start(value: Value<'_>) -> Value<'_> {
    trimmed(value, b" ", Side::Start)
}

pub(crate) fn trim_end(value: Value<'_>) -> Value<'_> {
    trimmed(value, b" ", Side::End)
}

/// The characters of the second at both ends of the first.
pub(crate) fn trim_set<'a>(value: Value<'a>, unwanted: Value<'a>) -> Value<'a> {
    with_set(value, &unwanted, Side::Both)
}

pub(crate) fn trim_start_set<'a>(value: Value<'a>, unwanted: Value<'a>) -> Value<'a> {
    with_set(value, &unwanted, Side::Start)
}

pub(crate) fn trim_end_set<'a>(value: Value<'a>, unwanted: Value<'a>) -> Value<'a> {
    with_set(value, &unwanted, Side::End)
}

fn with_set<'a>(value: Value<'a>, unwanted: &Value<'_>, side: Side) -> Value<'a> {
    match unwanted {
        Value::String(unwanted) => trimmed(value, unwanted, side),
        _ => Value::Null,
    }
}

pub(crate) fn pad_start<'a>(value: Value<'a>, length: Value<'a>, padding: Value<'a>) -> Value<'a> {
    padded(&value, &length, &padding, true)
}

pub(crate) fn pad_end<'a>(value: Value<'a>, length: Value<'a>, padding: Value<'a>) -> Value<'a> {
    padded(&value, &length, &padding, false)
}

/// To exactly so many characters, or bytes of a BINARY; a longer text is cut.
fn padded(value: &Value<'_>, length: &Value<'_>, padding: &Value<'_>, at_start: bool) -> Value<'static> {
    let Value::Int(length) = length else { return Value::Null };
    let length = usize::try_from(*length).unwrap_or(0);
    let is_binary = matches!(value, Value::Binary(_));
    let split = |bytes| if is_binary { singly(bytes) } else { utf8::characters(bytes).collect() };
    let (text, padding) = (split(bytes(value)), split(bytes(padding)));
    if length > LENGTH_MAX {
        return Value::Null;
    }
    let missing = if padding.is_empty() { 0 } else { length.saturating_sub(text.len()) };
    let fill = padding.into_iter().cycle().take(missing);
    let text = text.into_iter().take(length);
    let out: Vec<u8> = if at_start {
        fill.chain(text).flatten().copied().collect()
    } else {
        text.chain(fill).flatten().copied().collect()
    };
    if is_binary { Value::Binary(out.into()) } else { string(out) }
}

fn singly(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunks(1).collect()
}
