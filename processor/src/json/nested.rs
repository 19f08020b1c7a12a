//! Reads an array, map or struct that is well-formed and converts throughout. All else is left to `replay.rs`.

use std::borrow::Cow;

use super::base64;
use super::column::find_field;
use super::input::Input;
use super::rewrite::rewrite;
use super::scalar::{self, Scalar};
use super::skip::{Nesting, skip_value, skip_whitespace, take_name};
use super::text::decode_into;
use super::token::{Token, take_token};
use crate::types::{DataType, Field, Value};

/// Reads values of one record.
#[derive(Debug)]
pub(super) struct Nested<'r, 'a> {
    pub(super) input: &'r mut Input<'a>,
    pub(super) nesting: &'r mut Nesting,
    /// Used for texts, and restored.
    pub(super) buffer: &'r mut Vec<u8>,
}

impl Nested<'_, '_> {
    /// Takes the value at `at`: it, and the index after it.
    pub(super) fn take(&mut self, at: usize, data_type: &DataType) -> Option<(Value<'static>, usize)> {
        let (token, end) = take_token(self.input, at)?;
        let value = match (token, data_type) {
            (Token::Null, _) => Value::Null,
            (Token::Scalar(scalar), _) => scalar::convert(data_type, scalar).ok()?,
            (Token::Text(text), DataType::Binary) => text.with_text(self.buffer, |text| {
                let mut bytes = Vec::new();
                base64::decode(&mut base64::Text(text), &mut bytes)?;
                Some(Value::Binary(Cow::Owned(bytes)))
            })?,
            (Token::Text(text), _) => {
                text.with_text(self.buffer, |text| scalar::convert(data_type, Scalar::Text(text)).ok())?
            }
            (Token::Open { object: true }, DataType::Struct(fields)) => return self.take_struct(end, fields),
            (Token::Open { object: true }, DataType::Map(_, values)) => return self.take_map(end, values),
            (Token::Open { object: false }, DataType::Array(element)) => return self.take_array(end, element),
            (Token::Open { .. }, DataType::String) => {
                let end = skip_value(self.input, at, self.nesting)?;
                let mut text = Vec::new();
                rewrite(self.input.bytes.get(at..end)?, &mut text);
                return Some((Value::String(Cow::Owned(text)), end));
            }
            (Token::Open { .. }, _) => return None,
        };
        Some((value, end))
    }

    /// From behind the opening bracket.
    fn take_array(&mut self, inside: usize, element: &DataType) -> Option<(Value<'static>, usize)> {
        let mut values = Vec::new();
        let mut at = skip_whitespace(self.input.bytes, inside);
        if self.input.bytes.get(at) == Some(&b']') {
            return Some((Value::Array(values.into()), at + 1));
        }
        loop {
            let (value, end) = self.take(at, element)?;
            values.push(value);
            match self.after_part(end, b']')? {
                (true, next) => at = next,
                (false, end) => return Some((Value::Array(values.into()), end)),
            }
        }
    }

    fn take_struct(&mut self, inside: usize, fields: &[Field]) -> Option<(Value<'static>, usize)> {
        let mut values = vec![Value::Null; fields.len()];
        let end = self.take_members(inside, |this, name, ascii_plain, at| {
            let Some(index) = find_field(fields, name, ascii_plain) else {
                return skip_value(this.input, at, this.nesting);
            };
            let (value, end) = this.take(at, &fields.get(index)?.data_type)?;
            *values.get_mut(index)? = value;
            Some(end)
        })?;
        Some((Value::Struct(values.into()), end))
    }

    fn take_map(&mut self, inside: usize, data_type: &DataType) -> Option<(Value<'static>, usize)> {
        let mut entries = Vec::new();
        let end = self.take_members(inside, |this, name, ascii_plain, at| {
            let mut key = Vec::with_capacity(name.len());
            if ascii_plain {
                key.extend_from_slice(name);
            } else {
                decode_into(name, &mut key);
            }
            let (value, end) = this.take(at, data_type)?;
            entries.push((Value::String(Cow::Owned(key)), value));
            Some(end)
        })?;
        Some((Value::Map(entries.into()), end))
    }

    /// The members of an object, from behind its bracket. `take` is given what stands between the quotes of a name,
    /// whether that is plain ASCII, and where the value begins; it gives where the value ends.
    fn take_members(
        &mut self,
        inside: usize,
        mut take: impl FnMut(&mut Self, &[u8], bool, usize) -> Option<usize>,
    ) -> Option<usize> {
        let bytes = self.input.bytes;
        let mut at = skip_whitespace(bytes, inside);
        if bytes.get(at) == Some(&b'}') {
            return Some(at + 1);
        }
        loop {
            let (start, close, ascii_plain, value) = take_name(self.input, at)?;
            let end = take(self, bytes.get(start..close)?, ascii_plain, value)?;
            match self.after_part(end, b'}')? {
                (true, next) => at = next,
                (false, end) => return Some(end),
            }
        }
    }

    /// After an element or member: whether another follows, and where it begins, or else where all ends.
    fn after_part(&self, at: usize, closing: u8) -> Option<(bool, usize)> {
        let bytes = self.input.bytes;
        let at = skip_whitespace(bytes, at);
        match *bytes.get(at)? {
            b',' => Some((true, skip_whitespace(bytes, at + 1))),
            byte if byte == closing => Some((false, at + 1)),
            _ => None,
        }
    }
}
