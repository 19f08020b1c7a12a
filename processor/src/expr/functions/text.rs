//! Functions that make a string of a string.

use std::borrow::Cow;

use super::{int, string, utf8};
use crate::types::Value;

/// No function makes a longer text or array; NULL instead.
pub(crate) const LENGTH_MAX: usize = 16 << 20;

fn mapped<'a>(value: Value<'a>, ascii: fn(&[u8]) -> Option<Vec<u8>>, unicode: fn(&str) -> String) -> Value<'a> {
    let Value::String(text) = value else { return Value::Null };
    if text.is_ascii() {
        return match ascii(&text) {
            Some(changed) => string(changed),
            None => Value::String(text),
        };
    }
    string(unicode(&String::from_utf8_lossy(&text)).into_bytes())
}

pub(crate) fn upper(value: Value<'_>) -> Value<'_> {
    mapped(value, |text| text.iter().any(u8::is_ascii_lowercase).then(|| text.to_ascii_uppercase()), str::to_uppercase)
}

pub(crate) fn lower(value: Value<'_>) -> Value<'_> {
    mapped(value, |text| text.iter().any(u8::is_ascii_uppercase).then(|| text.to_ascii_lowercase()), str::to_lowercase)
}

/// The first letter of each word, which only blanks part, in upper case, and all others in lower.
pub(crate) fn initcap(value: Value<'_>) -> Value<'_> {
    let Value::String(text) = lower(value) else { return Value::Null };
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for char in String::from_utf8_lossy(&text).chars() {
        if starts {
            out.push(title_case(char));
        } else {
            out.push(char);
        }
        starts = char == ' ';
    }
    string(out.into_bytes())
}

/// As `Character.toTitleCase`: one character for one, so that `ß` stays; the Croatian digraphs have a form of their own.
fn title_case(char: char) -> char {
    match char {
        'ǆ' => 'ǅ',
        'ǉ' => 'ǈ',
        'ǌ' => 'ǋ',
        'ǳ' => 'ǲ',
        other => {
            let mut upper = other.to_uppercase();
            upper.next().filter(|_| upper.next().is_none()).unwrap_or(other)
        }
    }
}

/// In characters, or the bytes of a BINARY.
pub(crate) fn length(value: Value<'_>) -> Value<'_> {
    match value {
        Value::String(text) => int(utf8::count(&text)),
        Value::Binary(bytes) => int(bytes.len()),
        _ => Value::Null,
    }
}

pub(crate) fn octet_length(value: Value<'_>) -> Value<'_> {
    match value {
        Value::String(bytes) | Value::Binary(bytes) => int(bytes.len()),
        _ => Value::Null,
    }
}

pub(crate) fn bit_length(value: Value<'_>) -> Value<'_> {
    match value {
        Value::String(bytes) | Value::Binary(bytes) => int(bytes.len().saturating_mul(8)),
        _ => Value::Null,
    }
}

/// A part of a text that is borrowed as long as the text was.
pub(super) fn part<'a>(text: Cow<'a, [u8]>, range: std::ops::Range<usize>) -> Cow<'a, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.truncate(range.end);
            text.drain(..range.start.min(text.len()));
            Cow::Owned(text)
        }
    }
}

/// From a number from 1 (0 is 1, too; from -1 backwards) on, so many characters; of a BINARY, bytes.
pub(crate) fn substring<'a>(value: Value<'a>, from: Value<'a>, length: Value<'a>) -> Value<'a> {
    let (Value::Int(from), Value::Int(length)) = (from, length) else { return Value::Null };
    let bounds = |count: usize| {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let start = match from {
            1.. => i64::from(from) - 1,
            0 => 0,
            _ => count + i64::from(from),
        };
        let end = start + i64::from(length);
        let cut = |at: i64| usize::try_from(at.clamp(0, count)).unwrap_or(0);
        (cut(start), cut(end).max(cut(start)))
    };
    match value {
        Value::String(text) => {
            // Only a start from the end needs the number of characters.
            let (start, end) = bounds(if from < 0 { utf8::count(&text) } else { text.len() });
            let range = utf8::range(&text, start, end);
            Value::String(part(text, range))
        }
        Value::Binary(bytes) => {
            let (start, end) = bounds(bytes.len());
            Value::Binary(part(bytes, start..end))
        }
        _ => Value::Null,
    }
}

