//! Jackson's way through a token that may be malformed, character by character (`ReaderBasedJsonParser`). After an
//! error it stands where Jackson does.

use super::identifier::is_identifier_part;
use super::number::{Number, take_number};
use super::text::malformed_len;

/// The parser reported an error; where it stands now is its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A stretch of the value.
pub(super) type Span = (usize, usize);

/// A record's value, and a place in it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn slice(&self, (start, end): Span) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The rest of a word whose first character has been read.
    pub(super) fn take_word(&mut self, rest: &str) -> Result<(), Malformed> {
        for (index, expected) in rest.bytes().enumerate() {
            if self.bytes.get(self.at) != Some(&expected) {
                self.pass_identifier(index + 1);
                return Err(Malformed);
            }
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            Some(byte) if *byte >= b'0' && self.pass_identifier(rest.len() + 1) > 0 => Err(Malformed),
            _ => Ok(()),
        }
    }

    /// Reads to the end of what may be an identifier, of which `length` characters have been read; 256 at most. How
    /// many it read.
    pub(super) fn pass_identifier(&mut self, length: usize) -> usize {
        const ERROR_TOKEN_LENGTH: usize = 256;
        let mut passed = 0;
        loop {
            let before = self.at;
            match self.read_char() {
                Some(next) if is_identifier_part(next) => passed += 1,
                _ => {
                    self.at = before;
                    return passed;
                }
            }
            if length + passed >= ERROR_TOKEN_LENGTH {
                return passed;
            }
        }
    }

    /// The number at `start`, of which the sign and one digit have been read.
    pub(super) fn take_digits(&mut self, start: usize) -> Result<Number, Malformed> {
        let zero = self.bytes.get(self.at - 1) == Some(&b'0');
        if zero && self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            return Err(Malformed);
        }
        if let Some(number) = take_number(self.bytes, start) {
            self.at = number.end;
            return Ok(number);
        }
        // Where Jackson stops: one way of reading numbers keeps its place only when it is done.
        self.pass_digits();
        self.at += 1;
        if zero {
            let point = self.bytes.get(self.at - 1) == Some(&b'.');
            self.pass_digits();
            if point
                && matches!(self.bytes.get(self.at), Some(b'e' | b'E'))
                && self.bytes.get(self.at - 1) != Some(&b'.')
            {
                self.at += 1;
            }
            let exponent = matches!(self.bytes.get(self.at - 1), Some(b'e' | b'E'));
            if exponent && matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.read_char();
        }
        Err(Malformed)
    }

    fn pass_digits(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    /// Reads to behind the closing quote; gives what stands before it.
    pub(super) fn take_text(&mut self, quote: u8) -> Result<Span, Malformed> {
        let start = self.at;
        loop {
            let byte = *self.bytes.get(self.at).ok_or(Malformed)?;
            self.at += 1;
            match byte {
                b'\\' => {
                    self.read_escaped()?;
                }
                0..0x20 => return Err(Malformed),
                _ if byte == quote => return Ok((start, self.at - 1)),
                _ => {}
            }
        }
    }

    /// What follows a backslash, as a UTF-16 unit.
    pub(super) fn read_escaped(&mut self) -> Result<u16, Malformed> {
        let character = match self.read_char().ok_or(Malformed)? {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            itself @ ('"' | '/' | '\\' | '\'') => itself,
            'u' => {
                let mut unit = 0;
                for _ in 0..4 {
                    let digit = self.read_char().and_then(|digit| digit.to_digit(16)).ok_or(Malformed)?;
                    unit = unit << 4 | digit as u16;
                }
                return Ok(unit);
            }
            _ => return Err(Malformed),
        };
        Ok(character as u16)
    }

    /// Reads the next character that is no whitespace. A slash is an error: it might begin a comment.
    pub(super) fn skip_to_char(&mut self) -> Result<char, Malformed> {
        loop {
            match self.read_char().ok_or(Malformed)? {
                ' ' | '\t' | '\n' | '\r' => {}
                '\0'..' ' | '/' => return Err(Malformed),
                other => return Ok(other),
            }
        }
    }

    /// One character as Java counts them: of a surrogate pair just the first half, after which nothing fits.
    pub(super) fn read_char(&mut self) -> Option<char> {
        let rest = self.bytes.get(self.at..)?;
        let first = *rest.first()?;
        if first < 0x80 {
            self.at += 1;
            return Some(char::from(first));
        }
        let head = rest.get(..rest.len().min(4)).unwrap_or_default();
        let valid = match std::str::from_utf8(head) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default(),
        };
        match valid.chars().next() {
            Some(character) => {
                self.at += if character.len_utf8() == 4 { 1 } else { character.len_utf8() };
                Some(character)
            }
            None => {
                self.at += malformed_len(rest);
                Some(char::REPLACEMENT_CHARACTER)
            }
        }
    }
}
