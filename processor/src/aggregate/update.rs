//! Adding a row to the accumulators of its group. Follows the declarative aggregates of
//! `org.apache.spark.sql.catalyst.expressions.aggregate` (`Sum`, `Average`, `Min`, `First`, …), ANSI mode off.

use super::Aggregates;
use super::heap::Heap;
use super::slot::{
    EMPTY, FULL, Form, Kind, LOST_DECIMAL, NO_DECIMAL, NULL, Place, Slot, set, set_wide, sum_precision, wide, word,
};
use crate::types::{DataType, Decimal, Value, decode_value, encode_value, order};

impl Aggregates {
    /// Adds a row to aggregate `number` of `row`. `arguments` are of the types that the function takes.
    #[inline]
    pub(crate) fn update(&mut self, row: &mut [u64], number: usize, arguments: &[Value<'_>]) {
        let Self { slots, heap, .. } = self;
        let Some(Slot { place, kind }) = slots.get(number) else { return };
        let place = *place;
        match kind {
            Kind::CountAll => add(row, place, 0, 1),
            Kind::Count => add(row, place, 0, u64::from(!arguments.iter().any(Value::is_null))),
            Kind::CountIf => add(row, place, 0, u64::from(matches!(arguments, [Value::Boolean(true)]))),
            Kind::CountDistinct { input } => add_distinct(row, place, input, arguments, heap),
            _ => {
                if let Some(value) = arguments.first() {
                    update_with(row, place, kind, value, heap);
                }
            }
        }
    }
}

#[inline]
fn update_with(row: &mut [u64], place: Place, kind: &Kind, value: &Value<'_>, heap: &mut Heap) {
    match kind {
        Kind::SumBigInt => {
            if let Some(value) = integer(value) {
                add(row, place, 0, value as u64);
                set(row, place, 1, FULL);
            }
        }
        Kind::SumDouble => {
            if let Value::Double(value) = value {
                add_double(row, place, *value);
                set(row, place, 1, FULL);
            }
        }
        Kind::AvgDouble => {
            let value = if let Value::Double(value) = value { Some(*value) } else { integer(value).map(|v| v as f64) };
            if let Some(value) = value {
                add_double(row, place, value);
                add(row, place, 1, 1);
            }
        }
        Kind::SumDecimal { precision, .. } => {
            if let Value::Decimal(value) = value {
                set_wide(row, place, plus(wide(row, place), value.unscaled, *precision));
            }
        }
        Kind::AvgDecimal { precision, .. } => {
            if let Value::Decimal(value) = value {
                set_wide(row, place, plus(wide(row, place), value.unscaled, sum_precision(*precision)));
                add(row, place, 2, 1);
            }
        }
        Kind::Extreme { greatest, form } => {
            if !value.is_null() && form.is_beyond(row, place, value, *greatest, heap) {
                form.put(row, place, value, heap);
            }
        }
        Kind::Bool { all } => {
            if let Value::Boolean(value) = value {
                set(row, place, 0, joined(word(row, place, 0), u64::from(*value) + 1, *all));
            }
        }
        Kind::Kept { last, ignore_nulls, form } => {
            let first_is_known = !last && word(row, place, form.state_at()) != EMPTY;
            if !(first_is_known || *ignore_nulls && value.is_null()) {
                form.put(row, place, value, heap);
            }
        }
        Kind::CountAll | Kind::Count | Kind::CountIf | Kind::CountDistinct { .. } => {}
    }
}

fn add_distinct(row: &mut [u64], place: Place, input: &DataType, arguments: &[Value<'_>], heap: &mut Heap) {
    if arguments.iter().any(Value::is_null) {
        return;
    }
    let mut member = std::mem::take(&mut heap.scratch);
    member.clear();
    match (arguments, input) {
        ([argument], input) => encode_value(argument, input, &mut member),
        (arguments, DataType::Struct(fields)) => {
            for (argument, field) in arguments.iter().zip(fields.iter()) {
                encode_value(argument, &field.data_type, &mut member);
            }
        }
        _ => {}
    }
    let set_word = heap.add_to_set(word(row, place, 0), &member);
    set(row, place, 0, set_word);
    heap.scratch = member;
}

/// Adds to a word; wraps, as BIGINT does.
#[inline]
pub(super) fn add(row: &mut [u64], place: Place, number: usize, value: u64) {
    set(row, place, number, word(row, place, number).wrapping_add(value));
}

#[inline]
pub(super) fn add_double(row: &mut [u64], place: Place, value: f64) {
    set(row, place, 0, (f64::from_bits(word(row, place, 0)) + value).to_bits());
}

/// A sum of unscaled decimals; once it has more digits than `precision` it is lost for good.
pub(super) fn plus(sum: i128, value: i128, precision: u8) -> i128 {
    match sum {
        LOST_DECIMAL => LOST_DECIMAL,
        NO_DECIMAL => Decimal::new(value, precision, 0).map_or(LOST_DECIMAL, |sum| sum.unscaled),
        sum => {
            let sum = sum.checked_add(value).and_then(|sum| Decimal::new(sum, precision, 0));
            sum.map_or(LOST_DECIMAL, |sum| sum.unscaled)
        }
    }
}

/// Of two [`EMPTY`] or one more than a BOOLEAN.
pub(super) fn joined(left: u64, right: u64, all: bool) -> u64 {
    match (left, right) {
        (EMPTY, other) | (other, EMPTY) => other,
        _ if all => left.min(right),
        _ => left.max(right),
    }
}

#[inline]
fn integer(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::BigInt(value) => Some(*value),
        Value::Int(value) => Some(i64::from(*value)),
        _ => None,
    }
}

impl Form {
    /// Whether a value that is not NULL stands before (or, if `greatest`, after) the one that is kept. Of equal ones
    /// (0.0 and -0.0) the first stays.
    fn is_beyond(&self, row: &[u64], place: Place, value: &Value<'_>, greatest: bool, heap: &Heap) -> bool {
        if word(row, place, self.state_at()) == EMPTY {
            return true;
        }
        let found = match self.get(row, place, heap) {
            Some(known) => order(value, &known),
            None => return true,
        };
        if greatest { found.is_gt() } else { found.is_lt() }
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
}
