//! Rows as CSV (RFC 4180), names first; NULL is nothing between the commas.

use std::io::{self, Write};

use super::OutputRow;
use super::console::Texts;
use crate::plan::Plan;

pub(crate) struct CsvSink {
    out: csv::Writer<Box<dyn Write + Send>>,
    texts: Texts,
    has_names: bool,
}

impl CsvSink {
    pub(super) fn new(plan: &Plan, out: Box<dyn Write + Send>) -> Self {
        Self { out: csv::Writer::from_writer(out), texts: Texts::new(plan), has_names: false }
    }

    pub(super) fn push(&mut self, row: &OutputRow<'_>) -> io::Result<()> {
        self.names()?;
        for cell in self.texts.of(row) {
            self.out.write_field(cell.unwrap_or_default())?;
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.names()?;
        self.out.flush()
    }

    fn names(&mut self) -> io::Result<()> {
        if !self.has_names {
            self.has_names = true;
            self.out.write_record(self.texts.names())?;
        }
        Ok(())
    }
}
