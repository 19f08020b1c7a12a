//! Functions of MAP and STRUCT.

use std::sync::Arc;

use super::collections::{array_of, common, element, map_and_key, wrong_kind};
use super::{ANY_NUMBER, Call, Entry, custom};
use crate::expr::Expr;
use crate::expr::build::coerce::{Takes, is_orderable};
use crate::expr::build::{Built, sql_type};
use crate::expr::functions::{Function, collections};
use crate::types::{DataType, Field, Value};

use DataType as T;

pub(super) const TABLE: &[Entry] = &[
    custom("map", 0, ANY_NUMBER, map),
    custom("struct", 1, ANY_NUMBER, structure),
    custom("named_struct", 2, ANY_NUMBER, named_structure),
    custom("map_keys", 1, 1, |call| map_part(call, |key, _| key, collections::map_keys)),
    custom("map_values", 1, 1, |call| map_part(call, |_, value| value, collections::map_values)),
    custom("map_entries", 1, 1, |call| map_part(call, entry_type, collections::map_entries)),
    custom("map_contains_key", 2, 2, map_contains_key),
    custom("map_from_arrays", 2, 2, map_from_arrays),
    custom("map_from_entries", 1, 1, map_from_entries),
    custom("map_concat", 1, ANY_NUMBER, map_concat),
];

fn map(call: Call) -> Built {
    if !call.arguments.len().is_multiple_of(2) {
        return Err(call.error("it takes keys and values in turn", "an even number of arguments"));
    }
    if call.arguments.is_empty() {
        return Ok(call.named(Expr::Literal(Value::Map([].into())), T::Map(Arc::new(T::Null), Arc::new(T::Null))));
    }
    let every_second = |skipped| call.arguments.iter().skip(skipped).step_by(2).cloned().collect::<Vec<_>>();
    let (keys, key) = common(&call, &every_second(0))?;
    let (values, value) = common(&call, &every_second(1))?;
    if !is_orderable(&key) {
        return Err(call.error(&format!("{} cannot be a key", sql_type(&key)), "keys without maps in them"));
    }
    let arguments = keys.into_iter().zip(values).flat_map(|(key, value)| [key, value]).collect();
    let gives = T::Map(Arc::new(key), Arc::new(value));
    Ok(call.over(arguments, gives, Function::Nullable(collections::make_map)))
}

/// Fields have the names of columns, and others col1, col2 by their places.
fn structure(call: Call) -> Built {
    let fields = call.arguments.iter().enumerate().map(|(index, argument)| {
        // `a + 1 AS q`
        let aliased = argument.text.ends_with(&format!(" AS {}", argument.name));
        let is_name =
            aliased || matches!(argument.expr, Expr::Column(_) | Expr::Field(..)) && !argument.name.ends_with(')');
        let name = if is_name { argument.name.clone() } else { format!("col{}", index + 1) };
        Field { name, data_type: argument.data_type.clone() }
    });
    let gives = T::Struct(fields.collect());
    Ok(call.over(call.arguments.clone(), gives, Function::Nullable(collections::make_struct)))
}

fn named_structure(call: Call) -> Built {
    if !call.arguments.len().is_multiple_of(2) {
        return Err(call.error("it takes names and values in turn", "an even number of arguments"));
    }
    let mut fields = Vec::new();
    let mut values = Vec::new();
    let mut arguments = call.arguments.iter();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        let Some(Value::String(name)) = name.value() else {
            return Err(call.error(&format!("{} is no name", name.text), "names between quotes"));
        };
        let name = String::from_utf8_lossy(&name).into_owned();
        fields.push(Field { name, data_type: value.data_type.clone() });
        values.push(value.clone());
    }
    Ok(call.over(values, T::Struct(fields.into()), Function::Nullable(collections::make_struct)))
}

fn entry_type(key: DataType, value: DataType) -> DataType {
    let fields = [("key", key), ("value", value)];
    T::Struct(fields.into_iter().map(|(name, data_type)| Field { name: name.to_owned(), data_type }).collect())
}

fn map_part(call: Call, part: fn(DataType, DataType) -> DataType, function: super::One) -> Built {
    match call.arguments.first().map(|operand| operand.data_type.clone()) {
        Some(T::Map(key, value)) => {
            let gives = array_of(part(key.as_ref().clone(), value.as_ref().clone()));
            call.strict(&[Takes::Map], gives, Function::One(function))
        }
        _ => Err(wrong_kind(&call, "MAP")),
    }
}

fn map_contains_key(call: Call) -> Built {
    let [operand, key] = call.arguments.as_slice() else { return Err(wrong_kind(&call, "MAP")) };
    let T::Map(key_type, value_type) = &operand.data_type else { return Err(wrong_kind(&call, "MAP")) };
    let arguments = map_and_key(&call, operand, key, key_type, value_type)?;
    Ok(call.over(arguments, T::Boolean, Function::Two(collections::map_contains_key)))
}

fn map_from_arrays(call: Call) -> Built {
    let arguments = call.converted(&[Takes::Array])?;
    let mut elements = arguments.iter().map(|array| Arc::new(element(&array.data_type)));
    let (Some(key), Some(value)) = (elements.next(), elements.next()) else { return Err(wrong_kind(&call, "ARRAY")) };
    Ok(call.over(arguments, T::Map(key, value), Function::Two(collections::map_from_arrays)))
}

fn map_from_entries(call: Call) -> Built {
    let pair = match call.arguments.first().map(|operand| element(&operand.data_type)) {
        Some(T::Struct(fields)) => <[Field; 2]>::try_from(fields.to_vec()).ok(),
        _ => None,
    };
    let Some([key, value]) = pair else { return Err(wrong_kind(&call, "ARRAY of STRUCT of two fields")) };
    let gives = T::Map(Arc::new(key.data_type), Arc::new(value.data_type));
    call.strict(&[Takes::Array], gives, Function::One(collections::map_from_entries))
}

fn map_concat(call: Call) -> Built {
    if !call.arguments.iter().all(|argument| matches!(argument.data_type, T::Map(..))) {
        return Err(wrong_kind(&call, "MAP"));
    }
    let (arguments, gives) = common(&call, &call.arguments)?;
    Ok(call.over(arguments, gives, Function::Many(collections::map_concat)))
}
