//! Numbers, texts and rows in a changelog's records. What is read may be anything: it is checked, never trusted.

use brooklet_model::TopicId;

/// Bytes that are not what this version writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) String);

impl Malformed {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// Appends `value`, seven bits a byte, low bits first.
pub(super) fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends eight bytes, big-endian: what may be negative.
pub(super) fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A row of state: each key as its length plus one and its bytes (0 is null), then the count.
pub(super) fn put_row<'k>(out: &mut Vec<u8>, key: impl Iterator<Item = Option<&'k [u8]>>, count: i64) {
    for column in key {
        match column {
            None => put_u64(out, 0),
            Some(bytes) => {
                put_u64(out, bytes.len() as u64 + 1);
                out.extend_from_slice(bytes);
            }
        }
    }
    put_u64(out, count as u64);
}

/// Takes values off the front of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or_else(cut)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::new("a number is longer than 64 bits"))
    }

    pub(super) fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_be_bytes)
    }

    pub(super) fn topic_id(&mut self) -> Result<TopicId, Malformed> {
        self.array().map(TopicId::from_bytes)
    }

    /// A number that fits an `i32` that is not negative: partitions, sequences.
    pub(super) fn index(&mut self) -> Result<i32, Malformed> {
        i32::try_from(self.u64()?).map_err(|_| Malformed::new("a number is larger than 32 bits"))
    }

    /// How many things of at least `bytes_min` bytes follow; never more than there are bytes for.
    pub(super) fn count(&mut self, bytes_min: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
        if count > self.rest.len() / bytes_min.max(1) {
            return Err(cut());
        }
        Ok(count)
    }

    pub(super) fn text(&mut self) -> Result<String, Malformed> {
        let len = self.count(1)?;
        let bytes = self.take(len)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Malformed::new("a text is not UTF-8"))
    }

    /// Reads a row's key into `key`, which is cleared first, and returns its count.
    pub(super) fn row(&mut self, columns: usize, key: &mut Vec<Option<&'a [u8]>>) -> Result<i64, Malformed> {
        key.clear();
        for _ in 0..columns {
            key.push(match self.u64()? {
                0 => None,
                len => Some(self.take(usize::try_from(len - 1).unwrap_or(usize::MAX))?),
            });
        }
        self.u64().map(|count| count as i64)
    }

    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed::new(format!("{} bytes are left over", self.rest.len()))) }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(cut)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(cut)?;
        self.rest = rest;
        Ok(*bytes)
    }
}

fn cut() -> Malformed {
    Malformed::new("a record is cut short")
}
