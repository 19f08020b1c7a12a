//! Functions of ARRAY, MAP and STRUCT.

use std::sync::Arc;

use super::{ANY_NUMBER, Call, Entry, custom};
use crate::expr::Expr;
use crate::expr::build::coerce::{Takes, is_orderable, wider_of, wider_of_without_strings, wider_without_strings};
use crate::expr::build::conditional::no_common_type;
use crate::expr::build::{BuildError, Built, Typed, index, sql_type};
use crate::expr::functions::{Function, collections};
use crate::types::{DataType, Value};

use DataType as T;

pub(super) const TABLE: &[Entry] = &[
    custom("size", 1, 1, size),
    custom("cardinality", 1, 1, size),
    custom("array_size", 1, 1, |call| call.strict(&[Takes::Array], T::Int, Function::One(collections::array_size))),
    custom("array", 0, ANY_NUMBER, array),
    custom("element_at", 2, 2, element_at),
    custom("try_element_at", 2, 2, element_at),
    custom("get", 2, 2, get),
    custom("array_contains", 2, 2, |call| with_element(call, T::Boolean, collections::contains)),
    custom("array_position", 2, 2, |call| with_element(call, T::BigInt, collections::position)),
    custom("array_remove", 2, 2, remove),
    custom("array_append", 2, 2, append),
    custom("array_repeat", 2, 2, repeat),
    custom("array_join", 2, 3, join),
    custom("array_min", 1, 1, |call| extreme(call, collections::array_min)),
    custom("array_max", 1, 1, |call| extreme(call, collections::array_max)),
    custom("sort_array", 1, 2, sort),
    custom("array_distinct", 1, 1, |call| same(call, collections::distinct)),
    custom("array_compact", 1, 1, |call| same(call, collections::compact)),
    custom("array_union", 2, 2, |call| arrays(call, collections::union)),
    custom("array_intersect", 2, 2, |call| arrays(call, collections::intersect)),
    custom("array_except", 2, 2, |call| arrays(call, collections::except)),
    custom("arrays_overlap", 2, 2, overlap),
    custom("slice", 3, 3, slice),
    custom("flatten", 1, 1, flatten),
];

pub(super) fn element(array: &DataType) -> DataType {
    match array {
        T::Array(element) => element.as_ref().clone(),
        _ => T::Null,
    }
}

pub(super) fn array_of(element: DataType) -> DataType {
    T::Array(Arc::new(element))
}

fn size(call: Call) -> Built {
    match call.arguments.first().map(|operand| &operand.data_type) {
        Some(T::Array(_) | T::Map(..) | T::Null) => {
            call.strict(&[Takes::Any], T::Int, Function::Nullable(collections::size))
        }
        _ => Err(wrong_kind(&call, "ARRAY or MAP")),
    }
}

pub(super) fn wrong_kind(call: &Call, wanted: &str) -> BuildError {
    match call.arguments.first() {
        Some(operand) => BuildError::operand(&call.text(), operand, wanted),
        None => call.error("it takes an argument", wanted),
    }
}

/// All arguments in their common type, and that type.
pub(super) fn common(call: &Call, arguments: &[Typed]) -> Result<(Vec<Typed>, DataType), BuildError> {
    let Some(common) = wider_of(arguments.iter().map(|argument| &argument.data_type)) else {
        return Err(no_common_type(&call.text(), arguments.iter()));
    };
    Ok((arguments.iter().map(|argument| argument.clone().converted(&common)).collect(), common))
}

fn array(call: Call) -> Built {
    let (arguments, element) = common(&call, &call.arguments)?;
    if arguments.is_empty() {
        return Ok(call.named(Expr::Literal(Value::Array([].into())), array_of(T::Null)));
    }
    Ok(call.over(arguments, array_of(element), Function::Nullable(collections::make_array)))
}

