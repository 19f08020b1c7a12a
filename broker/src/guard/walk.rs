//! The walk over a request's bytes.
//!
//! It reads exactly as the crate does, so that both are at the same byte at every field. It recurses as deep as a
//! layout nests, which the layouts fix, and takes at least one byte for each element of a list.

use super::schema::{Field, Kind, Schema, TEXT_DECODED};
use super::{DECODED_BYTES_MAX, GuardError};

/// Bytes that an unknown tagged field may cost: a leaf of a `BTreeMap<i32, Bytes>` has room for eleven, takes 408 bytes
/// and may hold one.
const TAG_DECODED: usize = 512;

/// Walks the body of a request in a version that `schema` has. The result stands after the last byte of the request.
pub(super) fn request<'a>(schema: &Schema, version: i16, body: &'a [u8]) -> Result<Walk<'a>, GuardError> {
    let mut walk = Walk { rest: body, version, flexible: version >= schema.flexible, decoded: 0 };
    walk.structure(schema.fields)?;
    Ok(walk)
}

/// Walks tagged fields, none of which is known, and returns the bytes after them.
pub(super) fn tagged_fields(bytes: &[u8]) -> Result<&[u8], GuardError> {
    let mut walk = Walk { rest: bytes, version: 0, flexible: true, decoded: 0 };
    walk.tagged(&[])?;
    Ok(walk.rest)
}

#[derive(Debug)]
pub(super) struct Walk<'a> {
    /// What has not been walked.
    pub(super) rest: &'a [u8],
    version: i16,
    flexible: bool,
    /// Bytes that the crate would allocate for what has been walked.
    pub(super) decoded: usize,
}

impl Walk<'_> {
    fn structure(&mut self, fields: &[Field]) -> Result<(), GuardError> {
        let version = self.version;
        for field in fields.iter().filter(|field| field.stands_in(version)) {
            self.field(&field.kind)?;
        }
        if self.flexible { self.tagged(fields) } else { Ok(()) }
    }

    fn tagged(&mut self, fields: &[Field]) -> Result<(), GuardError> {
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let said = self.varint()? as usize;
            let before = self.rest.len();
            match fields.iter().find(|field| field.is_tagged(tag, self.version)) {
                Some(field) => self.field(&field.kind)?,
                None => {
                    self.skip(said)?;
                    self.spend(1, TAG_DECODED)?;
                }
            }
            let has = before - self.rest.len();
            if has != said {
                return Err(GuardError::Tag { tag, said, has });
            }
        }
        Ok(())
    }

    fn field(&mut self, kind: &Kind) -> Result<(), GuardError> {
        match *kind {
            Kind::Fixed(size) => self.skip(size),
            Kind::Text => self.text(),
            Kind::Bytes => {
                let length = if self.flexible { self.compact()? } else { self.length32()? };
                self.skip(length)
            }
            Kind::Numbers(size) => {
                let count = self.count(size)?;
                self.skip(count.saturating_mul(size))
            }
            Kind::Texts => (0..self.count(TEXT_DECODED)?).try_for_each(|_| self.text()),
            Kind::One(fields) => self.structure(fields),
            Kind::Optional(fields) => match self.take::<1>()? {
                [1] => self.structure(fields),
                _ => Ok(()),
            },
            Kind::Many { decoded, fields } => (0..self.count(decoded)?).try_for_each(|_| self.structure(fields)),
        }
    }

    /// The count of a list whose elements take `decoded` bytes each. An element takes a byte of the frame at least.
    fn count(&mut self, decoded: usize) -> Result<usize, GuardError> {
        let count = if self.flexible { self.compact()? } else { self.length32()? };
        if count > self.rest.len() {
            return Err(GuardError::Short { need: count, have: self.rest.len() });
        }
        self.spend(count, decoded)?;
        Ok(count)
    }

    fn text(&mut self) -> Result<(), GuardError> {
        let length = if self.flexible { self.compact()? } else { length(i32::from(i16::from_be_bytes(self.take()?)))? };
        self.skip(length)
    }

    fn length32(&mut self) -> Result<usize, GuardError> {
        length(i32::from_be_bytes(self.take()?))
    }

    /// A compact length: one more than it is, 0 for null.
    fn compact(&mut self) -> Result<usize, GuardError> {
        Ok((self.varint()? as usize).saturating_sub(1))
    }

    fn varint(&mut self) -> Result<u32, GuardError> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            if shift == 28 && byte > 0x0f {
                break;
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(GuardError::Varint)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], GuardError> {
        let (taken, rest) =
            self.rest.split_first_chunk().ok_or(GuardError::Short { need: N, have: self.rest.len() })?;
        self.rest = rest;
        Ok(*taken)
    }

    fn skip(&mut self, size: usize) -> Result<(), GuardError> {
        self.rest = self.rest.get(size..).ok_or(GuardError::Short { need: size, have: self.rest.len() })?;
        Ok(())
    }

    fn spend(&mut self, count: usize, decoded: usize) -> Result<(), GuardError> {
        self.decoded = self.decoded.saturating_add(count.saturating_mul(decoded));
        if self.decoded > DECODED_BYTES_MAX { Err(GuardError::TooMany) } else { Ok(()) }
    }
}

/// A length as it stands outside flexible versions: -1 for null.
fn length(written: i32) -> Result<usize, GuardError> {
    if written == -1 {
        return Ok(0);
    }
    usize::try_from(written).map_err(|_| GuardError::Negative(written))
}