pub(crate) fn left<'a>(value: Value<'a>, length: Value<'a>) -> Value<'a> {
    substring(value, Value::Int(1), length)
}

pub(crate) fn right<'a>(value: Value<'a>, length: Value<'a>) -> Value<'a> {
    match length {
        Value::Int(length) if length > 0 => substring(value, Value::Int(-length), Value::Int(i32::MAX)),
        _ => string(Vec::new()),
    }
}

pub(crate) fn concat(values: Vec<Value<'_>>) -> Value<'_> {
    let mut out = Vec::with_capacity(values.iter().map(|value| bytes(value).len()).sum());
    for value in &values {
        out.extend_from_slice(bytes(value));
    }
    match values.first() {
        Some(Value::Binary(_)) => Value::Binary(out.into()),
        _ => string(out),
    }
}

pub(super) fn bytes<'v>(value: &'v Value<'_>) -> &'v [u8] {
    match value {
        Value::String(bytes) | Value::Binary(bytes) => bytes,
        _ => &[],
    }
}

/// The first is the separator; the others are texts and arrays of them, whose NULLs do not count.
pub(crate) fn concat_with_separator(values: Vec<Value<'_>>) -> Value<'_> {
    let Some((Value::String(separator), rest)) = values.split_first() else { return Value::Null };
    let mut out = Vec::new();
    let mut is_first = true;
    let mut add = |text: &[u8]| {
        if !is_first {
            out.extend_from_slice(separator);
        }
        is_first = false;
        out.extend_from_slice(text);
    };
    for value in rest {
        match value {
            Value::String(text) => add(text),
            Value::Array(items) => items.iter().filter(|item| !item.is_null()).for_each(|item| add(bytes(item))),
            _ => {}
        }
    }
    string(out)
}

pub(crate) fn reverse(value: Value<'_>) -> Value<'_> {
    let Value::String(text) = value else { return Value::Null };
    let characters: Vec<&[u8]> = utf8::characters(&text).collect();
    string(characters.into_iter().rev().flatten().copied().collect())
}

pub(crate) fn repeat<'a>(value: Value<'a>, times: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::Int(times)) = (value, times) else { return Value::Null };
    let times = usize::try_from(times).unwrap_or(0);
    if text.len().saturating_mul(times) > LENGTH_MAX {
        return Value::Null;
    }
    string(text.repeat(times))
}

pub(crate) fn space(length: Value<'_>) -> Value<'_> {
    repeat(string(vec![b' ']), length)
}

/// Each character of the second becomes the one at the same place in the third, or goes if there is none.
pub(crate) fn translate<'a>(value: Value<'a>, from: Value<'a>, to: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::String(from), Value::String(to)) = (value, from, to) else { return Value::Null };
    let from: Vec<&[u8]> = utf8::characters(&from).collect();
    let to: Vec<&[u8]> = utf8::characters(&to).collect();
    let mut out = Vec::with_capacity(text.len());
    for char in utf8::characters(&text) {
        match from.iter().position(|other| *other == char) {
            None => out.extend_from_slice(char),
            Some(at) => out.extend_from_slice(to.get(at).copied().unwrap_or_default()),
        }
    }
    string(out)
}

/// From a place from 1 on, so many characters (as many as the replacement has, if below 0) replaced.
pub(crate) fn overlay(values: Vec<Value<'_>>) -> Value<'_> {
    let [value, replacement, Value::Int(at), Value::Int(length)] = values.as_slice() else { return Value::Null };
    let (text, replacement) = (bytes(value), bytes(replacement));
    let is_binary = matches!(value, Value::Binary(_));
    let count = |bytes: &[u8]| if is_binary { bytes.len() } else { utf8::count(bytes) };
    let length = usize::try_from(*length).unwrap_or_else(|_| count(replacement));
    let start = usize::try_from(i64::from(*at) - 1).unwrap_or(0);
    let offset = |character: usize| if is_binary { character.min(text.len()) } else { utf8::offset(text, character) };
    let mut out = text.get(..offset(start)).unwrap_or_default().to_vec();
    out.extend_from_slice(replacement);
    let end = i64::from(*at) - 1 + length as i64;
    out.extend_from_slice(text.get(offset(usize::try_from(end).unwrap_or(0))..).unwrap_or_default());
    if is_binary { Value::Binary(out.into()) } else { string(out) }
}
