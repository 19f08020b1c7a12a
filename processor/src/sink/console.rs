//! The console sink: what Spark's console prints, to a writer.

use std::io::{self, Write};

use super::OutputRow;
use crate::console::{ROWS_SHOWN, render_batch};
use crate::plan::Plan;
use crate::types::{DataType, to_text};

/// One more than is shown: the renderer says whether there are more.
pub(super) const ROWS_WANTED: usize = ROWS_SHOWN + 1;

/// Keeps the first rows of a batch as text.
pub(crate) struct ConsoleSink {
    out: Box<dyn Write + Send>,
    texts: Texts,
    rows: Vec<Vec<Option<String>>>,
}

/// Makes a row's cells into text.
pub(super) struct Texts {
    columns: Vec<(String, DataType)>,
}

impl Texts {
    pub(super) fn new(plan: &Plan) -> Self {
        let columns = plan.output.iter().map(|column| (column.name.clone(), column.data_type.clone()));
        Self { columns: columns.collect() }
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// As `Dataset.show` has them; `None` is NULL.
    pub(super) fn of(&self, row: &OutputRow<'_>) -> Vec<Option<String>> {
        let cell = |(value, (_, data_type)): (&_, &(String, DataType))| {
            let mut text = Vec::new();
            to_text(value, data_type, &mut text).then(|| String::from_utf8_lossy(&text).into_owned())
        };
        row.values.iter().zip(&self.columns).map(cell).collect()
    }
}

impl ConsoleSink {
    pub(super) fn new(plan: &Plan, out: Box<dyn Write + Send>) -> Self {
        Self { out, texts: Texts::new(plan), rows: Vec::new() }
    }

    pub(super) fn begin(&mut self) {
        self.rows.clear();
    }

    pub(super) fn push(&mut self, row: &OutputRow<'_>) {
        if self.rows.len() < ROWS_WANTED {
            self.rows.push(self.texts.of(row));
        }
    }

    pub(super) fn finish(&mut self, batch: u64) -> io::Result<()> {
        let mut text = Vec::new();
        let rows = self.rows.iter().map(|row| row.iter().map(Option::as_deref));
        render_batch(&mut text, batch, &self.texts.names(), rows);
        self.out.write_all(&text)?;
        self.out.flush()
    }
}
