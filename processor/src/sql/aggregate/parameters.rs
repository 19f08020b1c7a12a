//! The arguments of aggregates that are the same for every row.

use std::sync::Arc;

use sqlparser::tokenizer::Span;

use crate::aggregate::cardinality;
use crate::expr::build::Typed;
use crate::sql::error::{PlanError, refuse};
use crate::types::{DataType, Value, cast};

/// Percentages, each from 0.0 to 1.0, and whether they are an ARRAY.
pub(super) fn fractions(argument: &Typed, name: &str, place: Span) -> Result<(Arc<[f64]>, bool), PlanError> {
    let wrong =
        |what: String| refuse(place, what, format!("write {name}(column, 0.5) or {name}(column, array(0.5, 0.9))"));
    let Some(value) = argument.value() else {
        return Err(wrong(format!("the percentage of {name} differs from row to row")));
    };
    let number = |value: &Value<'_>, data_type: &DataType| match cast(value.borrowed(), data_type, &DataType::Double) {
        Value::Double(number) if (0.0..=1.0).contains(&number) => Ok(number),
        Value::Double(number) => Err(wrong(format!("the percentage {number} is not between 0 and 1"))),
        _ => Err(wrong(format!("{} is no percentage", argument.text))),
    };
    match (&value, &argument.data_type) {
        (Value::Array(values), DataType::Array(element)) if *element.as_ref() != DataType::String => {
            Ok((values.iter().map(|value| number(value, element)).collect::<Result<_, _>>()?, true))
        }
        (value, data_type) => Ok(([number(value, data_type)?].into(), false)),
    }
}

/// The accuracy of `percentile_approx`.
pub(super) fn accuracy(argument: &Typed, name: &str, place: Span) -> Result<u32, PlanError> {
    let is_whole =
        matches!(argument.data_type, DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt);
    let value = argument.value().filter(|_| is_whole);
    match value.map(|value| cast(value, &argument.data_type, &DataType::BigInt)) {
        Some(Value::BigInt(value @ 1..=0x7fff_ffff)) => Ok(value as u32),
        _ => {
            let what = format!("the accuracy of {name} is a whole number from 1 to 2147483647");
            Err(refuse(place, what, format!("write {name}(column, 0.5, 10000)")))
        }
    }
}

/// The bits that number the registers of `approx_count_distinct` with this relative deviation.
pub(super) fn register_bits(argument: &Typed, name: &str, place: Span) -> Result<u8, PlanError> {
    let is_fraction = matches!(argument.data_type, DataType::Decimal { .. } | DataType::Double);
    let value = argument.value().filter(|_| is_fraction);
    let deviation = match value.map(|value| cast(value, &argument.data_type, &DataType::Double)) {
        Some(Value::Double(deviation)) => deviation,
        _ => f64::NAN,
    };
    cardinality::bits(deviation).ok_or_else(|| {
        let what = format!("the deviation of {name} is a number from 0.0022 to 0.39");
        refuse(place, what, format!("write {name}(column, 0.05)"))
    })
}
