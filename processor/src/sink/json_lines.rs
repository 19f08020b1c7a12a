//! Rows as JSON lines, to a writer: one object a row, its columns in the order of SELECT, NULL kept.

use std::io::{self, Write};

use super::OutputRow;
use super::json_row::ValueWriter;
use crate::plan::Plan;

/// Text is gathered up to so many bytes before it is written.
const BUFFER_BYTES: usize = 64 << 10;

pub(crate) struct JsonLines<W> {
    out: W,
    row: ValueWriter,
    text: Vec<u8>,
    written: u64,
}

impl<W: Write> JsonLines<W> {
    pub(super) fn new(plan: &Plan, out: W) -> Self {
        Self { out, row: ValueWriter::new(plan), text: Vec::new(), written: 0 }
    }

    /// Adds a row; true if what was gathered is written.
    pub(super) fn push(&mut self, row: &OutputRow<'_>) -> io::Result<bool> {
        self.row.write(row, &mut self.text);
        self.text.push(b'\n');
        let full = self.text.len() >= BUFFER_BYTES;
        if full {
            self.write()?;
        }
        Ok(full)
    }

    /// Writes what is gathered; returns the bytes written in all.
    pub(super) fn flush(&mut self) -> io::Result<u64> {
        self.write()?;
        self.out.flush()?;
        Ok(self.written)
    }

    /// The writer, for who has to go back in it; what is gathered is forgotten.
    pub(super) fn restart(&mut self) -> &mut W {
        self.text.clear();
        self.written = 0;
        &mut self.out
    }

    fn write(&mut self) -> io::Result<()> {
        self.out.write_all(&self.text)?;
        self.written += self.text.len() as u64;
        self.text.clear();
        Ok(())
    }
}
