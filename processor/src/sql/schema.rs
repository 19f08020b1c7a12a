//! `CREATE TABLE name (column TYPE, …) WITH (topic = '…', watermark = 'column delay', latest_by = 'column')`: the columns
//! of a topic.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use super::aggregate::has_order;
use super::error::{PlanError, refuse};
use super::text::{Text, is_keyword, point};
use super::{interval, kafka, literal, names};
use crate::expr::build::Interval;
use crate::plan::ReadFrom;
use crate::types::{DataType, Field, parse_schema};

const SHAPE: &str = "write CREATE TABLE name (column TYPE, …) WITH (topic = 'topic', watermark = 'column 5 seconds')";
const DELAY: &str = "write watermark = 'column 5 seconds'";

/// A declared topic.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) place: Span,
    pub(super) topic: String,
    pub(super) columns: Vec<Field>,
    pub(super) watermark: Option<TableWatermark>,
    /// Of a table of latest values: the columns of which each value has one row, by name.
    pub(super) latest_by: Vec<String>,
}

/// The column of the event time, and how late it may be.
#[derive(Clone, Debug)]
pub(super) struct TableWatermark {
    /// As declared.
    pub(super) name: String,
    pub(super) from: ReadFrom,
    pub(super) delay_micros: i64,
}

impl Table {
    /// A declared column: names that differ in case alone are one.
    pub(super) fn column(&self, name: &str) -> Option<&Field> {
        let folded = name.to_lowercase();
        self.columns.iter().find(|column| column.name.to_lowercase() == folded)
    }
}

/// The declared topic of a name, in any case.
pub(super) fn find<'t>(tables: &'t [Table], name: &str) -> Option<&'t Table> {
    tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
}

/// Reads a statement that starts with CREATE TABLE out of `sql`, the text that holds it.
pub(super) fn create_table(sql: &str, text: &Text) -> Result<Table, PlanError> {
    let mut cursor = Cursor { words: text.words().collect(), at: 2, end: text.end() };
    if cursor.keyword(Keyword::IF) {
        cursor.expect_keyword(Keyword::NOT)?;
        cursor.expect_keyword(Keyword::EXISTS)?;
    }
    let place = cursor.place();
    let mut parts = vec![cursor.identifier("the table's name")?];
    while cursor.token(&Token::Period) {
        parts.push(cursor.identifier("a name")?);
    }
    let name = parts.join(".");
    let open = cursor.place();
    let between = cursor.parenthesised("the columns: (column TYPE, …)")?;
    let columns = columns(sql, between)?;
    let mut topic = None;
    let mut watermark = None;
    let mut latest_by = None;
    if cursor.keyword(Keyword::WITH) {
        if !cursor.token(&Token::LParen) {
            return Err(refuse(cursor.place(), "expected ( after WITH", SHAPE));
        }
        loop {
            let option_place = cursor.place();
            let option = cursor.option()?;
            let value_place = cursor.place();
            let value = cursor.string()?;
            match option.to_ascii_lowercase().as_str() {
                "topic" if topic.is_none() => topic = Some((value, value_place)),
                "watermark" if watermark.is_none() => watermark = Some(event_time(&value, value_place, &columns)?),
                "latest_by" if latest_by.is_none() => latest_by = Some(row_key(&value, value_place, &columns)?),
                "topic" | "watermark" | "latest_by" => {
                    return Err(refuse(option_place, format!("{option} is set twice"), "leave one out"));
                }
                _ => {
                    let what = format!("{option} is no option of a table");
                    return Err(refuse(option_place, what, "set topic, watermark and latest_by"));
                }
            }
            if cursor.token(&Token::RParen) {
                break;
            }
            if !cursor.token(&Token::Comma) {
                return Err(refuse(cursor.place(), "expected , or ) after an option", SHAPE));
            }
        }
    }
    if cursor.at < cursor.words.len() {
        return Err(refuse(cursor.place(), "CREATE TABLE ends with its options", SHAPE));
    }
    if columns.is_empty() {
        return Err(refuse(open, "a table has one column at least", SHAPE));
    }
    let (topic, topic_place) = topic.unwrap_or((name.clone(), place));
    names::check(&topic, topic_place)?;
    Ok(Table { name, place, topic, columns, watermark, latest_by: latest_by.unwrap_or_default() })
}

