//! What a read returns: consecutive bytes of a log, in memory or still in a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// Consecutive bytes of a log.
#[derive(Clone, Debug, Default)]
pub struct LogSlice {
    /// In order, without gaps.
    pub parts: Vec<SlicePart>,
}

/// A run of a [`LogSlice`].
#[derive(Clone, Debug)]
pub enum SlicePart {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes of a segment file; they stay readable while the file is held, deleted or not.
    File {
        /// The segment.
        file: Arc<File>,
        /// Where in it.
        position: u64,
        /// How many bytes.
        len: usize,
    },
}

impl SlicePart {
    /// Bytes in the part.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File { len, .. } => *len,
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl LogSlice {
    /// Bytes in all parts.
    pub fn len(&self) -> usize {
        self.parts.iter().map(SlicePart::len).sum()
    }

    /// Whether there is nothing to read (yet).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All in one buffer; without a copy when it is one part in memory.
    pub fn into_bytes(mut self) -> io::Result<Bytes> {
        if let [SlicePart::Bytes(bytes)] = self.parts.as_mut_slice() {
            return Ok(std::mem::take(bytes));
        }
        let mut out = BytesMut::zeroed(self.len());
        let mut rest = out.as_mut();
        for part in &self.parts {
            let (head, tail) = rest.split_at_mut(part.len());
            match part {
                SlicePart::Bytes(bytes) => head.copy_from_slice(bytes),
                SlicePart::File { file, position, .. } => file.read_exact_at(head, *position)?,
            }
            rest = tail;
        }
        Ok(out.freeze())
    }
}
