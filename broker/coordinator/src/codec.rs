//! The few shapes that the records of `__consumer_offsets` and `__transaction_state` are made of, big-endian: Kafka's
//! non-flexible encoding, and what the flexible one (KIP-482) adds to it.

use std::sync::Arc;

use bytes::Bytes;

/// Why the bytes of a record are not what its version says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end early.
    #[error("the record is cut short")]
    Truncated,
    /// A string is not UTF-8.
    #[error("a string of the record is not UTF-8")]
    Utf8,
    /// Null where the schema has no null.
    #[error("a field of the record is null that must not be")]
    Null,
    /// A number of variable length is longer than 32 bits.
    #[error("a number of the record is longer than 32 bits")]
    Varint,
    /// A number stands for nothing that is known.
    #[error("a field of the record has the value {0}, which is not known")]
    Value(i64),
    /// A version that is not read here.
    #[error("the record has version {0}, which is not known")]
    Version(i16),
}

/// Takes fields off the front of a record; nothing is allocated before the bytes for it are known to be there.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn i8(&mut self) -> Result<i8, DecodeError> {
        self.array().map(i8::from_be_bytes)
    }

    /// Seven bits a byte, the lowest first.
    pub(crate) fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array()?;
            let bits = u32::from(byte & 0x7f);
            value |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits).ok_or(DecodeError::Varint)?;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Varint)
    }

    /// A length or count of the flexible encoding; `None` is null.
    pub(crate) fn compact_len(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok(self.unsigned_varint()?.checked_sub(1).map(|len| len as usize))
    }

    pub(crate) fn compact_string(&mut self) -> Result<Arc<str>, DecodeError> {
        let len = self.compact_len()?.ok_or(DecodeError::Null)?;
        let text = std::str::from_utf8(self.take(len)?).map_err(|_| DecodeError::Utf8)?;
        Ok(text.into())
    }

    /// Calls `f` with the tag and the bytes of each tagged field.
    pub(crate) fn tagged(
        &mut self,
        mut f: impl FnMut(u32, Reader<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let len = self.unsigned_varint()?;
            f(tag, Reader(self.take(len as usize)?))?;
        }
        Ok(())
    }

    pub(crate) fn i16(&mut self) -> Result<i16, DecodeError> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_be_bytes)
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<Arc<str>>, DecodeError> {
        let Ok(len) = usize::try_from(self.i16()?) else { return Ok(None) };
        let text = std::str::from_utf8(self.take(len)?).map_err(|_| DecodeError::Utf8)?;
        Ok(Some(text.into()))
    }

    pub(crate) fn string(&mut self) -> Result<Arc<str>, DecodeError> {
        self.nullable_string()?.ok_or(DecodeError::Null)
    }

    pub(crate) fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        let len = usize::try_from(self.i32()?).map_err(|_| DecodeError::Null)?;
        self.take(len).map(Bytes::copy_from_slice)
    }
}

/// Appends fields to a record.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn i8(&mut self, value: i8) {
        self.0.push(value as u8);
    }

    pub(crate) fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A length or count of the flexible encoding; `None` is null.
    pub(crate) fn compact_len(&mut self, len: Option<usize>) {
        self.unsigned_varint(len.map_or(0, |len| len as u32 + 1));
    }

    pub(crate) fn compact_string(&mut self, value: &str) {
        self.compact_len(Some(value.len()));
        self.0.extend_from_slice(value.as_bytes());
    }

    pub(crate) fn tagged(&mut self, tag: u32, value: &[u8]) {
        self.unsigned_varint(tag);
        self.unsigned_varint(value.len() as u32);
        self.0.extend_from_slice(value);
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// A string longer than the field can hold is cut at a character: such a one cannot have come in over the wire
    /// in a field of the same shape, but only be made longer here (a member id).
    pub(crate) fn string(&mut self, value: &str) {
        let mut len = value.len().min(i16::MAX as usize);
        while !value.is_char_boundary(len) {
            len -= 1;
        }
        self.i16(len as i16);
        self.0.extend_from_slice(&value.as_bytes()[..len]);
    }

    pub(crate) fn nullable_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.i16(-1),
        }
    }

    /// A frame is bounded far below `i32::MAX`, and so is whatever came in one.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.i32(value.len() as i32);
        self.0.extend_from_slice(value);
    }
}
