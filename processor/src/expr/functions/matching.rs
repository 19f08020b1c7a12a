//! Functions of regular expressions.

use std::borrow::Cow;

use super::regex::{Pattern, Replacement, of_row};
use super::{int, string};
use crate::types::Value;

fn text_of<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::String(text) => Some(String::from_utf8_lossy(text)),
        _ => None,
    }
}

/// The group's text in the first match; empty if there is none.
pub(crate) fn extract<'a>(pattern: &Pattern, group: usize, value: Value<'a>) -> Value<'a> {
    let Some(text) = text_of(&value) else { return Value::Null };
    let mut out = Vec::new();
    pattern.for_each(&text, 0, |found, _| {
        out.extend_from_slice(found.get(group).map_or("", |group| group.as_str()).as_bytes());
        false
    });
    string(out)
}

pub(crate) fn extract_all<'a>(pattern: &Pattern, group: usize, value: Value<'a>) -> Value<'a> {
    let Some(text) = text_of(&value) else { return Value::Null };
    let mut all = Vec::new();
    pattern.for_each(&text, 0, |found, _| {
        all.push(string(found.get(group).map_or("", |group| group.as_str()).as_bytes().to_vec()));
        true
    });
    Value::Array(all.into())
}

/// The first match, or NULL.
pub(crate) fn first<'a>(pattern: &Pattern, value: Value<'a>) -> Value<'a> {
    let Some(text) = text_of(&value) else { return Value::Null };
    let mut out = Value::Null;
    pattern.for_each(&text, 0, |found, _| {
        out = string(found.get(0).map_or("", |whole| whole.as_str()).as_bytes().to_vec());
        false
    });
    out
}

/// The character, from 1, at which the first match begins; 0 if there is none.
pub(crate) fn position<'a>(pattern: &Pattern, value: Value<'a>) -> Value<'a> {
    let Some(text) = text_of(&value) else { return Value::Null };
    let mut at = 0;
    pattern.for_each(&text, 0, |_, (start, _)| {
        // Java counts UTF-16 units.
        at = text.get(..start).unwrap_or_default().encode_utf16().count() + 1;
        false
    });
    int(at)
}

pub(crate) fn count<'a>(pattern: &Pattern, value: Value<'a>) -> Value<'a> {
    let Some(text) = text_of(&value) else { return Value::Null };
    let mut matches = 0;
    pattern.for_each(&text, 0, |_, _| {
        matches += 1;
        true
    });
    int(matches)
}

/// All matches from the character `position` (from 1) on replaced.
pub(crate) fn replace<'a>(pattern: &Pattern, replacement: &Replacement, value: Value<'a>, position: i32) -> Value<'a> {
    let Some(text) = text_of(&value) else { return Value::Null };
    let skipped = usize::try_from(position).unwrap_or(1).saturating_sub(1);
    let Some(from) = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(skipped) else { return value };
    let mut out = String::new();
    let mut done = 0;
    pattern.for_each(&text, from, |found, (start, end)| {
        out.push_str(text.get(done..start).unwrap_or_default());
        replacement.write(found, &mut out);
        done = end;
        true
    });
    if done == 0 && out.is_empty() {
        return value;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    string(out.into_bytes())
}

/// As Java's `String.split`, which keeps empty texts at the end but none that an empty match leaves at the start;
/// `limit` parts at most if it is above 0.
pub(crate) fn split<'a>(pattern: &Pattern, value: Value<'a>, limit: i32) -> Value<'a> {
    let Some(text) = text_of(&value) else { return Value::Null };
    let limit = usize::try_from(limit).unwrap_or(0);
    let mut parts: Vec<Value<'static>> = Vec::new();
    let mut done = 0;
    pattern.for_each(&text, 0, |_, (start, end)| {
        if limit > 0 && parts.len() + 1 >= limit {
            return false;
        }
        if end > 0 {
            parts.push(string(text.get(done..start).unwrap_or_default().as_bytes().to_vec()));
            done = end;
        }
        true
    });
    parts.push(string(text.get(done..).unwrap_or_default().as_bytes().to_vec()));
    Value::Array(parts.into())
}

/// The characters one by one, for the empty pattern, and at most `limit` of them if it is above 0.
pub(crate) fn characters<'a>(value: Value<'a>, limit: i32) -> Value<'a> {
    let Some(text) = text_of(&value) else { return Value::Null };
    if text.is_empty() {
        return Value::Array([string(Vec::new())].into());
    }
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    Value::Array(text.chars().take(limit).map(|char| string(char.to_string().into_bytes())).collect())
}

pub(crate) fn rlike_any<'a>(value: Value<'a>, regex: Value<'a>) -> Value<'a> {
    match (&value, of_row(&regex)) {
        (Value::String(text), Some(pattern)) => Value::Boolean(pattern.is_match(text)),
        _ => Value::Null,
    }
}

/// NULL where the expression is none, or has no such group though it matches: Spark fails then.
pub(crate) fn extract_any<'a>(value: Value<'a>, regex: Value<'a>, group: Value<'a>) -> Value<'a> {
    match (of_row(&regex), group_of(&group), &value) {
        (Some(pattern), Some(group), _) if group <= pattern.groups() => extract(&pattern, group, value),
        (Some(pattern), _, Value::String(text)) if !pattern.is_match(text) => string(Vec::new()),
        _ => Value::Null,
    }
}

pub(crate) fn extract_all_any<'a>(value: Value<'a>, regex: Value<'a>, group: Value<'a>) -> Value<'a> {
    match (of_row(&regex), group_of(&group)) {
        (Some(pattern), Some(group)) if group <= pattern.groups() => extract_all(&pattern, group, value),
        _ => Value::Null,
    }
}

fn group_of(group: &Value<'_>) -> Option<usize> {
    match group {
        Value::Int(group) => usize::try_from(*group).ok(),
        _ => None,
    }
}

/// Of value, expression, replacement and position.
pub(crate) fn replace_any(values: Vec<Value<'_>>) -> Value<'_> {
    let Ok([value, regex, Value::String(replacement), Value::Int(from)]) = <[Value<'_>; 4]>::try_from(values) else {
        return Value::Null;
    };
    let Some(pattern) = of_row(&regex) else { return Value::Null };
    match Replacement::parse(&String::from_utf8_lossy(&replacement), pattern.groups()) {
        Ok(replacement) if from > 0 => replace(&pattern, &replacement, value, from),
        _ => Value::Null,
    }
}

pub(crate) fn count_any<'a>(value: Value<'a>, regex: Value<'a>) -> Value<'a> {
    of_row(&regex).map_or(Value::Null, |pattern| count(&pattern, value))
}

pub(crate) fn first_any<'a>(value: Value<'a>, regex: Value<'a>) -> Value<'a> {
    of_row(&regex).map_or(Value::Null, |pattern| first(&pattern, value))
}

pub(crate) fn position_any<'a>(value: Value<'a>, regex: Value<'a>) -> Value<'a> {
    of_row(&regex).map_or(Value::Null, |pattern| position(&pattern, value))
}

pub(crate) fn split_any<'a>(value: Value<'a>, regex: Value<'a>, limit: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::Int(limit)) = (&regex, limit) else { return Value::Null };
    if text.is_empty() {
        return characters(value, limit);
    }
    of_row(&regex).map_or(Value::Null, |pattern| split(&pattern, value, limit))
}
