//! Arrays made of numbers, times and other arrays.

use std::cmp::Ordering;

use super::interval;
use crate::types::{Value, order};

/// The most elements of an array that is made.
const ITEMS_MAX: usize = 1 << 20;

/// NULL last, as `array_sort` has it.
pub(crate) fn sort(array: Value<'_>) -> Value<'_> {
    let Value::Array(items) = array else { return Value::Null };
    let mut sorted = items.to_vec();
    sorted.sort_by(|left, right| match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => order(left, right),
    });
    Value::Array(sorted.into())
}

/// A STRUCT of the elements of one number in each array; the shorter ones go on with NULLs.
pub(crate) fn zip(arrays: Vec<Value<'_>>) -> Value<'_> {
    let mut lists = Vec::with_capacity(arrays.len());
    for array in arrays {
        let Value::Array(items) = array else { return Value::Null };
        lists.push(items);
    }
    let longest = lists.iter().map(|items| items.len()).max().unwrap_or(0);
    let row = |index: usize| {
        Value::Struct(lists.iter().map(|items| items.get(index).cloned().unwrap_or(Value::Null)).collect())
    };
    Value::Array((0..longest).map(row).collect())
}

/// A value before the element of a number from 1, or from -1 backwards, with NULLs up to it. NULL for 0, where Spark
/// fails.
pub(crate) fn insert(values: Vec<Value<'_>>) -> Value<'_> {
    let Ok([Value::Array(items), Value::Int(at), value]) = <[Value<'_>; 3]>::try_from(values) else {
        return Value::Null;
    };
    let value = value.into_owned();
    let distance = at.unsigned_abs() as usize;
    if at == 0 || distance > ITEMS_MAX {
        return Value::Null;
    }
    let mut made = items.to_vec();
    if at > 0 {
        let index = distance - 1;
        if made.len() < index {
            made.resize(index, Value::Null);
        }
        made.insert(index, value);
    } else if distance <= made.len() {
        // In Spark 3.4 the last element is -1, and what is inserted there comes before it.
        made.insert(made.len() - distance, value);
    } else {
        let missing = distance - made.len();
        let mut before = vec![value];
        before.extend(std::iter::repeat_n(Value::Null, missing));
        before.append(&mut made);
        made = before;
    }
    Value::Array(made.into())
}

/// From one number to another by steps; NULL where it would not end, or has too many elements, where Spark fails.
pub(crate) fn sequence<'a>(start: Value<'a>, stop: Value<'a>, step: Value<'a>) -> Value<'a> {
    match (start, stop, step) {
        (Value::Int(start), Value::Int(stop), Value::Int(step)) => {
            numbers(start.into(), stop.into(), step.into(), |value| Value::Int(value as i32))
        }
        (Value::BigInt(start), Value::BigInt(stop), Value::BigInt(step)) => numbers(start, stop, step, Value::BigInt),
        (Value::SmallInt(start), Value::SmallInt(stop), Value::SmallInt(step)) => {
            numbers(start.into(), stop.into(), step.into(), |value| Value::SmallInt(value as i16))
        }
        (Value::TinyInt(start), Value::TinyInt(stop), Value::TinyInt(step)) => {
            numbers(start.into(), stop.into(), step.into(), |value| Value::TinyInt(value as i8))
        }
        (Value::Date(start), Value::Date(stop), step) => times(Value::Date(start), Value::Date(stop), step),
        (Value::Timestamp(start), Value::Timestamp(stop), step) => {
            times(Value::Timestamp(start), Value::Timestamp(stop), step)
        }
        _ => Value::Null,
    }
}

/// By one, upwards or downwards.
pub(crate) fn sequence_by_one<'a>(start: Value<'a>, stop: Value<'a>) -> Value<'a> {
    let down = order(&start, &stop).is_gt();
    let step = match start {
        Value::TinyInt(_) => Value::TinyInt(if down { -1 } else { 1 }),
        Value::SmallInt(_) => Value::SmallInt(if down { -1 } else { 1 }),
        Value::Int(_) => Value::Int(if down { -1 } else { 1 }),
        Value::BigInt(_) => Value::BigInt(if down { -1 } else { 1 }),
        _ => Value::Micros(if down { -86_400_000_000 } else { 86_400_000_000 }),
    };
    sequence(start, stop, step)
}

fn numbers(start: i64, stop: i64, step: i64, make: fn(i64) -> Value<'static>) -> Value<'static> {
    let forward = step > 0 && start <= stop || step < 0 && start >= stop || step == 0 && start == stop;
    if !forward {
        return Value::Null;
    }
    let distance = (i128::from(stop) - i128::from(start)).unsigned_abs();
    let count = distance.checked_div(u128::from(step.unsigned_abs())).unwrap_or(0) + 1;
    match usize::try_from(count) {
        Ok(count) if count <= ITEMS_MAX => {
            Value::Array((0..count as i64).map(|number| make(start + number * step)).collect())
        }
        _ => Value::Null,
    }
}

fn times(start: Value<'static>, stop: Value<'static>, step: Value<'_>) -> Value<'static> {
    let step = step.into_owned();
    let (is_up, unit) = match &step {
        Value::Months(months) => (*months > 0, i64::from(*months)),
        Value::Micros(micros) => (*micros > 0, *micros),
        _ => return Value::Null,
    };
    let beyond = |time: &Value<'_>| if is_up { order(time, &stop).is_gt() } else { order(time, &stop).is_lt() };
    if unit == 0 || beyond(&start) {
        return Value::Null;
    }
    let mut made = Vec::new();
    // Each is counted from the start: months differ in length.
    for number in 0..ITEMS_MAX as i32 {
        let moved = interval::multiply(step.clone(), Value::Int(number));
        let time = match (&start, &moved) {
            (Value::Date(_), Value::Months(_)) => interval::date_plus_months(start.clone(), moved),
            (Value::Date(_), Value::Micros(_)) => interval::date_plus_days(start.clone(), moved),
            _ => interval::timestamp_plus(start.clone(), moved),
        };
        if time.is_null() || beyond(&time) {
            return Value::Array(made.into());
        }
        made.push(time);
    }
    Value::Null
}

/// `a:1,b:2` parted at the one text and then at the other.
pub(crate) fn str_to_map<'a>(text: Value<'a>, pair: Value<'a>, entry: Value<'a>) -> Value<'a> {
    let (Value::String(text), Value::String(pair), Value::String(entry)) = (text, pair, entry) else {
        return Value::Null;
    };
    let (text, pair, entry) =
        (String::from_utf8_lossy(&text), String::from_utf8_lossy(&pair), String::from_utf8_lossy(&entry));
    if pair.is_empty() || entry.is_empty() {
        return Value::Null;
    }
    let string = |text: &str| Value::String(text.as_bytes().to_vec().into());
    let both = text.split(pair.as_ref()).flat_map(|part| match part.split_once(entry.as_ref()) {
        Some((key, value)) => [string(key), string(value)],
        None => [string(part), Value::Null],
    });
    super::collections::make_map(both.collect())
}
