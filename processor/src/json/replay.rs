//! What Spark makes of a record from a wanted column on that turns out malformed inside, or does not convert in a way
//! that leaves the parser within it.
//!
//! Spark does not give such a record up at once: the column's converter fails, the failure is noted, and the parser
//! goes on from wherever it stopped. If it then meets the end of an object, the columns read so far (and those read by
//! accident afterwards) are kept: `{"level":"A","level":{"x":tru}}` gives A. An error outside a wanted column makes all
//! of them null. The same goes for structs in the record, of which nothing is kept once a part has failed; arrays are
//! left at the first failure, maps go on. So what is needed here is `JacksonParser.convertObject`, `convertMap` and
//! `convertArray`, over Jackson's parser. Slow, and only for records that are bad.

use std::borrow::Cow;

use super::base64;
use super::column::find_field;
use super::number::write_number;
use super::parser::{Parser, Token};
use super::reader::{Malformed, Span};
use super::rewrite::write_string;
use super::scalar::{self, Scalar, Unconverted};
use super::text::decode_into;
use crate::types::{DataType, Field, Value};

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The parser stands anywhere.
    Stopped,
    /// Read to its end, but a part of it failed (`PartialResultException`).
    Partial,
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Self {
        Self::Stopped
    }
}

/// Reads on as Spark does.
#[derive(Debug)]
pub(super) struct Replay<'a> {
    parser: Parser<'a>,
    /// A time was met that makes Spark end the query.
    pub(super) outdated: bool,
}

impl<'a> Replay<'a> {
    /// From the value that begins at `value`, of the root object's member `name`. `None` where Spark sees an error before
    /// it comes to the column.
    pub(super) fn new(bytes: &'a [u8], value: usize, name: Span) -> Option<Self> {
        if !matches!(bytes.get(value), Some(b'"' | b'{' | b'[')) {
            return None;
        }
        Some(Self { parser: Parser::new(bytes, value, name)?, outdated: false })
    }

