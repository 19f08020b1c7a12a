//! Passes over a value, checking its syntax.
//!
//! Without recursion: what is open is a stack of bits, one per level, so depth costs an eighth of a byte for each byte
//! of input and no stack.

use super::input::Input;
use super::number::{take_non_finite, take_number};
use super::text::take_literal;

/// Memory for deeper nesting than 64 times this is given back before the next container.
const WORDS_KEPT: usize = 1 << 12;

/// Which containers are open, innermost last: a set bit is an object. Kept between records for its memory.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    words: Vec<u64>,
    word: u64,
    depth: usize,
}

impl Nesting {
    fn clear(&mut self) {
        self.words.clear();
        if self.words.capacity() > WORDS_KEPT {
            self.words = Vec::new();
        }
        self.word = 0;
        self.depth = 0;
    }

    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.words.push(self.word);
        }
        self.word = self.word << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.word >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.word = self.words.pop().unwrap_or_default();
        }
    }

    fn in_object(&self) -> bool {
        self.word & 1 == 1
    }
}

/// Index of the first byte at or after `from` that is no JSON whitespace.
#[inline]
pub(super) fn skip_whitespace(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Takes a member's name whose opening quote stands at `at`, and the colon: (index after the opening quote, closing
/// quote, whether it is plain ASCII, index of the value's first byte).
#[inline(always)]
pub(super) fn take_name(input: &mut Input<'_>, at: usize) -> Option<(usize, usize, bool, usize)> {
    let bytes = input.bytes;
    let quote = *bytes.get(at)?;
    if quote != b'"' && quote != b'\'' {
        return None;
    }
    let literal = take_literal(input, at + 1, quote)?;
    let mut next = literal.close + 1;
    if bytes.get(next) != Some(&b':') {
        next = skip_whitespace(bytes, next);
        if bytes.get(next) != Some(&b':') {
            return None;
        }
    }
    Some((at + 1, literal.close, literal.ascii_plain, skip_whitespace(bytes, next + 1)))
}

/// Index after a value that is neither object nor array, beginning at `at`.
#[inline(always)]
fn scalar_end(input: &mut Input<'_>, at: usize) -> Option<usize> {
    let bytes = input.bytes;
    match *bytes.get(at)? {
        quote @ (b'"' | b'\'') => Some(take_literal(input, at + 1, quote)?.close + 1),
        b'0'..=b'9' => Some(take_number(bytes, at)?.end),
        b'-' => match take_number(bytes, at) {
            Some(number) => Some(number.end),
            None => Some(take_non_finite(bytes, at)?.0),
        },
        b't' => word_end(bytes, at, b"true"),
        b'f' => word_end(bytes, at, b"false"),
        b'n' => word_end(bytes, at, b"null"),
        b'N' | b'I' | b'+' => Some(take_non_finite(bytes, at)?.0),
        _ => None,
    }
}

/// Index after the word, if it stands at `at`.
#[inline]
pub(super) fn word_end(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// Index after the value whose first byte stands at `at`; `None` if it is not well-formed.
#[inline]
pub(super) fn skip_value(input: &mut Input<'_>, at: usize, nesting: &mut Nesting) -> Option<usize> {
    let bytes = input.bytes;
    match bytes.get(at)? {
        b'{' | b'[' => skip_container(input, at, nesting),
        _ => scalar_end(input, at),
    }
}

fn skip_container(input: &mut Input<'_>, from: usize, nesting: &mut Nesting) -> Option<usize> {
    let bytes = input.bytes;
    nesting.clear();
    let mut at = from;
    loop {
        // Here a value begins.
        let opening = *bytes.get(at)?;
        if opening == b'{' || opening == b'[' {
            let object = opening == b'{';
            let inside = skip_whitespace(bytes, at + 1);
            if bytes.get(inside) == Some(if object { &b'}' } else { &b']' }) {
                at = inside + 1;
            } else {
                nesting.push(object);
                at = if object { take_name(input, inside)?.3 } else { inside };
                continue;
            }
        } else {
            at = scalar_end(input, at)?;
        }
        // Here a value has ended; close what closes, up to the next value.
        loop {
            if nesting.depth == 0 {
                return Some(at);
            }
            at = skip_whitespace(bytes, at);
            match *bytes.get(at)? {
                b',' => {
                    let next = skip_whitespace(bytes, at + 1);
                    at = if nesting.in_object() { take_name(input, next)?.3 } else { next };
                    break;
                }
                b'}' if nesting.in_object() => nesting.pop(),
                b']' if !nesting.in_object() => nesting.pop(),
                _ => return None,
            }
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_remembers_every_level() {
        proptest::proptest!(|(levels in proptest::collection::vec(proptest::bool::ANY, 0..300))| {
            let mut nesting = Nesting::default();
            for &level in &levels {
                nesting.push(level);
            }
            for &level in levels.iter().rev() {
                assert_eq!(nesting.in_object(), level);
                nesting.pop();
            }
            assert_eq!(nesting.depth, 0);
        });
    }

    #[test]
    fn values_end_where_they_end() {
        let mut nesting = Nesting::default();
        for (text, end) in [
            ("1,", Some(1)),
            ("\"a\" ", Some(3)),
            ("[ ]x", Some(3)),
            ("[1, {\"a\": []}, 'x'] ", Some(19)),
            ("{\"a\":1,}", None),
            ("[1,]", None),
            ("[1}", None),
            ("[1", None),
            ("-INF", Some(4)),
            ("nul", None),
        ] {
            assert_eq!(skip_value(&mut Input::new(text.as_bytes()), 0, &mut nesting), end, "{text}");
        }
    }
}