/// The columns that a table's rows are told by: declared ones, or the record's key.
fn row_key(text: &str, place: Span, columns: &[Field]) -> Result<Vec<String>, PlanError> {
    let mut names: Vec<String> = Vec::new();
    for written in text.split(',').map(|name| name.trim().trim_matches('`')) {
        let folded = written.to_lowercase();
        let declared = columns.iter().find(|column| column.name.to_lowercase() == folded);
        let name = match declared {
            Some(column) if !has_order(&column.data_type) => {
                let what = format!("{written} is {}, which nothing is equal to", shown(&column.data_type));
                return Err(refuse(place, what, "take a column of another type"));
            }
            Some(column) => column.name.clone(),
            None if folded == "key" => folded,
            None => {
                let names = columns.iter().map(|column| column.name.as_str());
                let instead = crate::nearest::advice(written, names.chain(["key"]), "declare it, or write 'key'");
                return Err(refuse(place, format!("latest_by names {written}, which is not declared"), instead));
            }
        };
        if names.contains(&name) {
            return Err(refuse(place, format!("latest_by names {name} twice"), "leave one out"));
        }
        names.push(name);
    }
    Ok(names)
}

/// The columns between two parentheses.
fn columns(sql: &str, (from, to): (Location, Location)) -> Result<Vec<Field>, PlanError> {
    let start = byte_of(sql, from);
    let list = sql.get(start..byte_of(sql, to)).unwrap_or_default();
    if list.trim().is_empty() {
        return Ok(Vec::new());
    }
    let columns = parse_schema(list).map_err(|error| {
        let place = point(location_of(sql, start + error.position));
        let (what, instead) = error.message.split_once("; ").unwrap_or((&error.message, SHAPE));
        refuse(place, what, instead)
    })?;
    for (index, column) in columns.iter().enumerate() {
        let folded = column.name.to_lowercase();
        if columns.iter().take(index).any(|earlier| earlier.name.to_lowercase() == folded) {
            let what = format!("two columns are called {}", column.name);
            let instead = "give each a name of its own; names that differ in case alone are one";
            return Err(refuse(point(from), what, instead));
        }
    }
    Ok(columns)
}

/// `column delay`, as `Dataset.withWatermark` takes them. Spark cuts the delay to milliseconds.
fn event_time(text: &str, place: Span, columns: &[Field]) -> Result<TableWatermark, PlanError> {
    let text = text.trim();
    let (name, delay) = match text.strip_prefix('`') {
        Some(quoted) => quoted.split_once('`').unwrap_or((quoted, "")),
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    };
    let folded = name.to_lowercase();
    let declared = columns.iter().find(|column| column.name.to_lowercase() == folded);
    let kafka = kafka::column(folded.strip_prefix("kafka.").unwrap_or(&folded));
    let (name, from, data_type) = match (declared, kafka) {
        (Some(column), _) => (column.name.clone(), ReadFrom::Json, column.data_type.clone()),
        (None, Some((name, from))) => (name.to_owned(), from, kafka::data_type(from)),
        (None, None) => {
            let names = columns.iter().map(|column| column.name.as_str());
            let instead = crate::nearest::advice(name, names.chain(["timestamp"]), "declare it as a TIMESTAMP");
            return Err(refuse(place, format!("the watermark's column {name} is not declared"), instead));
        }
    };
    if data_type != DataType::Timestamp {
        let what = format!("the watermark's column {name} is {}, and event time is a TIMESTAMP", shown(&data_type));
        return Err(refuse(place, what, format!("declare it as {name} TIMESTAMP")));
    }
    let delay = delay.trim();
    let Some(interval) = interval::parse(delay) else {
        return Err(refuse(place, format!("the watermark's delay {delay:?} is no interval"), DELAY));
    };
    // A month of a delay has 31 days in Spark.
    let days = i64::from(interval.months) * 31 + i64::from(interval.days);
    let days = i32::try_from(days).unwrap_or(i32::MAX);
    let Some(micros) = interval::micros(Interval { months: 0, days, micros: interval.micros }) else {
        return Err(refuse(place, "the watermark's delay is too long", DELAY));
    };
    if micros < 0 {
        return Err(refuse(place, "the watermark's delay is negative", DELAY));
    }
    Ok(TableWatermark { name, from, delay_micros: micros / 1000 * 1000 })
}

