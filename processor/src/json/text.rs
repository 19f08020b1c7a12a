//! The characters of a JSON string as Spark sees them.
//!
//! Spark decodes the value's bytes with Java's UTF-8 decoder (`InputStreamReader`: what is malformed becomes U+FFFD),
//! Jackson takes the escapes out, and `String.getBytes(UTF_8)` makes each unpaired surrogate a `?`.

use super::input::Input;
use super::stops::plain_run;

/// What one step of decoding gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Well-formed UTF-8, as it stands in the value.
    Plain(&'a [u8]),
    /// A character written as an escape, or U+FFFD for malformed bytes.
    Char(char),
    /// A UTF-16 surrogate without its other half.
    LoneSurrogate(u16),
}

/// Takes a string apart. `raw` is what stands between the quotes, its escapes already known to be right.
#[derive(Clone, Debug)]
pub(super) struct Pieces<'a> {
    raw: &'a [u8],
}

impl<'a> Pieces<'a> {
    pub(super) fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    fn take_escape(&mut self) -> Option<Piece<'a>> {
        let (&escaped, rest) = self.raw.split_first()?;
        self.raw = rest;
        let character = match escaped {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.take_unit(),
            other => char::from(other),
        };
        Some(Piece::Char(character))
    }

    /// The four digits of a `\u`, and the second half of a surrogate pair.
    fn take_unit(&mut self) -> Option<Piece<'a>> {
        let (digits, rest) = self.raw.split_first_chunk::<4>()?;
        self.raw = rest;
        let unit = hex_unit(*digits)?;
        if let Some(character) = char::from_u32(u32::from(unit)) {
            return Some(Piece::Char(character));
        }
        if let [b'\\', b'u', a, b, c, d, rest @ ..] = self.raw
            && let Some(low) = hex_unit([*a, *b, *c, *d])
            && let Some(Ok(character)) = char::decode_utf16([unit, low]).next()
        {
            self.raw = rest;
            return Some(Piece::Char(character));
        }
        Some(Piece::LoneSurrogate(unit))
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if let Some((b'\\', rest)) = self.raw.split_first() {
            self.raw = rest;
            return self.take_escape();
        }
        let end = self.raw.iter().position(|&byte| byte == b'\\').unwrap_or(self.raw.len());
        let (plain, _) = self.raw.split_at_checked(end)?;
        let valid = match std::str::from_utf8(plain) {
            Ok(_) => plain.len(),
            Err(error) => error.valid_up_to(),
        };
        let (plain, rest) = self.raw.split_at_checked(valid)?;
        if !plain.is_empty() {
            self.raw = rest;
            return Some(Piece::Plain(plain));
        }
        let malformed = malformed_len(rest);
        if malformed == 0 {
            return None;
        }
        self.raw = rest.get(malformed..)?;
        Some(Piece::Char(char::REPLACEMENT_CHARACTER))
    }
}

/// How many bytes at the front Java's decoder replaces by one U+FFFD, where they are not well-formed. It differs from
/// the WHATWG's rule in surrogates: `ED A0 80` is one, not three.
pub(super) fn malformed_len(bytes: &[u8]) -> usize {
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let second_in = |low: u8, high: u8| bytes.get(1).is_some_and(|byte| (low..=high).contains(byte));
    match bytes.first() {
        None => 0,
        Some(0xe0) if second_in(0xa0, 0xbf) => 2,
        Some(0xe1..=0xec | 0xee | 0xef) if continues(1) => 2,
        Some(0xed) if continues(1) => 2 + usize::from(continues(2)),
        Some(0xf0) if second_in(0x90, 0xbf) => 2 + usize::from(continues(2)),
        Some(0xf1..=0xf3) if continues(1) => 2 + usize::from(continues(2)),
        Some(0xf4) if second_in(0x80, 0x8f) => 2 + usize::from(continues(2)),
        Some(_) => 1,
    }
}

/// Appends the string as UTF-8, as `UTF8String.fromString` has it.
pub(super) fn decode_into(raw: &[u8], out: &mut Vec<u8>) {
    let mut utf8 = [0; 4];
    for piece in Pieces::new(raw) {
        match piece {
            Piece::Plain(bytes) => out.extend_from_slice(bytes),
            Piece::Char(character) => out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes()),
            Piece::LoneSurrogate(_) => out.push(b'?'),
        }
    }
}

