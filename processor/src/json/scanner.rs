//! The pass over a record.

use super::column::{Column, Columns};
use super::input::Input;
use super::number::{take_non_finite, take_number, write_number};
use super::rewrite::rewrite;
use super::row::{Cell, Faults, Read, Scanned};
use super::skip::{Nesting, skip_value, skip_whitespace, take_name};
use super::text::{decode_into, take_literal};
use crate::types::DataType;

/// Converted text is kept for the next record up to this many bytes of memory.
const SCRATCH_BYTES_KEPT: usize = 1 << 20;

/// Reads records for one set of columns; keeps its memory between them.
#[derive(Debug)]
pub struct Scanner {
    pub(super) columns: Columns,
    pub(super) read: Read,
    pub(super) nesting: Nesting,
}

/// A wanted column whose value is malformed, or leaves Spark's parser within it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) index: usize,
    /// Between the quotes of its name.
    pub(super) name: (usize, usize),
    /// The first byte of its value.
    pub(super) value: usize,
}

impl Scanner {
    /// A scanner for these top-level members, by their exact names, all as STRING. A name asked for twice is found once:
    /// the second column is always NULL.
    pub fn new(columns: &[&str]) -> Self {
        Self::of(columns.iter().map(|name| Column::new(name, DataType::String)).collect())
    }

    /// A scanner for these top-level members, each of its type.
    pub fn typed(columns: &[(&str, DataType)]) -> Self {
        Self::of(columns.iter().map(|(name, data_type)| Column::new(name, data_type.clone())).collect())
    }

    fn of(columns: Vec<Column>) -> Self {
        Self {
            read: Read {
                cells: vec![Cell::Null; columns.len()],
                scratch: Vec::new(),
                whole: Vec::new(),
                faults: Faults::default(),
            },
            columns: Columns::new(columns),
            nesting: Nesting::default(),
        }
    }

    /// Reads one record's value; `None` is a null value.
    #[inline]
    pub fn scan<'a>(&'a mut self, value: Option<&'a [u8]>) -> Scanned<'a> {
        let bytes = value.unwrap_or_default();
        self.read.cells.fill(Cell::Null);
        if !self.read.whole.is_empty() {
            self.read.whole.clear();
        }
        self.read.scratch.clear();
        if self.read.scratch.capacity() > SCRATCH_BYTES_KEPT {
            self.read.scratch = Vec::new();
        }
        self.read.faults = Faults::default();
        let root = skip_whitespace(bytes, 0);
        match bytes.get(root) {
            None => {}
            Some(b'{') => self.read_object(bytes, root),
            Some(_) => self.read.faults.malformed = true,
        }
        Scanned { value: bytes, read: &self.read }
    }

    /// Reads the root object from its brace.
    #[inline]
    fn read_object(&mut self, bytes: &[u8], root: usize) {
        let mut failed = None;
        if self.read_members(&mut Input::new(bytes), root + 1, &mut failed).is_none() {
            self.read_on(bytes, root, failed);
        }
    }

    /// After an error: the columns are what Spark makes of it.
    #[cold]
    fn read_on(&mut self, bytes: &[u8], root: usize, failed: Option<Failed>) {
        let before = std::mem::take(&mut self.read.faults.unconverted);
        let whole = failed.and_then(|failed| self.replay(bytes, failed));
        if whole.is_none() {
            self.read.cells.fill(Cell::Null);
        }
        // Jackson takes base64 with raw control characters, which no other string may have.
        if whole.is_none() || self.read.faults.unconverted {
            self.read.faults.malformed = skip_value(&mut Input::new(bytes), root, &mut self.nesting).is_none();
            self.read.faults.unconverted |= !self.read.faults.malformed;
        }
        self.read.faults.unconverted |= before;
    }

    /// Reads the members; on an error `failed` says whether it stands inside a wanted column.
    #[inline]
    fn read_members(&mut self, input: &mut Input<'_>, from: usize, failed: &mut Option<Failed>) -> Option<()> {
        let bytes = input.bytes;
        let mut next = 0;
        let mut at = skip_whitespace(bytes, from);
        if bytes.get(at) == Some(&b'}') {
            return Some(());
        }
        loop {
            let (start, close, ascii_plain, value) = take_name(input, at)?;
            let name = bytes.get(start..close)?;
            at = match self.columns.find(name, ascii_plain, next) {
                Some(index) => match self.read_column(input, value, index) {
                    Some(end) => {
                        next = index + 1;
                        end
                    }
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
        if !matches!(self.columns.get(index)?.data_type, DataType::String) {
            return self.read_typed(input, at, index);
        }
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
        *self.read.cells.get_mut(index)? = cell;
        Some(end)
    }

    /// Numbers, words, objects and arrays, as text.
    fn read_other(&mut self, input: &mut Input<'_>, at: usize, first: u8) -> Option<(Cell, usize)> {
        let bytes = input.bytes;
        if let Some(number) = matches!(first, b'-' | b'0'..=b'9').then(|| take_number(bytes, at)).flatten() {
            let text = bytes.get(at..number.end)?;
            return Some((self.convert(|out| write_number(text, number.float, out)), number.end));
        }
        if let Some((end, value)) = take_non_finite(bytes, at) {
            return Some((self.convert(|out| out.extend_from_slice(value.written().as_bytes())), end));
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

    fn convert(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Cell {
        let start = self.read.scratch.len();
        write(&mut self.read.scratch);
        Cell::Scratch { start, end: self.read.scratch.len() }
    }
}
