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
    pub fn into_bytes(self) -> io::Result<Bytes> {
        self.into_bytes_in(BytesMut::new())
    }

    /// The same, in the memory of `buffer` where there is a copy; nothing of what it holds is kept.
    ///
    /// Whoever reads again and again takes the buffer back from the bytes when it is done with them
    /// ([`Bytes::try_into_mut`]): fresh memory would be cleared each time.
    pub fn into_bytes_in(mut self, mut buffer: BytesMut) -> io::Result<Bytes> {
        if let [SlicePart::Bytes(bytes)] = self.parts.as_mut_slice() {
            return Ok(std::mem::take(bytes));
        }
        buffer.resize(self.len(), 0);
        let mut rest = buffer.as_mut();
        for part in &self.parts {
            let (head, tail) = rest.split_at_mut(part.len());
            match part {
                SlicePart::Bytes(bytes) => head.copy_from_slice(bytes),
                SlicePart::File { file, position, .. } => file.read_exact_at(head, *position)?,
            }
            rest = tail;
        }
        Ok(buffer.freeze())
    }

    /// The first `len` bytes, or all where there are fewer.
    #[must_use]
    pub fn first(mut self, len: usize) -> Self {
        let mut left = len;
        self.parts.retain_mut(|part| {
            let kept = part.len().min(left);
            match part {
                SlicePart::Bytes(bytes) => bytes.truncate(kept),
                SlicePart::File { len, .. } => *len = kept,
            }
            left -= kept;
            kept > 0
        });
        self
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn of_three_parts() -> LogSlice {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"..cdef..").unwrap();
        let in_file = SlicePart::File { file: Arc::new(file), position: 2, len: 4 };
        let in_memory = |bytes| SlicePart::Bytes(Bytes::from_static(bytes));
        LogSlice { parts: vec![in_memory(b"ab"), in_file, in_memory(b"gh")] }
    }

    #[test]
    fn the_first_bytes_end_in_any_part() {
        for len in 0..=8 {
            let first = of_three_parts().first(len);
            assert_eq!(first.len(), len);
            assert_eq!(first.into_bytes().unwrap(), &b"abcdefgh"[..len]);
        }
        assert_eq!(of_three_parts().first(9).into_bytes().unwrap(), &b"abcdefgh"[..]);
    }

    #[test]
    fn nothing_is_kept_of_what_a_buffer_held() {
        for held in [&b""[..], b"xyz", b"something that is longer"] {
            let read = of_three_parts().into_bytes_in(BytesMut::from(held)).unwrap();
            assert_eq!(read, &b"abcdefgh"[..]);
            assert_eq!(read.try_into_mut().unwrap(), &b"abcdefgh"[..]);
        }
    }
}