/// A type in capitals, as people write it.
pub(super) fn shown(data_type: &DataType) -> String {
    data_type.to_string().to_ascii_uppercase()
}

/// The byte at which a place stands.
fn byte_of(sql: &str, place: Location) -> usize {
    let lines = sql.split_inclusive('\n').take(usize::try_from(place.line).unwrap_or(1).saturating_sub(1));
    let line_start: usize = lines.map(str::len).sum();
    let line = sql.get(line_start..).unwrap_or_default();
    let column = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
    line_start + line.char_indices().nth(column).map_or(line.len(), |(byte, _)| byte)
}

/// The place of a byte.
fn location_of(sql: &str, byte: usize) -> Location {
    let before = sql.get(..byte).unwrap_or(sql);
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) as u64 + 1;
    Location { line, column }
}

/// Reads the statement's words from left to right.
struct Cursor<'t> {
    words: Vec<&'t TokenWithSpan>,
    at: usize,
    end: Span,
}

impl<'t> Cursor<'t> {
    fn peek(&self) -> Option<&'t TokenWithSpan> {
        self.words.get(self.at).copied()
    }

    fn place(&self) -> Span {
        self.peek().map_or(self.end, |token| token.span)
    }

    fn token(&mut self, wanted: &Token) -> bool {
        let found = self.peek().is_some_and(|token| token.token == *wanted);
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, wanted: Keyword) -> bool {
        let found = self.peek().is_some_and(|token| is_keyword(token, wanted));
        self.at += usize::from(found);
        found
    }

    fn expect_keyword(&mut self, wanted: Keyword) -> Result<(), PlanError> {
        if self.keyword(wanted) {
            return Ok(());
        }
        Err(refuse(self.place(), format!("expected {wanted:?}"), SHAPE))
    }

    fn identifier(&mut self, what: &str) -> Result<String, PlanError> {
        match self.peek().map(|token| &token.token) {
            Some(Token::Word(word)) => {
                self.at += 1;
                Ok(literal::word(word))
            }
            _ => Err(refuse(self.place(), format!("expected {what}"), SHAPE)),
        }
    }

    /// Passes over what stands between two parentheses, and tells where that starts and ends.
    fn parenthesised(&mut self, what: &str) -> Result<(Location, Location), PlanError> {
        let open = self.place();
        if !self.token(&Token::LParen) {
            return Err(refuse(open, format!("expected {what}"), SHAPE));
        }
        let mut depth = 1;
        while let Some(token) = self.peek() {
            self.at += 1;
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok((open.end, token.span.start));
            }
        }
        Err(refuse(open, "a parenthesis is not closed", SHAPE))
    }

    /// An option's name and the sign after it.
    fn option(&mut self) -> Result<String, PlanError> {
        let place = self.place();
        let name = match self.peek().map(|token| &token.token) {
            Some(Token::Word(word)) => literal::word(word),
            Some(Token::SingleQuotedString(text)) => literal::string(text, '\''),
            Some(Token::DoubleQuotedString(text)) => literal::string(text, '"'),
            _ => return Err(refuse(place, "expected an option's name", SHAPE)),
        };
        self.at += 1;
        if !self.token(&Token::Eq) {
            return Err(refuse(self.place(), format!("expected = after {name}"), SHAPE));
        }
        Ok(name)
    }

    fn string(&mut self) -> Result<String, PlanError> {
        let text = match self.peek().map(|token| &token.token) {
            Some(Token::SingleQuotedString(text)) => literal::string(text, '\''),
            Some(Token::DoubleQuotedString(text)) => literal::string(text, '"'),
            _ => return Err(refuse(self.place(), "expected a text in quotes", SHAPE)),
        };
        self.at += 1;
        Ok(text)
    }
}
