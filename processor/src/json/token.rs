//! One token of a well-formed value.

use super::input::Input;
use super::number::{take_non_finite, take_number};
use super::scalar::Scalar;
use super::skip::word_end;
use super::text::{decode_into, take_literal};

#[derive(Clone, Copy, Debug)]
pub(super) enum Token<'a> {
    Null,
    Open {
        object: bool,
    },
    Text(Raw<'a>),
    /// No string.
    Scalar(Scalar<'a>),
}

/// A string as it stands in the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a> {
    /// Between the quotes.
    pub(super) raw: &'a [u8],
    /// It is its own text: UTF-8 without escapes.
    pub(super) plain: bool,
    pub(super) quote: u8,
}

impl Raw<'_> {
    /// What `read` makes of the text. `buffer` is used and restored where the text has to be decoded.
    #[inline]
    pub(super) fn with_text<R>(self, buffer: &mut Vec<u8>, read: impl FnOnce(&[u8]) -> R) -> R {
        if self.plain { read(self.raw) } else { with_decoded(self.raw, buffer, read) }
    }
}

#[cold]
fn with_decoded<R>(raw: &[u8], buffer: &mut Vec<u8>, read: impl FnOnce(&[u8]) -> R) -> R {
    let start = buffer.len();
    decode_into(raw, buffer);
    let result = read(buffer.get(start..).unwrap_or_default());
    buffer.truncate(start);
    result
}

/// Takes the token that begins at `at`: it, and the index after it. `None` if it is malformed.
#[inline]
pub(super) fn take_token<'a>(input: &mut Input<'a>, at: usize) -> Option<(Token<'a>, usize)> {
    let bytes = input.bytes;
    let first = *bytes.get(at)?;
    let word = |word: &[u8], token| Some((token, word_end(bytes, at, word)?));
    match first {
        b'"' | b'\'' => {
            let literal = take_literal(input, at + 1, first)?;
            let raw = bytes.get(at + 1..literal.close)?;
            let plain = literal.ascii_plain || (!raw.contains(&b'\\') && std::str::from_utf8(raw).is_ok());
            Some((Token::Text(Raw { raw, plain, quote: first }), literal.close + 1))
        }
        b'{' | b'[' => Some((Token::Open { object: first == b'{' }, at + 1)),
        b't' => word(b"true", Token::Scalar(Scalar::Boolean(true))),
        b'f' => word(b"false", Token::Scalar(Scalar::Boolean(false))),
        b'n' => word(b"null", Token::Null),
        _ => {
            if (first == b'-' || first.is_ascii_digit())
                && let Some(number) = take_number(bytes, at)
            {
                let text = bytes.get(at..number.end)?;
                return Some((Token::Scalar(Scalar::Number { text, float: number.float }), number.end));
            }
            let (end, value) = take_non_finite(bytes, at)?;
            Some((Token::Scalar(Scalar::NonFinite(value)), end))
        }
    }
}
