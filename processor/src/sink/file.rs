//! The file sink: JSON lines appended to a file. A batch that runs again cuts off what it wrote before.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::OutputRow;
use super::json_lines::JsonLines;
use crate::changelog::OutputPosition;
use crate::error::QueryError;
use crate::plan::Plan;

pub(crate) struct FileSink {
    path: PathBuf,
    lines: JsonLines<File>,
    /// Bytes before the batch's first row.
    begin: u64,
}

impl FileSink {
    pub(super) fn open(plan: &Plan, path: &Path) -> Result<Self, QueryError> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| QueryError::File { path: path.to_owned(), error })?;
        Ok(Self { path: path.to_owned(), lines: JsonLines::new(plan, file), begin: 0 })
    }

    /// Behind what this query wrote last, or what others had there before its first row.
    pub(super) fn position(&self, last: &OutputPosition) -> Result<OutputPosition, QueryError> {
        if last.bytes > 0 {
            return Ok(last.clone());
        }
        let failed = |error| QueryError::File { path: self.path.clone(), error };
        let bytes = std::fs::metadata(&self.path).map_err(failed)?.len();
        Ok(OutputPosition { bytes, ..OutputPosition::default() })
    }

    pub(super) fn begin(&mut self, position: &OutputPosition) -> Result<(), QueryError> {
        self.begin = position.bytes;
        let file = self.lines.restart();
        let len = file.metadata().map(|metadata| metadata.len());
        let cut = len.and_then(|len| {
            // A file that is shorter was cut by somebody: zeros would fill the gap.
            let begin = self.begin.min(len);
            file.set_len(begin)?;
            file.seek(SeekFrom::Start(begin))
        });
        self.begin = cut.map_err(|error| QueryError::File { path: self.path.clone(), error })?;
        Ok(())
    }

    pub(super) fn push(&mut self, row: &OutputRow<'_>) -> Result<bool, QueryError> {
        self.lines.push(row).map_err(|error| QueryError::File { path: self.path.clone(), error })
    }

    pub(super) fn finish(&mut self) -> Result<OutputPosition, QueryError> {
        let failed = |error| QueryError::File { path: self.path.clone(), error };
        let written = self.lines.flush().map_err(failed)?;
        Ok(OutputPosition { bytes: self.begin + written, ..OutputPosition::default() })
    }
}