    /// Goes on to the next token at which a column may be read: its name, or `None` if it is in no object. Ends at
    /// the end of an object, any object, and after a name whose value has failed.
    pub(super) fn next_member(&mut self) -> Option<Result<Option<&'a [u8]>, Malformed>> {
        match self.parser.next_token() {
            Err(malformed) => Some(Err(malformed)),
            Ok(None | Some(Token::End { object: true })) => None,
            Ok(Some(_)) => Some(Ok(self.parser.name())),
        }
    }

    pub(super) fn skip_children(&mut self) -> Result<(), Malformed> {
        self.parser.skip_children()
    }

    /// The value for a STRING column at this token, appended to `out`; false is NULL.
    pub(super) fn string(&mut self, out: &mut Vec<u8>) -> Result<bool, Malformed> {
        match self.value_token()? {
            None | Some(Token::Null) => return Ok(false),
            Some(Token::Text) => decode_into(self.parser.text()?, out),
            Some(Token::Start { object }) => self.copy_contents(object, out)?,
            Some(Token::End { .. }) => return Err(Malformed),
            Some(token) => self.copy_scalar(token, out)?,
        }
        Ok(true)
    }

    /// The value for a column of any type at this token.
    pub(super) fn value(&mut self, data_type: &DataType) -> Result<Value<'static>, Failure> {
        if *data_type == DataType::String {
            let mut text = Vec::new();
            return Ok(if self.string(&mut text)? { Value::String(Cow::Owned(text)) } else { Value::Null });
        }
        match (self.value_token()?, data_type) {
            (None | Some(Token::Null), _) | (_, DataType::Null) => Ok(Value::Null),
            (Some(Token::Start { object: true }), DataType::Struct(fields)) => self.struct_of(fields),
            (Some(Token::Start { object: true }), DataType::Map(_, values)) => self.map_of(values),
            (Some(Token::Start { object: false }), DataType::Array(element)) => self.array_of(element),
            (Some(Token::Text), DataType::Binary) => self.binary(),
            (Some(token), _) => self.scalar(token, data_type),
        }
    }

    /// The present token, or that of the value whose name it is.
    fn value_token(&mut self) -> Result<Option<Token>, Malformed> {
        while self.parser.token() == Some(Token::Name) {
            self.parser.next_token()?;
        }
        Ok(self.parser.token())
    }

    fn scalar(&mut self, token: Token, data_type: &DataType) -> Result<Value<'static>, Failure> {
        let mut text = Vec::new();
        let scalar = match token {
            Token::Text => {
                decode_into(self.parser.text()?, &mut text);
                Scalar::Text(&text)
            }
            Token::Number { float } => Scalar::Number { text: self.parser.number(), float },
            Token::NonFinite(value) => Scalar::NonFinite(value),
            Token::Boolean(value) => Scalar::Boolean(value),
            _ => return Err(Failure::Stopped),
        };
        scalar::convert(data_type, scalar).map_err(|unconverted| {
            self.outdated |= unconverted == Unconverted::Outdated;
            Failure::Stopped
        })
    }

    fn binary(&mut self) -> Result<Value<'static>, Failure> {
        let mut out = Vec::new();
        match self.parser.binary(&mut out) {
            Some(decoded) => decoded?,
            None => {
                let mut text = Vec::new();
                decode_into(self.parser.text()?, &mut text);
                base64::decode(&mut base64::Text(&text), &mut out).ok_or(Malformed)?;
            }
        }
        Ok(Value::Binary(Cow::Owned(out)))
    }

    fn struct_of(&mut self, fields: &[Field]) -> Result<Value<'static>, Failure> {
        let mut values = vec![Value::Null; fields.len()];
        let mut whole = true;
        while let Some(name) = self.next_member() {
            let index = name?.and_then(|name| find_field(fields, name, false));
            match index.and_then(|index| Some((fields.get(index)?, values.get_mut(index)?))) {
                None => self.skip_children()?,
                Some((field, value)) => match self.value(&field.data_type) {
                    Ok(converted) => *value = converted,
                    Err(_) => {
                        whole = false;
                        self.skip_children()?;
                    }
                },
            }
        }
        if whole { Ok(Value::Struct(values.into())) } else { Err(Failure::Partial) }
    }

    fn map_of(&mut self, data_type: &DataType) -> Result<Value<'static>, Failure> {
        let mut entries = Vec::new();
        let mut failure = None;
        while let Some(name) = self.next_member() {
            let name = name?;
            let outdated = self.outdated;
            match self.value(data_type) {
                Ok(value) => {
                    let mut key = Vec::new();
                    // Only what is left of an array has no name, and that is behind a failure.
                    decode_into(name.unwrap_or_default(), &mut key);
                    entries.push((Value::String(Cow::Owned(key)), value));
                    continue;
                }
                Err(Failure::Partial) => failure = failure.or(Some(Failure::Partial)),
                // The key has no value, and the map is not made after all (`ArrayBasedMapData` requires as many).
                Err(Failure::Stopped) => {
                    failure = Some(Failure::Stopped);
                    self.skip_children()?;
                }
            }
            // Here alone Spark does not let that exception pass.
            self.outdated = outdated;
        }
        match failure {
            None => Ok(Value::Map(entries.into())),
            Some(failure) => Err(failure),
        }
    }

    fn array_of(&mut self, element: &DataType) -> Result<Value<'static>, Failure> {
        let mut values = Vec::new();
        let mut whole = true;
        while !matches!(self.parser.next_token()?, None | Some(Token::End { object: false })) {
            match self.value(element) {
                Ok(value) => values.push(value),
                Err(Failure::Partial) => whole = false,
                Err(Failure::Stopped) => return Err(Failure::Stopped),
            }
        }
        if whole { Ok(Value::Array(values.into())) } else { Err(Failure::Partial) }
    }

    fn copy_contents(&mut self, object: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
        out.push(if object { b'{' } else { b'[' });
        let mut depth = 1usize;
        let mut comma = false;
        while depth > 0 {
            let token = self.parser.next_token()?.ok_or(Malformed)?;
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
                    write_string(self.parser.name().unwrap_or_default(), out);
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
            Token::Text => write_string(self.parser.text()?, out),
            Token::Number { float } => write_number(self.parser.number(), float, out),
            Token::NonFinite(value) => out.extend_from_slice(value.written().as_bytes()),
            Token::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            _ => out.extend_from_slice(b"null"),
        }
        Ok(())
    }
}
