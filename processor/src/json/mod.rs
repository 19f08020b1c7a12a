//! Reads the wanted top-level columns of a JSON record, all as STRING, with the meaning of Spark 3.4's
//! `from_json(CAST(value AS STRING), schema)` in PERMISSIVE mode.
//!
//! One pass. The whole root object is checked, wanted or not: a syntax error anywhere in it makes every column null
//! (unless it stands inside a wanted column; see `recover.rs`). What follows the root object is not looked at. See `JacksonParser` and `JsonToStructs` of Spark, and
//! `ReaderBasedJsonParser` of Jackson 2.14, whose options Spark sets so: single quotes and the non-finite numbers are
//! allowed; comments, unquoted names, leading zeros and raw control characters are not. Nesting has no bound.

mod big;
mod identifier;
mod input;
mod java_double;
mod number;
mod recover;
mod rewrite;
mod skip;
mod stops;
mod text;

use input::Input;
use number::{take_non_finite, take_number, write_number};
use recover::{Malformed, Parser};
use rewrite::rewrite;
use skip::{Nesting, skip_value, skip_whitespace, take_name};
use text::{decode_into, decodes_to, take_literal};

use crate::short::ShortKey;

/// Converted text is kept for the next record up to this many bytes of memory.
const SCRATCH_BYTES_KEPT: usize = 1 << 20;

/// Reads records for one set of columns; keeps its memory between them.
#[derive(Debug)]
pub struct Scanner {
    columns: Vec<Column>,
    cells: Vec<Cell>,
    scratch: Vec<u8>,
    nesting: Nesting,
}

#[derive(Debug)]
struct Column {
    name: Box<[u8]>,
    short: Option<ShortKey>,
}

/// Where a column's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Null,
    /// In the record's value, as it stands there.
    Value {
        start: usize,
        end: usize,
    },
    /// In the scratch memory, converted.
    Scratch {
        start: usize,
        end: usize,
    },
}

/// A wanted column whose value is malformed.
#[derive(Clone, Copy, Debug)]
struct Failed {
    index: usize,
    /// Between the quotes of its name.
    name: (usize, usize),
    /// The first byte of its value.
    value: usize,
}

/// One record's columns, borrowed from its value and the scanner.
#[derive(Clone, Copy, Debug)]
pub struct Scanned<'a> {
    value: &'a [u8],
    scratch: &'a [u8],
    cells: &'a [Cell],
    malformed: bool,
}

impl<'a> Scanned<'a> {
    /// The text of the column with this index, in UTF-8; `None` is NULL (also past the last column).
    #[inline]
    pub fn column(&self, index: usize) -> Option<&'a [u8]> {
        match *self.cells.get(index)? {
            Cell::Null => None,
            Cell::Value { start, end } => self.value.get(start..end),
            Cell::Scratch { start, end } => self.scratch.get(start..end),
        }
    }

    /// All columns in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Option<&'a [u8]>> + use<'a> {
        let this = *self;
        (0..self.cells.len()).map(move |index| this.column(index))
    }

    /// Whether the record is bad: what Spark would put into `_corrupt_record`. Its value is not null, holds more than
    /// whitespace, and does not begin with a well-formed JSON object. (An empty value is null columns, but not bad.)
    #[inline]
    pub fn malformed(&self) -> bool {
        self.malformed
    }
}

impl Scanner {
    /// A scanner for these top-level members, by their exact names. A name asked for twice is found once: the second
    /// column is always NULL.
    pub fn new(columns: &[&str]) -> Self {
        Self {
            columns: columns.iter().map(|name| Column::new(name.as_bytes())).collect(),
            cells: vec![Cell::Null; columns.len()],
            scratch: Vec::new(),
            nesting: Nesting::default(),
        }
    }

    /// Reads one record's value; `None` is a null value.
    #[inline]
    pub fn scan<'a>(&'a mut self, value: Option<&'a [u8]>) -> Scanned<'a> {
        let bytes = value.unwrap_or_default();
        self.cells.fill(Cell::Null);
        self.scratch.clear();
        if self.scratch.capacity() > SCRATCH_BYTES_KEPT {
            self.scratch = Vec::new();
        }
        let root = skip_whitespace(bytes, 0);
        let malformed = match bytes.get(root) {
            None => false,
            Some(b'{') => self.read_object(bytes, root + 1).is_none(),
            Some(_) => true,
        };
        Scanned { value: bytes, scratch: &self.scratch, cells: &self.cells, malformed }
    }

    /// Reads the root object from behind its brace; `None` if it is malformed, the columns then being what Spark makes
    /// of it.
    #[inline]
    fn read_object(&mut self, bytes: &[u8], from: usize) -> Option<()> {
        let mut column = None;
        let whole = self.read_members(&mut Input::new(bytes), from, &mut column);
        if whole.is_none() {
            let recovered = column.and_then(|column| self.recover(bytes, column));
            if recovered.is_none() {
                self.cells.fill(Cell::Null);
            }
        }
        whole
    }

