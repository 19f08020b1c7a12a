//! The compact forms of the protocol (KIP-482), for requests that the protocol crate does not read.

use anyhow::{Context as _, Result, ensure};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::protocol::buf::ByteBuf;

/// A text that may not be null.
pub(crate) fn text<B: ByteBuf>(from: &mut B) -> Result<StrBytes> {
    nullable_text(from)?.context("a text is null")
}

pub(crate) fn nullable_text<B: ByteBuf>(from: &mut B) -> Result<Option<StrBytes>> {
    let Some(len) = length(from)? else { return Ok(None) };
    Ok(Some(StrBytes::try_from(from.try_get_bytes(len)?)?))
}

/// A list that may not be null.
pub(crate) fn list<T, B: ByteBuf>(from: &mut B, element: impl Fn(&mut B) -> Result<T>) -> Result<Vec<T>> {
    nullable_list(from, element)?.context("a list is null")
}

/// Its count was held against the bytes that are there before (`guard.rs`).
pub(crate) fn nullable_list<T, B: ByteBuf>(
    from: &mut B,
    element: impl Fn(&mut B) -> Result<T>,
) -> Result<Option<Vec<T>>> {
    let Some(count) = length(from)? else { return Ok(None) };
    let mut elements = Vec::with_capacity(count);
    for _ in 0..count {
        elements.push(element(from)?);
    }
    Ok(Some(elements))
}

/// Passes over tagged fields, of which none is known.
pub(crate) fn skip_tagged<B: ByteBuf>(from: &mut B) -> Result<()> {
    for _ in 0..varint(from)? {
        let _tag = varint(from)?;
        let size = varint(from)?;
        from.try_get_bytes(usize::try_from(size)?)?;
    }
    Ok(())
}

/// A length or count: one more than it is, 0 for null.
fn length<B: ByteBuf>(from: &mut B) -> Result<Option<usize>> {
    Ok(usize::try_from(varint(from)?)?.checked_sub(1))
}

fn varint<B: ByteBuf>(from: &mut B) -> Result<u32> {
    let mut value = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = from.try_get_u8()?;
        ensure!(shift < 28 || byte <= 0x0f, "a number is longer than 32 bits");
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    Ok(value)
}