/// Whether the string, decoded, is `expected`. One with an unpaired surrogate equals no UTF-8.
pub(super) fn decodes_to(raw: &[u8], expected: &[u8]) -> bool {
    let mut expected = expected;
    let mut utf8 = [0; 4];
    for piece in Pieces::new(raw) {
        let rest = match piece {
            Piece::Plain(bytes) => expected.strip_prefix(bytes),
            Piece::Char(character) => expected.strip_prefix(character.encode_utf8(&mut utf8).as_bytes()),
            Piece::LoneSurrogate(_) => None,
        };
        match rest {
            Some(rest) => expected = rest,
            None => return false,
        }
    }
    expected.is_empty()
}

/// A string literal as it stands in the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// Index of its closing quote.
    pub(super) close: usize,
    /// ASCII without escapes: what stands between the quotes is the text itself.
    pub(super) ascii_plain: bool,
}

/// Finds the end of the string whose text begins at `from`, checking its escapes. `None` if it is not closed, or holds
/// a control character or an escape that Jackson refuses.
#[inline(always)]
pub(super) fn take_literal(input: &mut Input<'_>, from: usize, quote: u8) -> Option<Literal> {
    let bytes = input.bytes;
    let run = if quote == b'"' { input.plain_run(from) } else { plain_run(bytes, from, quote) };
    if bytes.get(run.end) == Some(&quote) {
        return Some(Literal { close: run.end, ascii_plain: !run.non_ascii });
    }
    take_escaped_literal(bytes, run.end, quote)
}

#[cold]
fn take_escaped_literal(bytes: &[u8], from: usize, quote: u8) -> Option<Literal> {
    let mut at = from;
    loop {
        match *bytes.get(at)? {
            b'\\' => at = escape_end(bytes, at)?,
            byte if byte == quote => return Some(Literal { close: at, ascii_plain: false }),
            _ => return None,
        }
        at = plain_run(bytes, at, quote).end;
    }
}

/// Index after the escape whose backslash stands at `at`. `\'` is allowed, as single quotes are.
fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'\'' => Some(at + 2),
        b'u' => {
            let digits = bytes.get(at + 2..)?.first_chunk::<4>()?;
            hex_unit(*digits).map(|_| at + 6)
        }
        _ => None,
    }
}

fn hex_unit(digits: [u8; 4]) -> Option<u16> {
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)? as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        decode_into(raw, &mut out);
        out
    }

    #[test]
    fn malformed_bytes_are_replaced_as_java_replaces_them() {
        for (raw, replaced) in [
            (&b"\xed\xa0\x80"[..], "\u{fffd}"),
            (b"\xed\xa0x", "\u{fffd}x"),
            (b"\xed\xa0", "\u{fffd}"),
            (b"\xc0\xaf", "\u{fffd}\u{fffd}"),
            (b"\xe0\x80\x80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xe2\x82", "\u{fffd}"),
            (b"\xf0\x9f\x98x", "\u{fffd}x"),
            (b"\xf0\x80\x80\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xf4\x90\x80\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xf1\x80", "\u{fffd}"),
            (b"a\xffb\x80", "a\u{fffd}b\u{fffd}"),
        ] {
            assert_eq!(String::from_utf8(decoded(raw)).unwrap(), replaced, "{raw:x?}");
        }
    }

    #[test]
    fn surrogates_pair_up_or_become_question_marks() {
        assert_eq!(decoded(br"\ud83d\ude00"), "😀".as_bytes());
        assert_eq!(decoded(br"\ud83d\ud83d\ude00"), "?😀".as_bytes());
        assert_eq!(decoded(br"\ude00\ud83d"), b"??");
        assert_eq!(decoded(br"\ud83dx\ude00"), b"?x?");
        assert!(!decodes_to(br"\ud83d", b"?"));
        assert!(decodes_to(br"\ud83d\ude00x", "😀x".as_bytes()));
    }

    #[test]
    fn any_bytes_decode_to_utf8() {
        proptest::proptest!(|(raw: Vec<u8>)| {
            proptest::prop_assert!(String::from_utf8(decoded(&raw)).is_ok());
        });
    }
}
