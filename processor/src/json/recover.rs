//! What Spark makes of a record that turns out malformed inside a wanted column.
//!
//! Spark does not give such a record up at once: the column's converter fails, the failure is noted, and the parser
//! goes on from wherever it stopped. If it then meets the end of an object, the columns read so far (and those read by
//! accident afterwards) are kept: `{"level":"A","level":{"x":tru}}` gives A. An error outside a wanted column makes all
//! of them null. So what is needed here is Jackson's parser as a machine, state after each error included:
//! `ReaderBasedJsonParser.nextToken` and `JacksonParser.convertObject`. Slow, and only for records that are broken.
//!
//! Not modelled: errors on a boundary of Jackson's input buffer (every 4,000 characters).

use super::identifier::{is_identifier_part, is_identifier_start};
use super::number::{take_number, write_number};
use super::rewrite::write_string;
use super::text::{decode_into, malformed_len};

/// The parser reported an error; where it stands now is its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Start {
        object: bool,
    },
    End {
        object: bool,
    },
    Name,
    Text,
    Number,
    /// True, false, or a non-finite number: as it is written.
    Word(&'static str),
    Null,
}

/// A stretch of the value.
type Span = (usize, usize);

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
    bytes: &'a [u8],
    at: usize,
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
            bytes,
            at: value,
            contexts: vec![root],
            token: Some(Token::Name),
            after_name: None,
            incomplete: false,
            span: (value, value),
        };
        let first = parser.read_char()?;
        parser.after_name = Some(parser.take_value(first).ok()?);
        parser.next_token().ok()?;
        Some(parser)
    }

    /// Goes on to the next token at which a column may be read: its name, or `None` if it is in no object. Ends at
    /// the end of an object, any object, and after a name whose value has failed.
    pub(super) fn next_member(&mut self) -> Option<Result<Option<&'a [u8]>, Malformed>> {
        match self.next_token() {
            Err(malformed) => Some(Err(malformed)),
            Ok(None | Some(Token::End { object: true })) => None,
            Ok(Some(token)) => {
                let depth = if matches!(token, Token::Start { .. }) { 2 } else { 1 };
                let context = self.contexts.len().checked_sub(depth).and_then(|index| self.contexts.get(index));
                let name = context.and_then(|context| context.name);
                Some(Ok(name.and_then(|(start, end)| self.bytes.get(start as usize..end as usize))))
            }
        }
    }

    /// The column's text at this token, appended to `out`; false is NULL.
    pub(super) fn convert(&mut self, out: &mut Vec<u8>) -> Result<bool, Malformed> {
        while self.token == Some(Token::Name) {
            self.next_token()?;
        }
        match self.token {
            None | Some(Token::Null) => return Ok(false),
            Some(Token::Text) => decode_into(self.text()?, out),
            Some(Token::Start { object }) => self.copy_contents(object, out)?,
            Some(Token::End { .. }) => return Err(Malformed),
            Some(token) => self.copy_scalar(token, out)?,
        }
        Ok(true)
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

    fn copy_contents(&mut self, object: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
        out.push(if object { b'{' } else { b'[' });
        let mut depth = 1usize;
        let mut comma = false;
        while depth > 0 {
            let token = self.next_token()?.ok_or(Malformed)?;
            if let Token::End { object } = token {
                out.push(if object { b'}' } else { b']' });
                depth -= 1;
                comma = true;
                continue;
            }
            if std::mem::take(&mut comma) {
                out.push(b',');
            }
            match token {
                Token::Name => {
                    let name = self.contexts.last().and_then(|context| context.name).unwrap_or_default();
                    write_string(self.bytes.get(name.0 as usize..name.1 as usize).unwrap_or_default(), out);
                    out.push(b':');
                }
                Token::Start { object } => {
                    out.push(if object { b'{' } else { b'[' });
                    depth += 1;
                }
                scalar => {
                    self.copy_scalar(scalar, out)?;
                    comma = true;
                }
            }
        }
        Ok(())
    }

    fn copy_scalar(&mut self, token: Token, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match token {
            Token::Text => write_string(self.text()?, out),
            Token::Number => {
                let text = self.bytes.get(self.span.0..self.span.1).unwrap_or_default();
                write_number(text, text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')), out);
            }
            Token::Word(word) => out.extend_from_slice(word.as_bytes()),
            _ => out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    /// What stands between the quotes of the present string.
    fn text(&mut self) -> Result<&'a [u8], Malformed> {
        if std::mem::take(&mut self.incomplete) {
            self.span = self.take_text(b'"')?;
        }
        self.bytes.get(self.span.0..self.span.1).ok_or(Malformed)
    }

    fn next_token(&mut self) -> Result<Option<Token>, Malformed> {
        if self.token == Some(Token::Name) {
            self.token = self.after_name.take();
            self.open();
            return Ok(self.token);
        }
        if std::mem::take(&mut self.incomplete) {
            self.take_text(b'"')?;
        }
        let mut first = self.skip_to_char()?;
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
            first = self.skip_to_char()?;
        }
        if object {
            let name = match first {
                '"' => self.take_text(b'"')?,
                '\'' => self.take_text(b'\'')?,
                _ => return Err(Malformed),
            };
            if let Some(context) = self.contexts.last_mut() {
                context.name = compact(name);
            }
            self.token = Some(Token::Name);
            if self.skip_to_char()? != ':' {
                return Err(Malformed);
            }
            let first = self.skip_to_char()?;
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
        match first {
            '"' => {
                self.incomplete = true;
                Ok(Token::Text)
            }
            '\'' => {
                self.span = self.take_text(b'\'')?;
                Ok(Token::Text)
            }
            '[' => Ok(Token::Start { object: false }),
            '{' => Ok(Token::Start { object: true }),
            't' => self.take_word("rue", Token::Word("true")),
            'f' => self.take_word("alse", Token::Word("false")),
            'n' => self.take_word("ull", Token::Null),
            'N' => self.take_word("aN", Token::Word("\"NaN\"")),
            'I' => self.take_word("nfinity", Token::Word("\"Infinity\"")),
            '0'..='9' => self.take_digits(self.at - 1),
            '-' | '+' => self.take_signed(first == '-'),
            _ => {
                if is_identifier_start(first) {
                    self.pass_identifier(1);
                }
                Err(Malformed)
            }
        }
    }

    fn take_word(&mut self, rest: &str, token: Token) -> Result<Token, Malformed> {
        for (index, expected) in rest.bytes().enumerate() {
            if self.bytes.get(self.at) != Some(&expected) {
                self.pass_identifier(index + 1);
                return Err(Malformed);
            }
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            Some(byte) if *byte >= b'0' && self.pass_identifier(rest.len() + 1) > 0 => Err(Malformed),
            _ => Ok(token),
        }
    }

    /// Reads to the end of what may be an identifier, of which `length` characters have been read; 256 at most. How
    /// many it read.
    fn pass_identifier(&mut self, length: usize) -> usize {
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

    fn take_signed(&mut self, negative: bool) -> Result<Token, Malformed> {
        let sign = self.at - 1;
        match self.read_char().ok_or(Malformed)? {
            '0'..='9' if negative => self.take_digits(sign),
            'I' => {
                let infinity = if negative { "\"-Infinity\"" } else { "\"Infinity\"" };
                match self.read_char().ok_or(Malformed)? {
                    'N' => self.take_rest_of_sign("F", infinity),
                    'n' => self.take_rest_of_sign("finity", infinity),
                    _ => Err(Malformed),
                }
            }
            _ => Err(Malformed),
        }
    }

    fn take_rest_of_sign(&mut self, rest: &str, written: &'static str) -> Result<Token, Malformed> {
        self.take_word(rest, Token::Word(written))
    }

    /// The number at `start`, of which the sign and one digit have been read.
    fn take_digits(&mut self, start: usize) -> Result<Token, Malformed> {
        let zero = self.bytes.get(self.at - 1) == Some(&b'0');
        if zero && self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            return Err(Malformed);
        }
        if let Some(number) = take_number(self.bytes, start) {
            self.span = (start, number.end);
            self.at = number.end;
            return Ok(Token::Number);
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
    fn take_text(&mut self, quote: u8) -> Result<Span, Malformed> {
        let start = self.at;
        loop {
            let byte = *self.bytes.get(self.at).ok_or(Malformed)?;
            self.at += 1;
            match byte {
                b'\\' => self.take_escape()?,
                0..0x20 => return Err(Malformed),
                _ if byte == quote => return Ok((start, self.at - 1)),
                _ => {}
            }
        }
    }

    fn take_escape(&mut self) -> Result<(), Malformed> {
        match self.read_char().ok_or(Malformed)? {
            'b' | 't' | 'n' | 'f' | 'r' | '"' | '/' | '\\' | '\'' => Ok(()),
            'u' => {
                for _ in 0..4 {
                    self.read_char().filter(char::is_ascii_hexdigit).ok_or(Malformed)?;
                }
                Ok(())
            }
            _ => Err(Malformed),
        }
    }

    /// Reads the next character that is no whitespace. A slash is an error: it might begin a comment.
    fn skip_to_char(&mut self) -> Result<char, Malformed> {
        loop {
            match self.read_char().ok_or(Malformed)? {
                ' ' | '\t' | '\n' | '\r' => {}
                '\0'..' ' | '/' => return Err(Malformed),
                other => return Ok(other),
            }
        }
    }

    /// One character as Java counts them: of a surrogate pair just the first half, after which nothing fits.
    fn read_char(&mut self) -> Option<char> {
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

fn compact((start, end): Span) -> Option<(u32, u32)> {
    Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?))
}
