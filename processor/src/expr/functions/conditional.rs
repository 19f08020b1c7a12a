//! Functions that choose between values.

use std::cmp::Ordering;

use crate::types::{Value, order};

pub(crate) fn is_nan(values: Vec<Value<'_>>) -> Value<'_> {
    Value::Boolean(matches!(values.first(), Some(Value::Double(value)) if value.is_nan()))
}

/// The second where the first is NaN.
pub(crate) fn nan_or<'a>(value: Value<'a>, otherwise: Value<'a>) -> Value<'a> {
    match value {
        Value::Double(number) if number.is_nan() => otherwise,
        value => value,
    }
}

/// NULLs do not count; the first of several equal ones.
pub(crate) fn greatest(values: Vec<Value<'_>>) -> Value<'_> {
    extreme(values, Ordering::Greater)
}

pub(crate) fn least(values: Vec<Value<'_>>) -> Value<'_> {
    extreme(values, Ordering::Less)
}

fn extreme(values: Vec<Value<'_>>, wanted: Ordering) -> Value<'_> {
    let known = values.into_iter().filter(|value| !value.is_null());
    known.reduce(|best, value| if order(&value, &best) == wanted { value } else { best }).unwrap_or(Value::Null)
}
