//! Functions that look for a text in a text.

use super::{int, string, utf8};
use crate::types::Value;

fn pair<'v>(left: &'v Value<'_>, right: &'v Value<'_>) -> Option<(&'v [u8], &'v [u8])> {
    match (left, right) {
        (Value::String(left), Value::String(right)) | (Value::Binary(left), Value::Binary(right)) => {
            Some((left, right))
        }
        _ => None,
    }
}

pub(crate) fn starts_with<'a>(value: Value<'a>, start: Value<'a>) -> Value<'a> {
    pair(&value, &start).map_or(Value::Null, |(text, start)| Value::Boolean(text.starts_with(start)))
}

pub(crate) fn ends_with<'a>(value: Value<'a>, end: Value<'a>) -> Value<'a> {
    pair(&value, &end).map_or(Value::Null, |(text, end)| Value::Boolean(text.ends_with(end)))
}

pub(crate) fn contains<'a>(value: Value<'a>, wanted: Value<'a>) -> Value<'a> {
    pair(&value, &wanted).map_or(Value::Null, |(text, wanted)| Value::Boolean(utf8::find(text, wanted, 0).is_some()))
}

/// The character, from 1, at which the second begins in the first; 0 if it does not.
pub(crate) fn instr<'a>(value: Value<'a>, wanted: Value<'a>) -> Value<'a> {
    pair(&value, &wanted).map_or(Value::Null, |(text, wanted)| int(character_of(text, wanted, 0)))
}

fn character_of(text: &[u8], wanted: &[u8], from: usize) -> usize {
    let found = utf8::find(text, wanted, from);
    found.map_or(0, |at| utf8::count(text.get(..at).unwrap_or_default()) + 1)
}

/// As `instr`, the other way round and from a character on. 0 if that is NULL or below 1; an empty text is always at 1.
pub(crate) fn locate(values: Vec<Value<'_>>) -> Value<'_> {
    let [wanted, text, from] = values.as_slice() else { return Value::Null };
    let from = match from {
        Value::Int(from) => *from,
        _ => return Value::Int(0),
    };
    let Some((wanted, text)) = pair(wanted, text) else { return Value::Null };
    if from == 0 {
        return Value::Int(0);
    }
    if wanted.is_empty() {
        return Value::Int(1);
    }
    if from < 0 {
        return Value::Int(0);
    }
    let skipped = usize::try_from(from - 1).unwrap_or(0);
    int(character_of(text, wanted, utf8::offset(text, skipped)))
}

pub(crate) fn replace<'a>(value: Value<'a>, wanted: Value<'a>, replacement: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::String(wanted), Value::String(replacement)) = (&value, &wanted, &replacement)
    else {
        return Value::Null;
    };
    if wanted.is_empty() || utf8::find(text, wanted, 0).is_none() {
        return value;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut done = 0;
    while let Some(at) = utf8::find(text, wanted, done) {
        out.extend_from_slice(text.get(done..at).unwrap_or_default());
        out.extend_from_slice(replacement);
        done = at + wanted.len();
    }
    out.extend_from_slice(text.get(done..).unwrap_or_default());
    string(out)
}

/// What stands before the so-many-th delimiter, or, counted from the end, after it.
pub(crate) fn substring_index<'a>(value: Value<'a>, delimiter: Value<'a>, count: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::String(delimiter), Value::Int(count)) = (&value, &delimiter, count) else {
        return Value::Null;
    };
    if count == 0 || delimiter.is_empty() {
        return string(Vec::new());
    }
    let wanted = count.unsigned_abs() as usize - 1;
    let part = if count > 0 {
        // Spark goes on one byte after a find, so delimiters may overlap.
        let mut at = 0;
        let found = std::iter::from_fn(|| {
            let found = utf8::find(text, delimiter, at)?;
            at = found + 1;
            Some(found)
        })
        .nth(wanted);
        found.map(|end| text.get(..end))
    } else {
        let mut end = text.len();
        let found = std::iter::from_fn(|| {
            let found = memchr::memmem::rfind(text.get(..end)?, delimiter)?;
            end = (found + delimiter.len()).saturating_sub(1);
            Some(found)
        })
        .nth(wanted);
        found.map(|start| text.get(start + delimiter.len()..))
    };
    match part {
        Some(part) => string(part.unwrap_or_default().to_vec()),
        None => value,
    }
}

