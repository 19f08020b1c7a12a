//! Values as bytes of checkpoints: compact, self-delimiting, and the same for all that GROUP BY takes as one.
//!
//! The format is stable. By type: BOOLEAN one byte, 0 for NULL, 1 false, 2 true. STRING and BINARY: length + 1 as
//! varint, 0 for NULL, and the bytes. ARRAY and MAP: number of elements + 1 as varint, 0 for NULL, and the elements, or
//! key and value of each entry. All others: one byte, 0 for NULL or 1, and then: INT, BIGINT, DATE, TIMESTAMP and
//! DECIMAL (unscaled) as zigzag varint; DOUBLE as eight bytes, big-endian, one zero, one NaN; STRUCT its fields. A
//! varint has seven bits a byte, the lowest first, the high bit saying that more follow, and no needless bytes. TINYINT,
//! SMALLINT and INTERVAL (months or microseconds) are as INT; FLOAT has four bytes as DOUBLE has eight.

use std::borrow::Cow;

use super::hash::{float_bits, group_bits};
use super::{DataType, Decimal, Value};

const NULL: u8 = 0;
const PRESENT: u8 = 1;
const FALSE: u8 = 1;
const TRUE: u8 = 2;

/// Appends a value of this type. A value of another type is written as NULL.
pub(crate) fn encode_value(value: &Value<'_>, data_type: &DataType, out: &mut Vec<u8>) {
    encode(value, data_type, false, out);
}

/// As `encode_value`, with the sign of a zero: what is read back is the very value.
pub(crate) fn encode_exactly(value: &Value<'_>, data_type: &DataType, out: &mut Vec<u8>) {
    encode(value, data_type, true, out);
}

fn encode(value: &Value<'_>, data_type: &DataType, exactly: bool, out: &mut Vec<u8>) {
    match (data_type, value) {
        (DataType::Boolean, Value::Boolean(value)) => out.push(if *value { TRUE } else { FALSE }),
        (DataType::Int, Value::Int(value)) | (DataType::Date, Value::Date(value)) => {
            out.push(PRESENT);
            put_signed(i128::from(*value), out);
        }
        (DataType::TinyInt, Value::TinyInt(value)) => {
            out.push(PRESENT);
            put_signed(i128::from(*value), out);
        }
        (DataType::SmallInt, Value::SmallInt(value)) => {
            out.push(PRESENT);
            put_signed(i128::from(*value), out);
        }
        (DataType::Interval(range), Value::Months(months)) if range.is_of_months() => {
            out.push(PRESENT);
            put_signed(i128::from(*months), out);
        }
        (DataType::Interval(range), Value::Micros(micros)) if !range.is_of_months() => {
            out.push(PRESENT);
            put_signed(i128::from(*micros), out);
        }
        (DataType::Float, Value::Float(value)) => {
            out.push(PRESENT);
            let bits = if exactly && *value == 0.0 { value.to_bits() } else { float_bits(*value) };
            out.extend_from_slice(&bits.to_be_bytes());
        }
        (DataType::BigInt, Value::BigInt(value)) | (DataType::Timestamp, Value::Timestamp(value)) => {
            out.push(PRESENT);
            put_signed(i128::from(*value), out);
        }
        (DataType::Double, Value::Double(value)) => {
            out.push(PRESENT);
            let bits = if exactly && *value == 0.0 { value.to_bits() } else { group_bits(*value) };
            out.extend_from_slice(&bits.to_be_bytes());
        }
        (DataType::Decimal { precision, scale }, Value::Decimal(value)) => match value.rescale(*precision, *scale) {
            Some(value) => {
                out.push(PRESENT);
                put_signed(value.unscaled, out);
            }
            None => out.push(NULL),
        },
        (DataType::String, Value::String(bytes)) | (DataType::Binary, Value::Binary(bytes)) => {
            put_count(bytes.len(), out);
            out.extend_from_slice(bytes);
        }
        (DataType::Array(element), Value::Array(values)) => {
            put_count(values.len(), out);
            values.iter().for_each(|value| encode(value, element, exactly, out));
        }
        (DataType::Map(key_type, value_type), Value::Map(entries)) => {
            put_count(entries.len(), out);
            for (key, value) in entries.iter() {
                encode(key, key_type, exactly, out);
                encode(value, value_type, exactly, out);
            }
        }
        (DataType::Struct(fields), Value::Struct(values)) => {
            out.push(PRESENT);
            for (index, field) in fields.iter().enumerate() {
                encode(values.get(index).unwrap_or(&Value::Null), &field.data_type, exactly, out);
            }
        }
        _ => out.push(NULL),
    }
}

