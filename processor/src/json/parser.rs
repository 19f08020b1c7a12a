//! Jackson's parser as a machine, state after each error included (`ReaderBasedJsonParser.nextToken`): what a malformed
//! value is read with, see `replay.rs`.
//!
//! Not modelled: errors on a boundary of Jackson's input buffer (every 4,000 characters).

use super::base64;
use super::identifier::is_identifier_start;
use super::number::NonFinite;
use super::reader::{Malformed, Reader, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Start { object: bool },
    End { object: bool },
    Name,
    Text,
    Number { float: bool },
    NonFinite(NonFinite),
    Boolean(bool),
    Null,
}

#[derive(Clone, Copy, Debug)]
struct Context {
    object: bool,
    /// A member or element has been begun, so that a comma is due before the next.
    begun: bool,
    name: Option<(u32, u32)>,
}

/// Jackson's parser, from the value of a wanted column on.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    reader: Reader<'a>,
    contexts: Vec<Context>,
    /// `None`: the token that a failed value would have been.
    token: Option<Token>,
    /// The token after a name, which is read together with it.
    after_name: Option<Token>,
    /// A string in double quotes whose text has not been read yet.
    incomplete: bool,
    span: Span,
}

impl<'a> Parser<'a> {
    /// At the value that begins at `value` with a double quote or a bracket, of the root object's member `name`.
    pub(super) fn new(bytes: &'a [u8], value: usize, name: Span) -> Option<Self> {
        let root = Context { object: true, begun: true, name: compact(name) };
        let mut parser = Self {
            reader: Reader { bytes, at: value },
            contexts: vec![root],
            token: Some(Token::Name),
            after_name: None,
            incomplete: false,
            span: (value, value),
        };
        let first = parser.reader.read_char()?;
        parser.after_name = Some(parser.take_value(first).ok()?);
        parser.next_token().ok()?;
        Some(parser)
    }

    pub(super) fn token(&self) -> Option<Token> {
        self.token
    }

