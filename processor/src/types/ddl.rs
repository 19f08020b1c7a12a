//! Column lists and types as Spark's DDL writes them: `level STRING, at TIMESTAMP, a STRUCT<b: INT, c: ARRAY<STRING>>`.
//! Follows `DataTypeParser` and the `colTypeList` and `dataType` rules of Spark's grammar.

mod lexer;

use std::sync::Arc;

use lexer::{Token, Tokens};

use super::decimal::DIGITS_MAX;
use super::{DataType, Field, IntervalRange, IntervalUnit};

/// How deep types may stand in each other.
const DEPTH_MAX: usize = 100;

/// What is wrong with the text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct DdlError {
    pub(crate) message: String,
    /// In bytes from the start of the text.
    pub(crate) position: usize,
}

/// Reads a list of columns with their types.
pub(crate) fn parse_schema(text: &str) -> Result<Vec<Field>, DdlError> {
    let mut parser = Parser { tokens: Tokens::new(text), depth: 0 };
    let fields = parser.fields(&Token::End, false)?;
    if fields.is_empty() {
        return Err(parser.unexpected("a column and its type"));
    }
    Ok(fields)
}

/// Reads one type.
pub(crate) fn parse_type(text: &str) -> Result<DataType, DdlError> {
    let mut parser = Parser { tokens: Tokens::new(text), depth: 0 };
    let data_type = parser.data_type()?;
    parser.expect(&Token::End, "the end of the type")?;
    Ok(data_type)
}

struct Parser<'a> {
    tokens: Tokens<'a>,
    depth: usize,
}