/// The part of this number, from 1 or from -1 backwards, between delimiters; empty if there is none. NULL for 0, where
/// Spark fails.
pub(crate) fn split_part<'a>(value: Value<'a>, delimiter: Value<'a>, number: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::String(delimiter), Value::Int(number)) = (&value, &delimiter, number) else {
        return Value::Null;
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut done = 0;
    while !delimiter.is_empty()
        && let Some(at) = utf8::find(text, delimiter, done)
    {
        parts.push(text.get(done..at).unwrap_or_default());
        done = at + delimiter.len();
    }
    parts.push(text.get(done..).unwrap_or_default());
    let index = match number {
        0 => return Value::Null,
        1.. => usize::try_from(number - 1).ok(),
        _ => parts.len().checked_sub(number.unsigned_abs() as usize),
    };
    string(index.and_then(|index| parts.get(index)).copied().unwrap_or_default().to_vec())
}

/// The number of a text in a list that commas part, from 1; 0 if it is not there, or holds a comma itself.
pub(crate) fn find_in_set<'a>(wanted: Value<'a>, list: Value<'a>) -> Value<'a> {
    let (Value::String(wanted), Value::String(list)) = (wanted, list) else { return Value::Null };
    if wanted.contains(&b',') {
        return Value::Int(0);
    }
    let found = list.split(|byte| *byte == b',').position(|part| part == wanted.as_ref());
    found.map_or(Value::Int(0), |index| super::int(index + 1))
}

/// The argument of a number, from 1; NULL where there is none.
pub(crate) fn elt(values: Vec<Value<'_>>) -> Value<'_> {
    let number = match values.first() {
        Some(Value::Int(number)) => usize::try_from(*number).ok().filter(|number| *number > 0),
        _ => None,
    };
    number.and_then(|number| values.into_iter().nth(number)).unwrap_or(Value::Null)
}

/// The words of each sentence: one ends at `.`, `!` or `?` before a blank and what is no small letter.
pub(crate) fn sentences(values: Vec<Value<'_>>) -> Value<'_> {
    let Some(Value::String(text)) = values.first() else { return Value::Null };
    let text = String::from_utf8_lossy(text).into_owned();
    let mut all = Vec::new();
    let mut words = Vec::new();
    let mut word = String::new();
    let signs: Vec<char> = text.chars().collect();
    for (index, sign) in signs.iter().enumerate() {
        let next = signs.get(index + 1);
        // A sign between two letters or digits is part of the word: don't, 1.5.
        let joins = matches!(sign, '\'' | '.' | '_' | ',' | ':')
            && !word.is_empty()
            && next.is_some_and(|next| next.is_alphanumeric());
        if sign.is_alphanumeric() || joins {
            word.push(*sign);
            continue;
        }
        if !word.is_empty() {
            words.push(super::string(std::mem::take(&mut word).into_bytes()));
        }
        let ends = matches!(sign, '.' | '!' | '?') && next.is_none_or(|next| next.is_whitespace());
        let after = signs.iter().skip(index + 1).find(|sign| !sign.is_whitespace());
        if ends && !(*sign == '.' && after.is_some_and(|after| after.is_lowercase())) && !words.is_empty() {
            all.push(Value::Array(std::mem::take(&mut words).into()));
        }
    }
    if !word.is_empty() {
        words.push(super::string(word.into_bytes()));
    }
    if !words.is_empty() {
        all.push(Value::Array(words.into()));
    }
    Value::Array(all.into())
}
