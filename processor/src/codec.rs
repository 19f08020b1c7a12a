//! Numbers and texts in what a query keeps: changelog, keys, state. What is read may be anything: it is checked, never
//! trusted.

use brooklet_model::TopicId;

/// Bytes that are not what this version writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) String);

impl Malformed {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// Appends `value`, seven bits a byte, low bits first.
pub(crate) fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends eight bytes, big-endian: what may be negative.
pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a number that may be negative, small ones (of either sign) in few bytes.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_u64(out, (value << 1 ^ value >> 63) as u64);
}

/// Appends a number of 128 bits as its bytes, big-endian, without those in front that only repeat the sign.
pub(crate) fn put_i128(out: &mut Vec<u8>, value: i128) {
    let bytes = value.to_be_bytes();
    let sign: u8 = if value < 0 { 0xff } else { 0 };
    let len = bytes.len() - bytes.iter().take_while(|byte| **byte == sign).count();
    // The first bit that stays must tell the sign.
    let needs_sign = bytes.get(16 - len).is_none_or(|first| (first ^ sign) & 0x80 != 0);
    let len = (len + usize::from(needs_sign)).min(16);
    put_bytes(out, bytes.get(16 - len..).unwrap_or(&bytes));
}

/// Takes values off the front of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or_else(cut)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
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

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_be_bytes)
    }

    pub(crate) fn topic_id(&mut self) -> Result<TopicId, Malformed> {
        self.array().map(TopicId::from_bytes)
    }

    /// A number that fits an `i32` that is not negative: partitions, sequences.
    pub(crate) fn index(&mut self) -> Result<i32, Malformed> {
        i32::try_from(self.u64()?).map_err(|_| Malformed::new("a number is larger than 32 bits"))
    }

    /// How many things of at least `bytes_min` bytes follow; never more than there are bytes for.
    pub(crate) fn count(&mut self, bytes_min: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
        if count > self.rest.len() / bytes_min.max(1) {
            return Err(cut());
        }
        Ok(count)
    }

    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        let bytes = self.bytes()?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Malformed::new("a text is not UTF-8"))
    }

    /// What [`put_bytes`] wrote.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.count(1)?;
        self.take(len)
    }

    /// What [`put_signed`] wrote.
    pub(crate) fn signed(&mut self) -> Result<i64, Malformed> {
        self.u64().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// What [`put_i128`] wrote.
    pub(crate) fn i128(&mut self) -> Result<i128, Malformed> {
        let bytes = self.bytes()?;
        if bytes.len() > 16 {
            return Err(Malformed::new("a number is longer than 128 bits"));
        }
        let sign = bytes.first().map_or(0, |first| (*first as i8 >> 7) as i128);
        Ok(bytes.iter().fold(sign, |value, byte| value << 8 | i128::from(*byte)))
    }

    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed::new(format!("{} bytes are left over", self.rest.len()))) }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(cut)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(cut)?;
        self.rest = rest;
        Ok(*bytes)
    }
}

fn cut() -> Malformed {
    Malformed::new("a record is cut short")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_read_as_they_were_written(a: i64, b: i128, shift in 0u32..128, c: u64) {
            let mut out = Vec::new();
            put_signed(&mut out, a >> (shift % 64));
            put_i128(&mut out, b >> shift);
            put_u64(&mut out, c >> (shift % 64));
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.signed().unwrap(), a >> (shift % 64));
            prop_assert_eq!(reader.i128().unwrap(), b >> shift);
            prop_assert_eq!(reader.u64().unwrap(), c >> (shift % 64));
            reader.end().unwrap();
        }
    }

    #[test]
    fn small_numbers_take_few_bytes() {
        let len = |value: i128| {
            let mut out = Vec::new();
            put_i128(&mut out, value);
            out.len()
        };
        assert_eq!([0, 1, -1, 127, 128, -128, -129].map(len), [2, 2, 2, 2, 3, 2, 3]);
        assert_eq!([i128::MIN, i128::MAX].map(len), [17, 17]);
    }
}