impl Parser<'_> {
    /// Up to `end`, which is taken. Only a struct's fields may have a colon.
    fn fields(&mut self, end: &Token<'_>, colon: bool) -> Result<Vec<Field>, DdlError> {
        let mut fields = Vec::new();
        if self.take(end)? {
            return Ok(fields);
        }
        loop {
            let name = self.name()?;
            if colon {
                self.take(&Token::Symbol(':'))?;
            }
            let data_type = self.data_type()?;
            self.options()?;
            fields.push(Field { name, data_type });
            if self.take(end)? {
                return Ok(fields);
            }
            self.expect(&Token::Symbol(','), "a comma")?;
        }
    }

    fn name(&mut self) -> Result<String, DdlError> {
        match self.tokens.peek()? {
            Token::Word(word) if word.is_ascii() && !word.bytes().all(|byte| byte.is_ascii_digit()) => {
                let name = (*word).to_owned();
                self.tokens.advance();
                Ok(name)
            }
            Token::Quoted(name) => {
                let name = name.clone();
                self.tokens.advance();
                Ok(name)
            }
            Token::Word(_) => Err(self.unexpected("a name; one of digits or other letters is written in `backquotes`")),
            _ => Err(self.unexpected("a name")),
        }
    }

    fn data_type(&mut self) -> Result<DataType, DdlError> {
        let position = self.tokens.position()?;
        let Token::Word(word) = self.tokens.peek()? else { return Err(self.unexpected("a type")) };
        let word = word.to_ascii_uppercase();
        self.tokens.advance();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(DdlError {
                message: format!("types stand more than {DEPTH_MAX} deep in each other"),
                position,
            });
        }
        let data_type = self.named_type(&word, position)?;
        self.depth -= 1;
        Ok(data_type)
    }

    fn named_type(&mut self, word: &str, position: usize) -> Result<DataType, DdlError> {
        let instead = match word {
            "STRING" => return Ok(DataType::String),
            "BIGINT" | "LONG" => return Ok(DataType::BigInt),
            "INT" | "INTEGER" => return Ok(DataType::Int),
            "SMALLINT" | "SHORT" => return Ok(DataType::SmallInt),
            "TINYINT" | "BYTE" => return Ok(DataType::TinyInt),
            "FLOAT" | "REAL" => return Ok(DataType::Float),
            "DOUBLE" => return Ok(DataType::Double),
            "BOOLEAN" => return Ok(DataType::Boolean),
            "TIMESTAMP" | "TIMESTAMP_LTZ" => return Ok(DataType::Timestamp),
            "DATE" => return Ok(DataType::Date),
            "BINARY" => return Ok(DataType::Binary),
            "DECIMAL" | "DEC" | "NUMERIC" => return self.decimal(position),
            "ARRAY" => {
                self.expect(&Token::Symbol('<'), "`<` and the type of the elements")?;
                let element = self.data_type()?;
                self.expect(&Token::Symbol('>'), "`>`")?;
                return Ok(DataType::Array(Arc::new(element)));
            }
            "MAP" => {
                self.expect(&Token::Symbol('<'), "`<` and the types of keys and values")?;
                let key = self.data_type()?;
                self.expect(&Token::Symbol(','), "a comma and the type of the values")?;
                let value = self.data_type()?;
                self.expect(&Token::Symbol('>'), "`>`")?;
                return Ok(DataType::Map(Arc::new(key), Arc::new(value)));
            }
            "STRUCT" => {
                self.expect(&Token::Symbol('<'), "`<` and the fields")?;
                return Ok(DataType::Struct(self.fields(&Token::Symbol('>'), true)?.into()));
            }
            "INTERVAL" => return self.interval(position),
            "CHAR" | "CHARACTER" | "VARCHAR" => "STRING",
            "TIMESTAMP_NTZ" => "TIMESTAMP",
            "VOID" | "NULL" => "STRING",
            "UNSIGNED" => "BIGINT",
            _ => {
                let message = format!(
                    "{word} is no type; use STRING, BIGINT, INT, SMALLINT, TINYINT, DOUBLE, FLOAT, DECIMAL(p,s), BOOLEAN, \
                     TIMESTAMP, DATE, BINARY, INTERVAL DAY TO SECOND, STRUCT<name: type, ...>, ARRAY<type> or MAP<type, type>"
                );
                return Err(DdlError { message, position });
            }
        };
        Err(DdlError { message: format!("the type {word} is not supported; write {instead}"), position })
    }

    /// The units behind INTERVAL: one, or the largest and the smallest.
    fn interval(&mut self, position: usize) -> Result<DataType, DdlError> {
        let wrong = || DdlError {
            message: "the type INTERVAL is not supported; write INTERVAL DAY TO SECOND or INTERVAL YEAR TO MONTH, or \
                      some of their units"
                .to_owned(),
            position,
        };
        let from = self.unit()?.ok_or_else(wrong)?;
        let to = if self.take_word("TO")? { self.unit()?.filter(|to| *to > from).ok_or_else(wrong)? } else { from };
        let range = IntervalRange { from, to };
        let is_one_kind = range.is_of_months() == (to <= IntervalUnit::Month);
        if is_one_kind { Ok(DataType::Interval(range)) } else { Err(wrong()) }
    }

    fn unit(&mut self) -> Result<Option<IntervalUnit>, DdlError> {
        let unit = match self.tokens.peek()? {
            Token::Word(word) => IntervalUnit::named(&word.to_ascii_uppercase()),
            _ => None,
        };
        if unit.is_some() {
            self.tokens.advance();
        }
        Ok(unit)
    }

    /// What may stand in parentheses behind DECIMAL: digits in all (10) and after the point (0).
    fn decimal(&mut self, position: usize) -> Result<DataType, DdlError> {
        let (mut precision, mut scale) = (10, 0);
        if self.take(&Token::Symbol('('))? {
            precision = self.number()?;
            if self.take(&Token::Symbol(','))? {
                scale = self.number()?;
            }
            self.expect(&Token::Symbol(')'), "`)`")?;
        }
        let wrong = |message: String| Err(DdlError { message, position });
        if precision > u32::from(DIGITS_MAX) {
            return wrong(format!("DECIMAL has at most {DIGITS_MAX} digits, not {precision}"));
        }
        if scale > precision {
            return wrong(format!("DECIMAL({precision},{scale}) has more digits after the point than in all"));
        }
        Ok(DataType::Decimal { precision: precision as u8, scale: scale as u8 })
    }

    fn number(&mut self) -> Result<u32, DdlError> {
        let Token::Word(word) = self.tokens.peek()? else { return Err(self.unexpected("a number")) };
        let Some(number) = Some(*word).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit())) else {
            return Err(self.unexpected("a number"));
        };
        // A number beyond 32 bits is refused as too large all the same.
        let number = number.parse().unwrap_or(u32::MAX);
        self.tokens.advance();
        Ok(number)
    }

    /// NOT NULL and COMMENT: columns are nullable whatever is declared, as those that are read from JSON are in Spark.
    fn options(&mut self) -> Result<(), DdlError> {
        if self.take_word("NOT")? && !self.take_word("NULL")? {
            return Err(self.unexpected("NULL"));
        }
        if self.take_word("COMMENT")? {
            let Token::Text = self.tokens.peek()? else { return Err(self.unexpected("a comment in quotes")) };
            self.tokens.advance();
        }
        Ok(())
    }

    fn take_word(&mut self, keyword: &str) -> Result<bool, DdlError> {
        let found = matches!(self.tokens.peek()?, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        if found {
            self.tokens.advance();
        }
        Ok(found)
    }

    fn take(&mut self, token: &Token<'_>) -> Result<bool, DdlError> {
        let found = self.tokens.peek()? == token;
        if found {
            self.tokens.advance();
        }
        Ok(found)
    }

    fn expect(&mut self, token: &Token<'_>, what: &str) -> Result<(), DdlError> {
        if self.take(token)? { Ok(()) } else { Err(self.unexpected(what)) }
    }

    fn unexpected(&mut self, expected: &str) -> DdlError {
        match self.tokens.found() {
            Ok((found, position)) => DdlError { message: format!("expected {expected}, found {found}"), position },
            Err(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