/// Takes a value of this type off the front of `bytes`; text is borrowed from them. `None` if they are no such value.
pub(crate) fn decode_value<'a>(data_type: &DataType, bytes: &mut &'a [u8]) -> Option<Value<'a>> {
    let value = match data_type {
        DataType::String => return Some(take_text(bytes)?.map_or(Value::Null, Value::String)),
        DataType::Binary => return Some(take_text(bytes)?.map_or(Value::Null, Value::Binary)),
        DataType::Array(element) => {
            let Some(count) = take_count(bytes)? else { return Some(Value::Null) };
            // Each takes a byte at least, so no more are made than bytes are there.
            let values: Option<Vec<_>> = (0..count).map(|_| owned(element, bytes)).collect();
            return Some(Value::Array(values?.into()));
        }
        DataType::Map(key, value) => {
            let Some(count) = take_count(bytes)? else { return Some(Value::Null) };
            let entries: Option<Vec<_>> =
                (0..count).map(|_| Some((owned(key, bytes)?, owned(value, bytes)?))).collect();
            return Some(Value::Map(entries?.into()));
        }
        DataType::Boolean => {
            return match take_byte(bytes)? {
                NULL => Some(Value::Null),
                FALSE => Some(Value::Boolean(false)),
                TRUE => Some(Value::Boolean(true)),
                _ => None,
            };
        }
        other => match take_byte(bytes)? {
            NULL => return Some(Value::Null),
            PRESENT => other,
            _ => return None,
        },
    };
    Some(match value {
        DataType::TinyInt => Value::TinyInt(i8::try_from(take_signed(bytes)?).ok()?),
        DataType::SmallInt => Value::SmallInt(i16::try_from(take_signed(bytes)?).ok()?),
        DataType::Interval(range) if range.is_of_months() => Value::Months(i32::try_from(take_signed(bytes)?).ok()?),
        DataType::Interval(_) => Value::Micros(i64::try_from(take_signed(bytes)?).ok()?),
        DataType::Float => Value::Float(f32::from_bits(u32::from_be_bytes(take(bytes)?))),
        DataType::Int => Value::Int(i32::try_from(take_signed(bytes)?).ok()?),
        DataType::Date => Value::Date(i32::try_from(take_signed(bytes)?).ok()?),
        DataType::BigInt => Value::BigInt(i64::try_from(take_signed(bytes)?).ok()?),
        DataType::Timestamp => Value::Timestamp(i64::try_from(take_signed(bytes)?).ok()?),
        DataType::Double => Value::Double(f64::from_bits(u64::from_be_bytes(take(bytes)?))),
        DataType::Decimal { precision, scale } => {
            Value::Decimal(Decimal::new(take_signed(bytes)?, *precision, *scale)?)
        }
        DataType::Struct(fields) => {
            let values: Option<Vec<_>> = fields.iter().map(|field| owned(&field.data_type, bytes)).collect();
            Value::Struct(values?.into())
        }
        _ => return None,
    })
}

fn owned(data_type: &DataType, bytes: &mut &[u8]) -> Option<Value<'static>> {
    decode_value(data_type, bytes).map(Value::into_owned)
}

fn put_count(count: usize, out: &mut Vec<u8>) {
    put_varint(count as u128 + 1, out);
}

/// `Some(None)` is NULL.
fn take_count(bytes: &mut &[u8]) -> Option<Option<usize>> {
    let Some(count) = take_varint(bytes)?.checked_sub(1) else { return Some(None) };
    let count = usize::try_from(count).ok().filter(|count| *count <= bytes.len())?;
    Some(Some(count))
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<Option<Cow<'a, [u8]>>> {
    let Some(length) = take_count(bytes)? else { return Some(None) };
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(Some(Cow::Borrowed(text)))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

fn put_signed(value: i128, out: &mut Vec<u8>) {
    put_varint((value << 1 ^ value >> 127) as u128, out);
}

fn take_signed(bytes: &mut &[u8]) -> Option<i128> {
    let value = take_varint(bytes)?;
    Some((value >> 1) as i128 ^ -((value & 1) as i128))
}

fn put_varint(mut value: u128, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u128> {
    let mut value = 0;
    let mut shift = 0;
    loop {
        let byte = take_byte(bytes)?;
        let bits = u128::from(byte & 0x7f);
        if bits.leading_zeros() < shift {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            // The last byte of several is not zero, or it would be needless.
            return (byte != 0 || shift == 0).then_some(value);
        }
        shift += 7;
        if shift >= u128::BITS {
            return None;
        }
    }
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests;
