//! Which types convert to which, and the conversion of arrays, maps and structs by their parts.

use std::sync::Arc;

use crate::types::{DataType, Value};

/// Whether Spark lets a CAST from the one type to the other stand (`Cast.canCast`).
pub(crate) fn can_cast(from: &DataType, to: &DataType) -> bool {
    use DataType::{Array, BigInt, Binary, Boolean, Date, Int, Interval, Map, Null, String, Struct, Timestamp};
    use DataType::{Decimal, SmallInt, TinyInt};
    match (from, to) {
        (from, to) if from == to => true,
        (Null, _) | (_, String) => true,
        (String, Binary | Boolean | Timestamp | Date) | (TinyInt | SmallInt | Int | BigInt, Binary) => true,
        (Interval(from), Interval(to)) => from.is_of_months() == to.is_of_months(),
        (Interval(_), TinyInt | SmallInt | Int | BigInt | Decimal { .. }) => true,
        (String | TinyInt | SmallInt | Int | BigInt | Decimal { .. }, Interval(_)) => true,
        (Date | Timestamp, Boolean) | (Boolean | Date, Timestamp) | (Timestamp, Date) => true,
        (from, Boolean | Timestamp) if is_numeric(from) => true,
        (String | Boolean | Date | Timestamp, to) if is_numeric(to) => true,
        (from, to) if is_numeric(from) && is_numeric(to) => true,
        (Array(from), Array(to)) => can_cast(from, to),
        (Map(from_key, from_value), Map(to_key, to_value)) => {
            can_cast(from_key, to_key) && !may_give_null(from_key, to_key) && can_cast(from_value, to_value)
        }
        (Struct(from), Struct(to)) => {
            let pairs = from.iter().zip(to.iter());
            from.len() == to.len() && pairs.into_iter().all(|(from, to)| can_cast(&from.data_type, &to.data_type))
        }
        _ => false,
    }
}

fn is_numeric(data_type: &DataType) -> bool {
    use DataType::{BigInt, Decimal, Double, Float, Int, SmallInt, TinyInt};
    matches!(data_type, TinyInt | SmallInt | Int | BigInt | Float | Double | Decimal { .. })
}

/// `Cast.forceNullable`: a map's keys may not become NULL.
fn may_give_null(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        BigInt, Binary, Boolean, Date, Decimal, Double, Float, Int, Null, SmallInt, String, Timestamp, TinyInt,
    };
    match (from, to) {
        (Null, _) => false,
        (from, to) if from == to => false,
        (String, Binary) => false,
        (String, _) => true,
        (_, String) => false,
        (Float | Double, Timestamp) => true,
        (Timestamp, Date) => false,
        (_, Date) => true,
        (Date, to) => *to != Timestamp,
        (from, Decimal { precision, scale }) => {
            let whole = precision - scale.min(precision);
            match from {
                Boolean => whole < 1,
                TinyInt => whole < 3,
                SmallInt => whole < 5,
                Int => whole < 10,
                BigInt => whole < 20,
                Decimal { precision: from, scale: from_scale } => {
                    let from_whole = from - from_scale.min(from);
                    whole < from_whole || whole == from_whole && scale < from_scale
                }
                _ => true,
            }
        }
        (Float | Double | Decimal { .. }, TinyInt | SmallInt | Int | BigInt) => true,
        _ => false,
    }
}

/// NULL if the two types are not of one shape.
pub(super) fn cast<'a>(value: Value<'a>, from: &DataType, to: &DataType) -> Value<'a> {
    if from == to {
        return value;
    }
    match (value, from, to) {
        (Value::Array(values), DataType::Array(from), DataType::Array(to)) => {
            Value::Array(values.iter().map(|value| super::cast(value.clone(), from, to)).collect())
        }
        (Value::Map(entries), DataType::Map(from_key, from_value), DataType::Map(to_key, to_value)) => {
            let entry = |(key, value): &(Value<'static>, Value<'static>)| {
                (super::cast(key.clone(), from_key, to_key), super::cast(value.clone(), from_value, to_value))
            };
            Value::Map(entries.iter().map(entry).collect())
        }
        (Value::Struct(values), DataType::Struct(from), DataType::Struct(to)) => {
            let types = from.iter().zip(to.iter());
            let values = values.iter().zip(types);
            let values: Arc<[_]> =
                values.map(|(value, (from, to))| super::cast(value.clone(), &from.data_type, &to.data_type)).collect();
            Value::Struct(values)
        }
        _ => Value::Null,
    }
}