fn element_at(call: Call) -> Built {
    let [operand, key] = call.arguments.as_slice() else { return Err(wrong_kind(&call, "ARRAY or MAP")) };
    match &operand.data_type {
        T::Array(element) => {
            if !matches!(key.data_type, T::Int | T::Null) {
                return Err(BuildError::operand(&call.text(), key, "INT"));
            }
            if matches!(key.value(), Some(Value::Int(0))) {
                return Err(call.error("elements are counted from 1", "1, or -1 for the last"));
            }
            let arguments = vec![operand.clone(), key.clone().converted(&T::Int)];
            Ok(call.over(arguments, element.as_ref().clone(), Function::Two(collections::element_at)))
        }
        T::Map(key_type, value) => {
            let arguments = map_and_key(&call, operand, key, key_type, value)?;
            Ok(call.over(arguments, value.as_ref().clone(), Function::Two(collections::entry)))
        }
        _ => Err(wrong_kind(&call, "ARRAY or MAP")),
    }
}

/// A map and a key, in the type that holds its keys and that one without loss.
pub(super) fn map_and_key(
    call: &Call,
    map: &Typed,
    key: &Typed,
    key_type: &DataType,
    value_type: &Arc<DataType>,
) -> Result<Vec<Typed>, BuildError> {
    let Some(common) = wider_without_strings(key_type, &key.data_type).filter(|_| key.data_type != T::Null) else {
        return Err(BuildError::operand(&call.text(), key, &sql_type(key_type)));
    };
    let map_type = T::Map(Arc::new(common.clone()), Arc::clone(value_type));
    Ok(vec![map.clone().converted(&map_type), key.clone().converted(&common)])
}

/// As `array[index]`.
fn get(call: Call) -> Built {
    let text = call.text();
    let [operand, at] = call.arguments.as_slice() else { return Err(wrong_kind(&call, "ARRAY")) };
    if !matches!(operand.data_type, T::Array(_)) {
        return Err(wrong_kind(&call, "ARRAY"));
    }
    let at = call.convert(at.clone(), Takes::Int)?;
    let typed = index(operand.clone(), at)?;
    Ok(Typed::new(typed.expr, typed.data_type, text))
}

/// An array and a value, in the type that holds both without loss.
fn array_and_value(call: &Call) -> Result<(Vec<Typed>, DataType), BuildError> {
    let [operand, value] = call.arguments.as_slice() else { return Err(wrong_kind(call, "ARRAY")) };
    let T::Array(element) = &operand.data_type else { return Err(wrong_kind(call, "ARRAY")) };
    let Some(common) = wider_without_strings(element, &value.data_type) else {
        return Err(BuildError::operand(&call.text(), value, &sql_type(element)));
    };
    if !is_orderable(&common) {
        return Err(call.error(&format!("values of {} cannot be compared", sql_type(&common)), "elements without maps"));
    }
    let array = array_of(common.clone());
    Ok((vec![operand.clone().converted(&array), value.clone().converted(&common)], array))
}

fn with_element(call: Call, gives: DataType, function: super::Two) -> Built {
    let (arguments, _) = array_and_value(&call)?;
    if let Some(null) = call.arguments.get(1).filter(|value| value.data_type == T::Null && gives == T::Boolean) {
        return Err(BuildError::operand(&call.text(), null, "a value"));
    }
    Ok(call.over(arguments, gives, Function::Two(function)))
}

fn remove(call: Call) -> Built {
    let (arguments, array) = array_and_value(&call)?;
    Ok(call.over(arguments, array, Function::Two(collections::remove)))
}

fn append(call: Call) -> Built {
    let [operand, value] = call.arguments.as_slice() else { return Err(wrong_kind(&call, "ARRAY")) };
    let T::Array(element) = &operand.data_type else { return Err(wrong_kind(&call, "ARRAY")) };
    let Some(common) = wider_without_strings(element, &value.data_type) else {
        return Err(BuildError::operand(&call.text(), value, &sql_type(element)));
    };
    let array = array_of(common.clone());
    let arguments = vec![operand.clone().converted(&array), value.clone().converted(&common)];
    Ok(call.over(arguments, array, Function::Nullable(collections::append)))
}