    /// Reads the members; on an error `column` says whether it stands inside a wanted column.
    #[inline]
    fn read_members(&mut self, input: &mut Input<'_>, from: usize, failed: &mut Option<Failed>) -> Option<()> {
        let bytes = input.bytes;
        let mut at = skip_whitespace(bytes, from);
        if bytes.get(at) == Some(&b'}') {
            return Some(());
        }
        loop {
            let (start, close, ascii_plain, value) = take_name(input, at)?;
            let name = bytes.get(start..close)?;
            at = match find_column(&self.columns, name, ascii_plain) {
                Some(index) => match self.read_column(input, value, index) {
                    Some(end) => end,
                    None => {
                        *failed = Some(Failed { index, name: (start, close), value });
                        return None;
                    }
                },
                None => skip_value(input, value, &mut self.nesting)?,
            };
            at = skip_whitespace(bytes, at);
            match bytes.get(at)? {
                b',' => at = skip_whitespace(bytes, at + 1),
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Reads the value at `at` into a column; gives the index after it. Of repeated members the last one stays.
    #[inline]
    fn read_column(&mut self, input: &mut Input<'_>, at: usize, index: usize) -> Option<usize> {
        let bytes = input.bytes;
        let first = *bytes.get(at)?;
        let (cell, end) = if first == b'"' || first == b'\'' {
            let literal = take_literal(input, at + 1, first)?;
            let (start, end) = (at + 1, literal.close);
            let raw = bytes.get(start..end)?;
            if literal.ascii_plain || (!raw.contains(&b'\\') && std::str::from_utf8(raw).is_ok()) {
                (Cell::Value { start, end }, end + 1)
            } else {
                (self.convert(|out| decode_into(raw, out)), end + 1)
            }
        } else {
            self.read_other(input, at, first)?
        };
        *self.cells.get_mut(index)? = cell;
        Some(end)
    }

    /// Numbers, words, objects and arrays.
    fn read_other(&mut self, input: &mut Input<'_>, at: usize, first: u8) -> Option<(Cell, usize)> {
        let bytes = input.bytes;
        if let Some(number) = matches!(first, b'-' | b'0'..=b'9').then(|| take_number(bytes, at)).flatten() {
            let text = bytes.get(at..number.end)?;
            return Some((self.convert(|out| write_number(text, number.float, out)), number.end));
        }
        if let Some((end, written)) = take_non_finite(bytes, at) {
            return Some((self.convert(|out| out.extend_from_slice(written)), end));
        }
        let end = skip_value(input, at, &mut self.nesting)?;
        let cell = match first {
            b'n' => Cell::Null,
            b'{' | b'[' => {
                let text = bytes.get(at..end)?;
                self.convert(|out| rewrite(text, out))
            }
            _ => Cell::Value { start: at, end },
        };
        Some((cell, end))
    }

    /// Goes on as Spark does after an error in a wanted column. `None`: all columns are NULL.
    #[cold]
    fn recover(&mut self, bytes: &[u8], failed: Failed) -> Option<()> {
        // Of other values Spark sees the error before it comes to the column.
        if !matches!(bytes.get(failed.value), Some(b'"' | b'{' | b'[')) {
            return None;
        }
        let mut parser = Parser::new(bytes, failed.value, failed.name)?;
        let mut index = Some(failed.index);
        loop {
            let start = self.scratch.len();
            let converted = match index {
                Some(_) => parser.convert(&mut self.scratch),
                None => Err(Malformed),
            };
            match (index.and_then(|index| self.cells.get_mut(index)), converted) {
                (Some(cell), Ok(false)) => *cell = Cell::Null,
                (Some(cell), Ok(true)) => *cell = Cell::Scratch { start, end: self.scratch.len() },
                _ => {
                    self.scratch.truncate(start);
                    parser.skip_children().ok()?;
                }
            }
            index = match parser.next_member() {
                None => return Some(()),
                Some(Err(_)) => return None,
                Some(Ok(name)) => name.and_then(|name| find_column(&self.columns, name, false)),
            };
        }
    }

    fn convert(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Cell {
        let start = self.scratch.len();
        write(&mut self.scratch);
        Cell::Scratch { start, end: self.scratch.len() }
    }
}

impl Column {
    fn new(name: &[u8]) -> Self {
        Self { name: name.into(), short: ShortKey::of(name) }
    }
}

/// The column that is named by what stands between the quotes of a member's name.
#[inline(always)]
fn find_column(columns: &[Column], name: &[u8], ascii_plain: bool) -> Option<usize> {
    if !ascii_plain {
        return columns.iter().position(|column| decodes_to(name, &column.name));
    }
    columns.iter().position(|column| {
        column.name.len() == name.len()
            && if column.short.is_some() { column.short == ShortKey::of(name) } else { *column.name == *name }
    })
}
