//! ARRAY, MAP and STRUCT.

use std::cmp::Ordering;

use super::{int, string};
use crate::types::{Value, equal, order};

fn items<'v>(value: &'v Value<'_>) -> &'v [Value<'static>] {
    match value {
        Value::Array(items) => items,
        _ => &[],
    }
}

fn entries<'v>(value: &'v Value<'_>) -> &'v [(Value<'static>, Value<'static>)] {
    match value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

fn array(items: impl Iterator<Item = Value<'static>>) -> Value<'static> {
    Value::Array(items.collect())
}

/// By its number from 0, a BIGINT; NULL where there is none.
pub(crate) fn item<'a>(array: Value<'a>, index: Value<'a>) -> Value<'a> {
    let Value::BigInt(index) = index else { return Value::Null };
    let index = usize::try_from(index).ok();
    index.and_then(|index| items(&array).get(index).cloned()).unwrap_or(Value::Null)
}

/// The value of a key of a MAP; NULL where there is none.
pub(crate) fn entry<'a>(map: Value<'a>, key: Value<'a>) -> Value<'a> {
    let found = entries(&map).iter().find(|(other, _)| equal(other, &key));
    found.map_or(Value::Null, |(_, value)| value.clone())
}

pub(crate) fn field_of_each<'a>(array: Value<'a>, index: usize) -> Value<'a> {
    Value::Array(
        items(&array)
            .iter()
            .map(|item| match item {
                Value::Struct(values) => values.get(index).cloned().unwrap_or(Value::Null),
                _ => Value::Null,
            })
            .collect(),
    )
}

/// By its number from 1, or from -1 backwards, an INT; NULL for 0, where Spark fails.
pub(crate) fn element_at<'a>(array: Value<'a>, index: Value<'a>) -> Value<'a> {
    let Value::Int(index) = index else { return Value::Null };
    let items = items(&array);
    let from_start = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
    let from_end = (index < 0).then(|| items.len().checked_sub(index.unsigned_abs() as usize)).flatten();
    from_start.or(from_end).and_then(|at| items.get(at).cloned()).unwrap_or(Value::Null)
}