fn repeat(call: Call) -> Built {
    let arguments = call.converted(&[Takes::Any, Takes::Int])?;
    let gives = array_of(arguments.first().map_or(T::Null, |value| value.data_type.clone()));
    Ok(call.over(arguments, gives, Function::Nullable(collections::repeat)))
}

fn join(call: Call) -> Built {
    let texts = array_of(T::String);
    let mut arguments = call.converted(&[Takes::Array, Takes::String, Takes::String])?;
    if let Some(first) = arguments.first_mut() {
        *first = first.clone().converted(&texts);
    }
    let function = if arguments.len() == 2 {
        Function::Two(collections::join)
    } else {
        Function::Three(collections::join_with_nulls)
    };
    Ok(call.over(arguments, T::String, function))
}

fn orderable_element(call: &Call) -> Result<DataType, BuildError> {
    match call.arguments.first().map(|operand| &operand.data_type) {
        Some(T::Array(element)) if is_orderable(element) => Ok(element.as_ref().clone()),
        _ => Err(wrong_kind(call, "ARRAY of values that can be compared")),
    }
}

fn extreme(call: Call, function: super::One) -> Built {
    let element = orderable_element(&call)?;
    call.strict(&[Takes::Array], element, Function::One(function))
}

fn sort(call: Call) -> Built {
    let call = call.or_default(2, Value::Boolean(true), T::Boolean, "true");
    let array = array_of(orderable_element(&call)?);
    if let Some(order) = call.arguments.get(1).filter(|order| order.value().is_none()) {
        return Err(call.error(&format!("the order {} differs from row to row", order.text), "true or false"));
    }
    call.strict(&[Takes::Array, Takes::Boolean], array, Function::Two(collections::sort))
}

fn same(call: Call, function: super::One) -> Built {
    let arguments = call.converted(&[Takes::Array])?;
    let gives = arguments.first().map_or(T::Null, |array| array.data_type.clone());
    Ok(call.over(arguments, gives, Function::One(function)))
}

/// Two arrays in their common type.
fn two_arrays(call: &Call) -> Result<(Vec<Typed>, DataType), BuildError> {
    if !call.arguments.iter().all(|argument| matches!(argument.data_type, T::Array(_) | T::Null)) {
        return Err(wrong_kind(call, "ARRAY"));
    }
    let Some(common) = wider_of_without_strings(call.arguments.iter().map(|argument| &argument.data_type)) else {
        return Err(no_common_type(&call.text(), call.arguments.iter()));
    };
    Ok((call.arguments.iter().map(|argument| argument.clone().converted(&common)).collect(), common))
}

fn arrays(call: Call, function: super::Two) -> Built {
    let (arguments, gives) = two_arrays(&call)?;
    Ok(call.over(arguments, gives, Function::Two(function)))
}

fn overlap(call: Call) -> Built {
    let (arguments, _) = two_arrays(&call)?;
    Ok(call.over(arguments, T::Boolean, Function::Two(collections::overlap)))
}

fn slice(call: Call) -> Built {
    let arguments = call.converted(&[Takes::Array, Takes::Int, Takes::Int])?;
    let gives = arguments.first().map_or(T::Null, |array| array.data_type.clone());
    Ok(call.over(arguments, gives, Function::Three(collections::slice)))
}

fn flatten(call: Call) -> Built {
    match call.arguments.first().map(|operand| element(&operand.data_type)) {
        Some(inner @ T::Array(_)) => call.strict(&[Takes::Array], inner, Function::One(collections::flatten)),
        _ => Err(wrong_kind(&call, "ARRAY of ARRAYs")),
    }
}
