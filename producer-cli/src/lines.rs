use std::io::{self, BufRead};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::source::{RecordSource, Sourced};

/// Lines as records, as kcat reads them: the newline is not part of the record, a last line without one counts,
/// empty lines are skipped, nothing else is changed (a carriage return stays).
///
/// A line above `bytes_max` is passed over without being held in memory.
pub struct Lines<R> {
    reader: R,
    key_separator: Option<Vec<u8>>,
    bytes_max: usize,
    line: Vec<u8>,
    bytes_read: Arc<AtomicU64>,
}

impl<R: BufRead + Send> Lines<R> {
    /// Lines of `reader`; with a `key_separator`, what stands before its first occurrence is the key.
    pub fn new(reader: R, key_separator: Option<&str>, bytes_max: usize) -> Self {
        let key_separator = key_separator.filter(|it| !it.is_empty()).map(|it| it.as_bytes().to_vec());
        Self { reader, key_separator, bytes_max, line: Vec::new(), bytes_read: Arc::default() }
    }

    /// Counts the bytes taken from the reader so far, newlines included.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    /// Reads up to the next newline into `line`.
    fn read_line(&mut self) -> io::Result<Line> {
        self.line.clear();
        let mut seen = false;
        let mut too_long = false;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(Line::of(seen, too_long));
            }
            seen = true;
            let newline = available.iter().position(|&byte| byte == b'\n');
            let (piece, _) = available.split_at(newline.unwrap_or(available.len()));
            if self.line.len() + piece.len() > self.bytes_max {
                too_long = true;
                self.line.clear();
            }
            if !too_long {
                self.line.extend_from_slice(piece);
            }
            let used = piece.len() + usize::from(newline.is_some());
            self.reader.consume(used);
            self.bytes_read.fetch_add(used as u64, Ordering::Relaxed);
            if newline.is_some() {
                return Ok(Line::of(seen, too_long));
            }
        }
    }
}

enum Line {
    Whole,
    TooLong,
    End,
}

impl Line {
    fn of(seen: bool, too_long: bool) -> Self {
        match (seen, too_long) {
            (false, _) => Self::End,
            (true, true) => Self::TooLong,
            (true, false) => Self::Whole,
        }
    }
}

impl<R: BufRead + Send> RecordSource for Lines<R> {
    fn next(&mut self) -> io::Result<Sourced<'_>> {
        loop {
            match self.read_line()? {
                Line::End => return Ok(Sourced::End),
                Line::TooLong => return Ok(Sourced::TooLong),
                Line::Whole if self.line.is_empty() => {}
                Line::Whole => break,
            }
        }
        let line = self.line.as_slice();
        let separator = self.key_separator.as_deref().unwrap_or_default();
        Ok(match find(line, separator) {
            Some((key, value)) => Sourced::Record { key: Some(key), value },
            None => Sourced::Record { key: None, value: line },
        })
    }
}

/// What stands before and after the first `separator` in `line`; `None` without one.
fn find<'a>(line: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    if separator.is_empty() {
        return None;
    }
    let at = line.windows(separator.len()).position(|window| window == separator)?;
    let (key, rest) = line.split_at(at);
    Some((key, rest.split_at(separator.len()).1))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    type Owned = (Option<Vec<u8>>, Vec<u8>);

    fn read(input: &[u8], separator: Option<&str>, bytes_max: usize, buffer: usize) -> (Vec<Owned>, usize) {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, input), separator, bytes_max);
        let (mut records, mut too_long) = (Vec::new(), 0);
        loop {
            match lines.next().unwrap() {
                Sourced::Record { key, value } => records.push((key.map(<[u8]>::to_vec), value.to_vec())),
                Sourced::TooLong => too_long += 1,
                Sourced::End => break,
            }
        }
        assert_eq!(lines.bytes_read().load(Ordering::Relaxed), input.len() as u64);
        (records, too_long)
    }

    fn values(input: &[u8]) -> Vec<Vec<u8>> {
        read(input, None, 100, 3).0.into_iter().map(|(key, value)| (assert_eq!(key, None), value).1).collect()
    }

    #[test]
    fn a_line_is_a_record() {
        assert_eq!(values(b"one\ntwo\n"), [b"one", b"two"]);
        assert_eq!(values(b"one\ntwo"), [b"one", b"two"], "a last line without newline counts");
        assert_eq!(values(b"\none\n\n\ntwo\n\n"), [b"one", b"two"], "empty lines are skipped");
        assert_eq!(values(b"one\r\n \n"), [b"one\r".as_slice(), b" "], "nothing is trimmed");
        assert_eq!(values(b"\xff\x00\n"), [b"\xff\x00"], "any bytes");
        assert!(values(b"").is_empty() && values(b"\n").is_empty());
    }

    #[test]
    fn the_key_stands_before_the_first_separator() {
        let (records, _) = read(b"k::v::w\nplain\n::v\nk::\n", Some("::"), 100, 4);
        let expected: [(Option<&[u8]>, &[u8]); 4] =
            [(Some(b"k"), b"v::w"), (None, b"plain"), (Some(b""), b"v"), (Some(b"k"), b"")];
        let expected: Vec<Owned> = expected.iter().map(|(k, v)| (k.map(<[u8]>::to_vec), v.to_vec())).collect();
        assert_eq!(records, expected);
    }

    #[test]
    fn a_line_too_long_is_passed_over_at_any_buffer_size() {
        for buffer in 1..20 {
            let (records, too_long) = read(b"12345\n123456\n1\n1234567890", None, 5, buffer);
            assert_eq!(records, [(None, b"12345".to_vec()), (None, b"1".to_vec())], "buffer of {buffer}");
            assert_eq!(too_long, 2);
        }
    }
}