/// -1 of NULL.
pub(crate) fn size(values: Vec<Value<'_>>) -> Value<'_> {
    match values.first() {
        Some(Value::Array(items)) => int(items.len()),
        Some(Value::Map(entries)) => int(entries.len()),
        _ => Value::Int(-1),
    }
}

pub(crate) fn array_size(array: Value<'_>) -> Value<'_> {
    int(items(&array).len())
}

/// NULL if it is not there and a NULL is.
pub(crate) fn contains<'a>(array: Value<'a>, wanted: Value<'a>) -> Value<'a> {
    let items = items(&array);
    if items.iter().any(|item| !item.is_null() && equal(item, &wanted)) {
        Value::Boolean(true)
    } else if items.iter().any(Value::is_null) {
        Value::Null
    } else {
        Value::Boolean(false)
    }
}

/// From 1; 0 if it is not there.
pub(crate) fn position<'a>(array: Value<'a>, wanted: Value<'a>) -> Value<'a> {
    let found = items(&array).iter().position(|item| !item.is_null() && equal(item, &wanted));
    Value::BigInt(found.map_or(0, |at| at as i64 + 1))
}

pub(crate) fn make_array(values: Vec<Value<'_>>) -> Value<'_> {
    array(values.into_iter().map(Value::into_owned))
}

/// Of keys and values in turn. NULL where a key is NULL or there twice, where Spark fails.
pub(crate) fn make_map(values: Vec<Value<'_>>) -> Value<'_> {
    let mut all: Vec<(Value<'static>, Value<'static>)> = Vec::with_capacity(values.len() / 2);
    let mut values = values.into_iter().map(Value::into_owned);
    while let (Some(key), Some(value)) = (values.next(), values.next()) {
        if key.is_null() || all.iter().any(|(other, _)| equal(other, &key)) {
            return Value::Null;
        }
        all.push((key, value));
    }
    Value::Map(all.into())
}

pub(crate) fn make_struct(values: Vec<Value<'_>>) -> Value<'_> {
    Value::Struct(values.into_iter().map(Value::into_owned).collect())
}

pub(crate) fn map_keys(map: Value<'_>) -> Value<'_> {
    array(entries(&map).iter().map(|(key, _)| key.clone()))
}

pub(crate) fn map_values(map: Value<'_>) -> Value<'_> {
    array(entries(&map).iter().map(|(_, value)| value.clone()))
}

pub(crate) fn map_entries(map: Value<'_>) -> Value<'_> {
    array(entries(&map).iter().map(|(key, value)| Value::Struct([key.clone(), value.clone()].into())))
}

pub(crate) fn map_contains_key<'a>(map: Value<'a>, wanted: Value<'a>) -> Value<'a> {
    Value::Boolean(entries(&map).iter().any(|(key, _)| equal(key, &wanted)))
}

/// NULL where a key is NULL or there twice, or the numbers differ, where Spark fails.
pub(crate) fn map_from_arrays<'a>(keys: Value<'a>, values: Value<'a>) -> Value<'a> {
    let (keys, values) = (items(&keys), items(&values));
    if keys.len() != values.len() {
        return Value::Null;
    }
    make_map(keys.iter().zip(values).flat_map(|(key, value)| [key.clone(), value.clone()]).collect())
}

/// Of STRUCTs of key and value. NULL where one of them is, or where a key is NULL or there twice, where Spark fails.
pub(crate) fn map_from_entries(array: Value<'_>) -> Value<'_> {
    let mut all = Vec::new();
    for item in items(&array) {
        match item {
            Value::Struct(pair) => all.extend(pair.iter().cloned()),
            _ => return Value::Null,
        }
    }
    make_map(all)
}

/// NULL where a key is in two of them, where Spark fails.
pub(crate) fn map_concat(maps: Vec<Value<'_>>) -> Value<'_> {
    let all = maps.iter().flat_map(entries).flat_map(|(key, value)| [key.clone(), value.clone()]);
    make_map(all.collect())
}

/// The texts that are not NULL, with a separator between.
pub(crate) fn join<'a>(array: Value<'a>, separator: Value<'a>) -> Value<'a> {
    joined(&array, &separator, None)
}

/// NULLs too, as another text.
pub(crate) fn join_with_nulls<'a>(array: Value<'a>, separator: Value<'a>, null: Value<'a>) -> Value<'a> {
    joined(&array, &separator, Some(&null))
}

fn joined(array: &Value<'_>, separator: &Value<'_>, null: Option<&Value<'_>>) -> Value<'static> {
    let Value::String(separator) = separator else { return Value::Null };
    let mut out = Vec::new();
    let mut is_first = true;
    for item in items(array) {
        let text = match (item, null) {
            (Value::String(text), _) | (Value::Null, Some(Value::String(text))) => text,
            _ => continue,
        };
        if !is_first {
            out.extend_from_slice(separator);
        }
        is_first = false;
        out.extend_from_slice(text);
    }
    string(out)
}

pub(crate) fn array_min(array: Value<'_>) -> Value<'_> {
    extreme(&array, Ordering::Less)
}

pub(crate) fn array_max(array: Value<'_>) -> Value<'_> {
    extreme(&array, Ordering::Greater)
}

fn extreme(array: &Value<'_>, wanted: Ordering) -> Value<'static> {
    let known = items(array).iter().filter(|item| !item.is_null());
    known.reduce(|best, item| if order(item, best) == wanted { item } else { best }).map_or(Value::Null, Value::clone)
}

/// Upwards with NULLs first, or downwards with NULLs last.
pub(crate) fn sort<'a>(array: Value<'a>, ascending: Value<'a>) -> Value<'a> {
    let mut sorted = items(&array).to_vec();
    sorted.sort_by(order);
    if matches!(ascending, Value::Boolean(false)) {
        sorted.reverse();
    }
    Value::Array(sorted.into())
}

pub(crate) fn distinct(array: Value<'_>) -> Value<'_> {
    Value::Array(without_repeats(items(&array).iter()).into())
}

fn without_repeats<'v>(items: impl Iterator<Item = &'v Value<'static>>) -> Vec<Value<'static>> {
    let mut kept: Vec<Value<'static>> = Vec::new();
    for item in items {
        if !has(&kept, item) {
            kept.push(item.clone());
        }
    }
    kept
}

fn has(items: &[Value<'static>], wanted: &Value<'_>) -> bool {
    items.iter().any(|item| equal(item, wanted))
}

pub(crate) fn union<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    Value::Array(without_repeats(items(&left).iter().chain(items(&right))).into())
}

pub(crate) fn intersect<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    let right = items(&right);
    Value::Array(without_repeats(items(&left).iter().filter(|item| has(right, item))).into())
}

pub(crate) fn except<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    let right = items(&right);
    Value::Array(without_repeats(items(&left).iter().filter(|item| !has(right, item))).into())
}

/// NULL if no value is in both, none is empty, and a NULL is in one.
pub(crate) fn overlap<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    let (left, right) = (items(&left), items(&right));
    let has_null = |items: &[Value<'static>]| items.iter().any(Value::is_null);
    if left.iter().any(|item| !item.is_null() && has(right, item)) {
        Value::Boolean(true)
    } else if !left.is_empty() && !right.is_empty() && (has_null(left) || has_null(right)) {
        Value::Null
    } else {
        Value::Boolean(false)
    }
}

pub(crate) fn remove<'a>(array: Value<'a>, unwanted: Value<'a>) -> Value<'a> {
    let kept = items(&array).iter().filter(|item| item.is_null() || !equal(item, &unwanted));
    Value::Array(kept.cloned().collect())
}

pub(crate) fn compact(array: Value<'_>) -> Value<'_> {
    Value::Array(items(&array).iter().filter(|item| !item.is_null()).cloned().collect())
}

/// NULL only where the array is.
pub(crate) fn append(values: Vec<Value<'_>>) -> Value<'_> {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (Some(Value::Array(items)), Some(item)) => array(items.iter().cloned().chain([item.into_owned()])),
        _ => Value::Null,
    }
}

/// So many times the value, also NULL; none for a number below 1.
pub(crate) fn repeat(values: Vec<Value<'_>>) -> Value<'_> {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (Some(value), Some(Value::Int(times))) => {
            let times = usize::try_from(times).unwrap_or(0).min(super::text::LENGTH_MAX);
            array(std::iter::repeat_n(value.into_owned(), times))
        }
        _ => Value::Null,
    }
}

/// From a number from 1 (or from -1 backwards) on, so many. NULL for 0 and for a length below 0, where Spark fails.
pub(crate) fn slice<'a>(array: Value<'a>, start: Value<'a>, length: Value<'a>) -> Value<'a> {
    let (Value::Int(start), Value::Int(length)) = (start, length) else { return Value::Null };
    let Ok(length) = usize::try_from(length) else { return Value::Null };
    let items = items(&array);
    let at = match start {
        0 => return Value::Null,
        1.. => start as usize - 1,
        _ => match items.len().checked_sub(start.unsigned_abs() as usize) {
            Some(at) => at,
            None => return Value::Array([].into()),
        },
    };
    Value::Array(items.iter().skip(at).take(length).cloned().collect())
}

pub(crate) fn reverse(array: Value<'_>) -> Value<'_> {
    Value::Array(items(&array).iter().rev().cloned().collect())
}

pub(crate) fn concat(arrays: Vec<Value<'_>>) -> Value<'_> {
    array(arrays.iter().flat_map(items).cloned())
}

/// NULL if one of the arrays is.
pub(crate) fn flatten(arrays: Value<'_>) -> Value<'_> {
    let arrays = items(&arrays);
    if arrays.iter().any(Value::is_null) {
        return Value::Null;
    }
    array(arrays.iter().flat_map(items).cloned())
}
