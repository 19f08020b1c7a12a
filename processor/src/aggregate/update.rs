//! Adding a row to the accumulators of its group. Follows the declarative aggregates of
//! `org.apache.spark.sql.catalyst.expressions.aggregate` (`Sum`, `Average`, `Min`, `First`, …), ANSI mode off.

use super::Aggregates;
use super::cardinality;
use super::form::Form;
use super::heap::Heap;
use super::slot::{
    Bits, EMPTY, FULL, Kind, LOST_DECIMAL, NO_DECIMAL, NULL, Place, Slot, Whole, set, set_wide, sum_precision, wide,
    word,
};
use crate::types::{DataType, Decimal, Value, encode_exactly, encode_value};

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
            Kind::CountDistinct { input } | Kind::Set { element: input } => {
                add_distinct(row, place, input, arguments, heap);
            }
            Kind::PairMoment(moment) => {
                let number = |number: usize| arguments.get(number).and_then(double);
                moment.add(row, place, number(0), number(1));
            }
            Kind::By { greatest, value, by } => {
                if let [new, new_by] = arguments {
                    keep_by(row, place, (value, new), (by, new_by), *greatest, heap);
                }
            }
            Kind::Bag { input, .. } => add_to_bag(row, place, input, arguments, heap),
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
        Kind::SumChecked { whole } => add_checked(row, place, *whole, value),
        Kind::AvgInterval { whole } => {
            if !value.is_null() {
                add_checked(row, place, *whole, value);
                add(row, place, 2, 1);
            }
        }
        Kind::AvgDouble => {
            let value = double(value).or_else(|| integer(value).map(|value| value as f64));
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
        Kind::Bits { operator, form } => join_bits(row, place, *operator, form, value, heap),
        Kind::Moment(moment) => {
            if let Some(value) = double(value) {
                moment.add(row, place, value);
            }
        }
        Kind::List { element } => {
            if !value.is_null() {
                let mut encoded = std::mem::take(&mut heap.scratch);
                encoded.clear();
                encode_exactly(value, element, &mut encoded);
                let list = heap.add_to_list(word(row, place, 0), &encoded);
                set(row, place, 0, list);
                heap.scratch = encoded;
            }
        }
        Kind::Registers { bits } => {
            if !value.is_null() {
                let (registers_word, registers) = heap.bytes_mut(word(row, place, 0), 1 << bits);
                cardinality::add(registers, *bits, value);
                set(row, place, 0, registers_word);
            }
        }
        // They are told all arguments.
        Kind::CountAll
        | Kind::Count
        | Kind::CountIf
        | Kind::CountDistinct { .. }
        | Kind::Set { .. }
        | Kind::PairMoment(_)
        | Kind::By { .. }
        | Kind::Bag { .. } => {}
    }
}

fn add_checked(row: &mut [u64], place: Place, whole: Whole, value: &Value<'_>) {
    if let Some(value) = whole.number(value) {
        plus_checked(row, place, whole, value);
    }
}

/// Once a sum is too large it is lost for good.
pub(super) fn plus_checked(row: &mut [u64], place: Place, whole: Whole, value: i64) {
    if word(row, place, 1) == NULL {
        return;
    }
    let sum = whole.sum(word(row, place, 0) as i64, value);
    set(row, place, 0, sum.unwrap_or(0) as u64);
    set(row, place, 1, if sum.is_some() { FULL } else { NULL });
}

/// Adds a whole number to the bits of those before.
pub(super) fn join_bits(
    row: &mut [u64],
    place: Place,
    operator: Bits,
    form: &Form,
    value: &Value<'_>,
    heap: &mut Heap,
) {
    if value.is_null() {
        return;
    }
    let known = (word(row, place, form.state_at()) != EMPTY).then(|| word(row, place, 0));
    form.put(row, place, value, heap);
    if let Some(known) = known {
        // Both repeat their signs up to 64 bits, and so does what they make.
        let new = word(row, place, 0);
        let joined = match operator {
            Bits::And => known & new,
            Bits::Or => known | new,
            Bits::Xor => known ^ new,
        };
        set(row, place, 0, joined);
    }
}

fn keep_by(
    row: &mut [u64],
    place: Place,
    (value, new): (&Form, &Value<'_>),
    (by, new_by): (&Form, &Value<'_>),
    greatest: bool,
    heap: &mut Heap,
) {
    let by_place = value.after(place);
    if !new_by.is_null() && by.gives_way(row, by_place, new_by, greatest, heap) {
        value.put(row, place, new, heap);
        by.put(row, by_place, new_by, heap);
    }
}

/// How often a value counts stands behind it, if that is not once; what is below zero counts not at all, where Spark
/// fails.
fn add_to_bag(row: &mut [u64], place: Place, input: &DataType, arguments: &[Value<'_>], heap: &mut Heap) {
    let (value, count) = match arguments {
        [value] => (value, 1),
        [value, Value::BigInt(count)] => (value, u64::try_from(*count).unwrap_or(0)),
        _ => return,
    };
    if value.is_null() || count == 0 {
        return;
    }
    let mut member = std::mem::take(&mut heap.scratch);
    member.clear();
    encode_exactly(value, input, &mut member);
    let bag = heap.change_bag(word(row, place, 0), |bag, hasher| bag.add(hasher, &member, count));
    set(row, place, 0, bag);
    heap.scratch = member;
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
fn double(value: &Value<'_>) -> Option<f64> {
    if let Value::Double(value) = value { Some(*value) } else { None }
}

#[inline]
fn integer(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::BigInt(value) => Some(*value),
        Value::Int(value) => Some(i64::from(*value)),
        _ => None,
    }
}