    /// What stands between the quotes of the name that the present token has, if it is in an object
    /// (`getCurrentName`).
    pub(super) fn name(&self) -> Option<&'a [u8]> {
        let depth = if matches!(self.token, Some(Token::Start { .. })) { 2 } else { 1 };
        let context = self.contexts.len().checked_sub(depth).and_then(|index| self.contexts.get(index))?;
        let (start, end) = context.name?;
        Some(self.reader.slice((start as usize, end as usize)))
    }

    /// What stands between the quotes of the present string.
    pub(super) fn text(&mut self) -> Result<&'a [u8], Malformed> {
        if std::mem::take(&mut self.incomplete) {
            self.span = self.reader.take_text(b'"')?;
        }
        Ok(self.reader.slice(self.span))
    }

    /// The present number as it is written.
    pub(super) fn number(&self) -> &'a [u8] {
        self.reader.slice(self.span)
    }

    /// The bytes of the present string where it is read straight from the value (`_decodeBase64`); `None` if its text
    /// has been read already.
    pub(super) fn binary(&mut self, out: &mut Vec<u8>) -> Option<Result<(), Malformed>> {
        if !self.incomplete {
            return None;
        }
        // Where it fails, the string's end is looked for from there.
        let decoded = base64::decode(&mut self.reader, out).ok_or(Malformed);
        self.incomplete = decoded.is_err();
        Some(decoded)
    }

    /// Passes over what the present token opens, if it opens something.
    pub(super) fn skip_children(&mut self) -> Result<(), Malformed> {
        if !matches!(self.token, Some(Token::Start { .. })) {
            return Ok(());
        }
        let mut open = 1usize;
        while open > 0 {
            match self.next_token()?.ok_or(Malformed)? {
                Token::Start { .. } => open += 1,
                Token::End { .. } => open -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn next_token(&mut self) -> Result<Option<Token>, Malformed> {
        if self.token == Some(Token::Name) {
            self.token = self.after_name.take();
            self.open();
            return Ok(self.token);
        }
        if std::mem::take(&mut self.incomplete) {
            self.reader.take_text(b'"')?;
        }
        let mut first = self.reader.skip_to_char()?;
        if first == ']' || first == '}' {
            let object = first == '}';
            self.contexts.pop_if(|context| context.object == object).ok_or(Malformed)?;
            self.token = Some(Token::End { object });
            return Ok(self.token);
        }
        let context = self.contexts.last_mut().ok_or(Malformed)?;
        let object = context.object;
        if std::mem::replace(&mut context.begun, true) {
            if first != ',' {
                return Err(Malformed);
            }
            first = self.reader.skip_to_char()?;
        }
        if object {
            let name = match first {
                '"' => self.reader.take_text(b'"')?,
                '\'' => self.reader.take_text(b'\'')?,
                _ => return Err(Malformed),
            };
            if let Some(context) = self.contexts.last_mut() {
                context.name = compact(name);
            }
            self.token = Some(Token::Name);
            if self.reader.skip_to_char()? != ':' {
                return Err(Malformed);
            }
            let first = self.reader.skip_to_char()?;
            self.after_name = Some(self.take_value(first)?);
        } else {
            self.token = Some(self.take_value(first)?);
            self.open();
        }
        Ok(self.token)
    }

    fn open(&mut self) {
        if let Some(Token::Start { object }) = self.token {
            self.contexts.push(Context { object, begun: false, name: None });
        }
    }

    /// The token that begins with `first`, which has been read.
    fn take_value(&mut self, first: char) -> Result<Token, Malformed> {
        let reader = &mut self.reader;
        match first {
            '"' => {
                self.incomplete = true;
                Ok(Token::Text)
            }
            '\'' => {
                self.span = reader.take_text(b'\'')?;
                Ok(Token::Text)
            }
            '[' => Ok(Token::Start { object: false }),
            '{' => Ok(Token::Start { object: true }),
            't' => reader.take_word("rue").map(|()| Token::Boolean(true)),
            'f' => reader.take_word("alse").map(|()| Token::Boolean(false)),
            'n' => reader.take_word("ull").map(|()| Token::Null),
            'N' => reader.take_word("aN").map(|()| Token::NonFinite(NonFinite::NaN)),
            'I' => reader.take_word("nfinity").map(|()| Token::NonFinite(NonFinite::Infinity)),
            '0'..='9' => {
                let start = reader.at - 1;
                self.take_number(start)
            }
            '-' | '+' => self.take_signed(first == '-'),
            _ => {
                if is_identifier_start(first) {
                    reader.pass_identifier(1);
                }
                Err(Malformed)
            }
        }
    }

    fn take_signed(&mut self, negative: bool) -> Result<Token, Malformed> {
        let sign = self.reader.at - 1;
        match self.reader.read_char().ok_or(Malformed)? {
            '0'..='9' if negative => self.take_number(sign),
            'I' => {
                let infinity = if negative { NonFinite::NegativeInfinity } else { NonFinite::Infinity };
                match self.reader.read_char().ok_or(Malformed)? {
                    'N' => self.reader.take_word("F")?,
                    'n' => self.reader.take_word("finity")?,
                    _ => return Err(Malformed),
                }
                Ok(Token::NonFinite(infinity))
            }
            _ => Err(Malformed),
        }
    }

    fn take_number(&mut self, start: usize) -> Result<Token, Malformed> {
        let number = self.reader.take_digits(start)?;
        self.span = (start, number.end);
        Ok(Token::Number { float: number.float })
    }
}

/// Of a string in double quotes, escapes included.
impl base64::Source for Reader<'_> {
    fn next(&mut self) -> Option<base64::Unit> {
        Some(match self.read_char()? {
            '"' => base64::Unit::End,
            // A surrogate is no digit, whatever it is taken for.
            '\\' => {
                let unit = self.read_escaped().ok()?;
                base64::Unit::Char(char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            other => base64::Unit::Char(other),
        })
    }

    fn back_to_end(&mut self) {
        self.at -= 1;
    }
}

fn compact((start, end): Span) -> Option<(u32, u32)> {
    Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?))
}
