//! Characters of strings that may not be UTF-8, counted as Spark's `UTF8String` does: by their first bytes.

use std::ops::Range;

/// Bytes of the character that begins with this one.
fn width(first: u8) -> usize {
    match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

pub(super) fn count(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { characters(text).count() }
}

/// Each character's bytes; the last may be cut short.
pub(super) fn characters(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let (head, tail) = rest.split_at(width(*first).min(rest.len()));
        rest = tail;
        Some(head)
    })
}

/// Where a character begins, by its number from 0; the end of the text if there is none.
pub(super) fn offset(text: &[u8], character: usize) -> usize {
    if text.is_ascii() {
        return character.min(text.len());
    }
    characters(text).take(character).map(<[u8]>::len).sum()
}

/// The bytes of the characters from one number to before another.
pub(super) fn range(text: &[u8], from: usize, to: usize) -> Range<usize> {
    let start = offset(text, from);
    let rest = text.get(start..).unwrap_or_default();
    start..start + offset(rest, to.saturating_sub(from))
}

/// Where `wanted` begins at or after a byte.
pub(super) fn find(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    if wanted.is_empty() {
        return Some(from);
    }
    memchr::memmem::find(rest, wanted).map(|at| from + at)
}
