//! How a value of some type is kept in the words of a row: the least, the first, the one of the greatest.

use super::heap::Heap;
use super::slot::{EMPTY, FULL, NULL, Place, set, set_wide, wide, word};
use crate::codec::{Malformed, Reader, put_bytes, put_i128, put_signed};
use crate::types::{DataType, Decimal, Value, decode_value, encode_value, order};

/// How a value of some type is kept: as words, of which the last is [`EMPTY`], [`FULL`] or [`NULL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Date,
    Timestamp,
    /// Two words of value.
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// The heap has its bytes.
    String,
    /// The heap has its bytes.
    Binary,
    /// The heap has it as it is encoded.
    Encoded(DataType),
}

impl Form {
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::TinyInt => Self::TinyInt,
            DataType::SmallInt => Self::SmallInt,
            DataType::Int => Self::Int,
            DataType::BigInt => Self::BigInt,
            DataType::Float => Self::Float,
            DataType::Double => Self::Double,
            DataType::Date => Self::Date,
            DataType::Timestamp => Self::Timestamp,
            DataType::Decimal { precision, scale } => Self::Decimal { precision: *precision, scale: *scale },
            DataType::String => Self::String,
            DataType::Binary => Self::Binary,
            other => Self::Encoded(other.clone()),
        }
    }

    /// How many words stand before the one that tells whether there is a value.
    pub(super) fn state_at(&self) -> usize {
        if matches!(self, Self::Decimal { .. }) { 2 } else { 1 }
    }

    pub(super) fn words(&self) -> usize {
        self.state_at() + 1
    }

    /// The first word behind those of a value.
    pub(super) fn after(&self, place: Place) -> Place {
        Place { at: place.at + self.words() }
    }

    /// Gives back what stands in the heap; the words are stale then.
    pub(super) fn release(&self, row: &[u64], place: Place, heap: &mut Heap) {
        if self.is_in_heap() {
            heap.release_bytes(word(row, place, 0));
        }
    }

    fn is_in_heap(&self) -> bool {
        matches!(self, Self::String | Self::Binary | Self::Encoded(_))
    }

    /// Whether a value that is not NULL stands before (or, if `greatest`, after) the one that is kept. Of equal ones
    /// (0.0 and -0.0) the first stays.
    pub(super) fn is_beyond(&self, row: &[u64], place: Place, value: &Value<'_>, greatest: bool, heap: &Heap) -> bool {
        if word(row, place, self.state_at()) == EMPTY {
            return true;
        }
        let found = match self.get(row, place, heap) {
            Some(known) => order(value, &known),
            None => return true,
        };
        if greatest { found.is_gt() } else { found.is_lt() }
    }

    /// Whether a value takes the place of the one that is kept, of equal ones the later does.
    pub(super) fn gives_way(&self, row: &[u64], place: Place, value: &Value<'_>, greatest: bool, heap: &Heap) -> bool {
        match self.get(row, place, heap) {
            Some(known) if greatest => order(value, &known).is_ge(),
            Some(known) => order(value, &known).is_le(),
            None => true,
        }
    }

    /// Exchanges the words of two rows.
    pub(super) fn swap(&self, into: &mut [u64], from: &mut [u64], place: Place) {
        for number in 0..self.words() {
            let (a, b) = (word(into, place, number), word(from, place, number));
            set(into, place, number, b);
            set(from, place, number, a);
        }
    }

    /// Keeps a value.
    pub(super) fn put(&self, row: &mut [u64], place: Place, value: &Value<'_>, heap: &mut Heap) {
        let kept = match (self, value) {
            (Self::Boolean, Value::Boolean(value)) => u64::from(*value),
            (Self::TinyInt, Value::TinyInt(value)) => i64::from(*value) as u64,
            (Self::SmallInt, Value::SmallInt(value)) => i64::from(*value) as u64,
            (Self::Int, Value::Int(value)) | (Self::Date, Value::Date(value)) => i64::from(*value) as u64,
            (Self::BigInt, Value::BigInt(value)) | (Self::Timestamp, Value::Timestamp(value)) => *value as u64,
            (Self::Float, Value::Float(value)) => u64::from(value.to_bits()),
            (Self::Double, Value::Double(value)) => value.to_bits(),
            (Self::Decimal { .. }, Value::Decimal(value)) => {
                set_wide(row, place, value.unscaled);
                set(row, place, 2, FULL);
                return;
            }
            (Self::String, Value::String(bytes)) | (Self::Binary, Value::Binary(bytes)) => {
                heap.put_bytes(word(row, place, 0), bytes)
            }
            (Self::Encoded(data_type), value) if !value.is_null() => {
                let mut encoded = Vec::new();
                encode_value(value, data_type, &mut encoded);
                heap.put_bytes(word(row, place, 0), &encoded)
            }
            _ => {
                set(row, place, self.state_at(), NULL);
                return;
            }
        };
        set(row, place, 0, kept);
        set(row, place, self.state_at(), FULL);
    }

    /// The value that is kept; `None` if there is none.
    pub(super) fn get<'h>(&self, row: &[u64], place: Place, heap: &'h Heap) -> Option<Value<'h>> {
        match word(row, place, self.state_at()) {
            EMPTY => return None,
            NULL => return Some(Value::Null),
            _ => {}
        }
        let first = word(row, place, 0);
        Some(match self {
            Self::Boolean => Value::Boolean(first != 0),
            Self::TinyInt => Value::TinyInt(first as i8),
            Self::SmallInt => Value::SmallInt(first as i16),
            Self::Int => Value::Int(first as i32),
            Self::Date => Value::Date(first as i32),
            Self::BigInt => Value::BigInt(first as i64),
            Self::Timestamp => Value::Timestamp(first as i64),
            Self::Float => Value::Float(f32::from_bits(first as u32)),
            Self::Double => Value::Double(f64::from_bits(first)),
            Self::Decimal { precision, scale } => {
                Value::Decimal(Decimal { unscaled: wide(row, place), precision: *precision, scale: *scale })
            }
            Self::String => Value::String(heap.get_bytes(first).into()),
            Self::Binary => Value::Binary(heap.get_bytes(first).into()),
            Self::Encoded(data_type) => decode_value(data_type, &mut heap.get_bytes(first)).unwrap_or(Value::Null),
        })
    }

    pub(super) fn encode(&self, row: &[u64], place: Place, heap: &Heap, out: &mut Vec<u8>) {
        let first = word(row, place, 0);
        match self {
            Self::Double => out.extend_from_slice(&first.to_be_bytes()),
            Self::Decimal { .. } => put_i128(out, wide(row, place)),
            Self::String | Self::Binary => put_bytes(out, heap.get_bytes(first)),
            Self::Encoded(_) => out.extend_from_slice(heap.get_bytes(first)),
            Self::Boolean
            | Self::TinyInt
            | Self::SmallInt
            | Self::Int
            | Self::Date
            | Self::BigInt
            | Self::Timestamp
            | Self::Float => put_signed(out, first as i64),
        }
    }

    pub(super) fn decode(
        &self,
        row: &mut [u64],
        place: Place,
        state: u64,
        heap: &mut Heap,
        reader: &mut Reader<'_>,
    ) -> Result<(), Malformed> {
        set(row, place, self.state_at(), state);
        if state != FULL {
            return Ok(());
        }
        let wrong = || Malformed::new("a value is not of its type");
        let known = word(row, place, 0);
        let first = match self {
            Self::Double => u64::from_be_bytes(reader.array()?),
            Self::Decimal { precision, scale } => {
                let value = Decimal::new(reader.i128()?, *precision, *scale).ok_or_else(wrong)?;
                set_wide(row, place, value.unscaled);
                return Ok(());
            }
            Self::String | Self::Binary => heap.put_bytes(known, reader.bytes()?),
            Self::Encoded(data_type) => heap.put_bytes(known, take_encoded(reader, data_type).ok_or_else(wrong)?),
            Self::Boolean => reader.signed().and_then(|value| u64::try_from(value).map_err(|_| wrong()))?.min(1),
            Self::TinyInt => i8::try_from(reader.signed()?).map_err(|_| wrong())? as i64 as u64,
            Self::SmallInt => i16::try_from(reader.signed()?).map_err(|_| wrong())? as i64 as u64,
            Self::Float => u32::try_from(reader.signed()?).map_err(|_| wrong())?.into(),
            Self::Int | Self::Date => i32::try_from(reader.signed()?).map_err(|_| wrong())? as i64 as u64,
            Self::BigInt | Self::Timestamp => reader.signed()? as u64,
        };
        set(row, place, 0, first);
        Ok(())
    }
}

/// The bytes of a value of this type.
fn take_encoded<'a>(reader: &mut Reader<'a>, data_type: &DataType) -> Option<&'a [u8]> {
    let before = reader.rest();
    let mut after = before;
    decode_value(data_type, &mut after)?;
    reader.take(before.len() - after.len()).ok()
}
