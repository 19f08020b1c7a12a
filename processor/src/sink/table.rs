//! One table of all rows, for a query over what is there.

use std::io::{self, Write};

use super::OutputRow;
use super::console::Texts;
use crate::console::render_table;
use crate::plan::Plan;

pub(crate) struct TableSink {
    out: Box<dyn Write + Send>,
    texts: Texts,
    rows: Vec<Vec<Option<String>>>,
}

impl TableSink {
    pub(super) fn new(plan: &Plan, out: Box<dyn Write + Send>) -> Self {
        Self { out, texts: Texts::new(plan), rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: &OutputRow<'_>) {
        self.rows.push(self.texts.of(row));
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        let text = render_table(&self.texts.names(), &self.rows);
        self.rows.clear();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}
