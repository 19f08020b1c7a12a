//! How alike two texts are, and how they sound.

use super::{int, string, utf8};
use crate::types::Value;

pub(crate) fn levenshtein<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    let (Value::String(left), Value::String(right)) = (left, right) else { return Value::Null };
    let left: Vec<&[u8]> = utf8::characters(&left).collect();
    let right: Vec<&[u8]> = utf8::characters(&right).collect();
    int(edits(&left, &right))
}

/// Levenshtein's distance.
pub(crate) fn edits<T: PartialEq>(left: &[T], right: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, item) in left.iter().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        for (place, other) in row.iter_mut().skip(1).zip(right) {
            let changed = diagonal + usize::from(item != other);
            diagonal = *place;
            *place = changed.min(*place + 1).min(before + 1);
            before = *place;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// The letter and three digits of how an English name sounds; what does not begin with a letter stays as it is.
pub(crate) fn soundex(value: Value<'_>) -> Value<'_> {
    let Value::String(text) = &value else { return Value::Null };
    let Some(first) = text.first().filter(|first| first.is_ascii_alphabetic()) else { return value };
    let mut out = vec![first.to_ascii_uppercase()];
    let mut last = sound(*first);
    for byte in text.iter().skip(1).filter(|byte| byte.is_ascii_alphabetic()) {
        let code = sound(*byte);
        // H and W do not part two equal sounds, and vowels do.
        if code == b'7' {
            continue;
        }
        if code != b'0' && code != last {
            out.push(code);
            if out.len() == 4 {
                break;
            }
        }
        last = code;
    }
    out.resize(4, b'0');
    string(out)
}

fn sound(letter: u8) -> u8 {
    match letter.to_ascii_uppercase() {
        b'B' | b'F' | b'P' | b'V' => b'1',
        b'C' | b'G' | b'J' | b'K' | b'Q' | b'S' | b'X' | b'Z' => b'2',
        b'D' | b'T' => b'3',
        b'L' => b'4',
        b'M' | b'N' => b'5',
        b'R' => b'6',
        b'H' | b'W' => b'7',
        _ => b'0',
    }
}
