//! The columns that are no STRING, and what becomes of all of them where a record is bad.

use super::base64;
use super::input::Input;
use super::nested::Nested;
use super::replay::Replay;
use super::row::Cell;
use super::scalar::{self, Scalar, Unconverted};
use super::scanner::{Failed, Scanner};
use super::skip::skip_value;
use super::text::decode_into;
use super::token::{Raw, Token, take_token};
use crate::types::{DataType, Value};

impl Scanner {
    /// As `read_column`, for a type other than STRING. What is not of the type leaves the column as it was.
    pub(super) fn read_typed(&mut self, input: &mut Input<'_>, at: usize, index: usize) -> Option<usize> {
        let (token, mut end) = take_token(input, at)?;
        let data_type = &self.columns.get(index)?.data_type;
        let converted = match (token, data_type) {
            (Token::Null, _) => Ok(Value::Null),
            (Token::Scalar(scalar), _) => scalar::convert_inline(data_type, scalar),
            (Token::Text(text), DataType::Binary) => {
                match self.read_binary(text) {
                    Some(cell) => *self.read.cells.get_mut(index)? = cell,
                    // Jackson then stands within the string.
                    None if text.quote == b'"' => return None,
                    None => self.read.faults.unconverted = true,
                }
                return Some(end);
            }
            (Token::Text(text), _) => {
                text.with_text(&mut self.read.scratch, |text| scalar::convert_inline(data_type, Scalar::Text(text)))
            }
            (Token::Open { object: true }, DataType::Struct(_) | DataType::Map(..))
            | (Token::Open { object: false }, DataType::Array(_))
            | (Token::Open { .. }, DataType::Null) => {
                let (nesting, buffer) = (&mut self.nesting, &mut self.read.scratch);
                let (value, after) = Nested { input, nesting, buffer }.take(at, data_type)?;
                end = after;
                Ok(value)
            }
            (Token::Open { .. }, _) => {
                end = skip_value(input, at, &mut self.nesting)?;
                Err(Unconverted::Mismatch)
            }
        };
        match converted {
            Ok(value) => {
                let cell = self.store(value);
                *self.read.cells.get_mut(index)? = cell;
            }
            Err(unconverted) => {
                self.read.faults.unconverted = true;
                self.read.faults.outdated |= unconverted == Unconverted::Outdated;
            }
        }
        Some(end)
    }

    /// `None` if it is no base64.
    fn read_binary(&mut self, text: Raw<'_>) -> Option<Cell> {
        let start = self.read.scratch.len();
        let decoded = if text.plain {
            base64::decode(&mut base64::Text(text.raw), &mut self.read.scratch)
        } else {
            let mut decoded = Vec::new();
            decode_into(text.raw, &mut decoded);
            base64::decode(&mut base64::Text(&decoded), &mut self.read.scratch)
        };
        if decoded.is_none() {
            self.read.scratch.truncate(start);
        }
        decoded.map(|()| Cell::Binary { start, end: self.read.scratch.len() })
    }

    #[inline(always)]
    fn store(&mut self, value: Value<'static>) -> Cell {
        match value {
            Value::Null => Cell::Null,
            Value::Boolean(value) => Cell::Boolean(value),
            Value::Int(value) => Cell::Int(value),
            Value::BigInt(value) => Cell::BigInt(value),
            Value::Double(value) => Cell::Double(value),
            Value::Date(value) => Cell::Date(value),
            Value::Timestamp(value) => Cell::Timestamp(value),
            whole => {
                self.read.whole.push(whole);
                Cell::Whole(self.read.whole.len() - 1)
            }
        }
    }

    /// Goes on as Spark does after an error in a wanted column. `None`: all columns are NULL.
    pub(super) fn replay(&mut self, bytes: &[u8], failed: Failed) -> Option<()> {
        let mut replay = Replay::new(bytes, failed.value, failed.name)?;
        let mut index = Some(failed.index);
        let whole = loop {
            let start = self.read.scratch.len();
            let converted = match index.and_then(|index| self.columns.get(index)) {
                None => None,
                Some(column) if column.data_type == DataType::String => match replay.string(&mut self.read.scratch) {
                    Ok(false) => Some(Cell::Null),
                    Ok(true) => Some(Cell::Scratch { start, end: self.read.scratch.len() }),
                    Err(_) => None,
                },
                Some(column) => replay.value(&column.data_type).ok().map(|value| self.store(value)),
            };
            match (index.and_then(|index| self.read.cells.get_mut(index)), converted) {
                (Some(cell), Some(converted)) => *cell = converted,
                (cell, _) => {
                    self.read.faults.unconverted |= cell.is_some();
                    self.read.scratch.truncate(start);
                    if replay.skip_children().is_err() {
                        break None;
                    }
                }
            }
            index = match replay.next_member() {
                None => break Some(()),
                Some(Err(_)) => break None,
                Some(Ok(name)) => name.and_then(|name| self.columns.find(name, false, 0)),
            };
        };
        self.read.faults.outdated |= replay.outdated;
        whole
    }
}
