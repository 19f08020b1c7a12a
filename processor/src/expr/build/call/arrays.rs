//! Functions that make arrays of numbers, times and other arrays.

use std::sync::Arc;

use super::collections::{array_of, element, wrong_kind};
use super::{ANY_NUMBER, Call, Entry, custom};
use crate::expr::Expr;
use crate::expr::build::coerce::{Takes, is_integral, is_orderable, wider_of, wider_without_strings};
use crate::expr::build::{BuildError, Built, Typed, sql_type};
use crate::expr::functions::{Function, arrays};
use crate::types::{DataType, Field, Value};

use DataType as T;
use Takes::String;

pub(super) const TABLE: &[Entry] = &[
    custom("array_sort", 1, 1, sort),
    custom("arrays_zip", 1, ANY_NUMBER, zip),
    custom("array_insert", 3, 3, insert),
    custom("sequence", 2, 3, sequence),
    custom("str_to_map", 1, 3, str_to_map),
];

/// Spark sorts by a lambda, and names it so.
const ORDER: &str = "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, (IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < namedlambdavariable()), -1, (IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())";

fn sort(call: Call) -> Built {
    let [operand] = call.arguments.as_slice() else { return Err(wrong_kind(&call, "ARRAY")) };
    if !matches!(&operand.data_type, T::Array(element) if is_orderable(element)) {
        return Err(wrong_kind(&call, "ARRAY of values that can be compared"));
    }
    let text = format!("array_sort({}, {ORDER})", operand.text);
    let gives = operand.data_type.clone();
    let typed = call.strict(&[Takes::Array], gives, Function::One(arrays::sort))?;
    Ok(Typed::new(typed.expr, typed.data_type, text))
}

/// The fields are called as the columns are, and what is no column by its number.
fn zip(call: Call) -> Built {
    let mut fields = Vec::with_capacity(call.arguments.len());
    for (number, argument) in call.arguments.iter().enumerate() {
        let T::Array(element) = &argument.data_type else {
            return Err(BuildError::operand(&call.text(), argument, "ARRAY"));
        };
        let is_path = matches!(argument.expr, Expr::Column(_) | Expr::Field(..));
        let name = if is_path { argument.name.clone() } else { number.to_string() };
        fields.push(Field { name, data_type: element.as_ref().clone() });
    }
    let gives = array_of(T::Struct(fields.into()));
    Ok(call.over(call.arguments.clone(), gives, Function::Many(arrays::zip)))
}

fn insert(call: Call) -> Built {
    let [operand, at, value] = call.arguments.as_slice() else { return Err(wrong_kind(&call, "ARRAY")) };
    let T::Array(_) = &operand.data_type else { return Err(wrong_kind(&call, "ARRAY")) };
    let Some(common) = wider_without_strings(&element(&operand.data_type), &value.data_type) else {
        return Err(BuildError::operand(&call.text(), value, &sql_type(&element(&operand.data_type))));
    };
    if !is_integral(&at.data_type) {
        return Err(BuildError::operand(&call.text(), at, "INT"));
    }
    let array = array_of(common.clone());
    let arguments =
        vec![operand.clone().converted(&array), at.clone().converted(&T::Int), value.clone().converted(&common)];
    Ok(call.over(arguments, array, Function::Nullable(arrays::insert)))
}

fn sequence(call: Call) -> Built {
    let bounds = call.arguments.iter().take(2).map(|argument| &argument.data_type);
    let Some(common) = wider_of(bounds) else { return Err(wrong_kind(&call, "numbers or times")) };
    let is_time = matches!(common, T::Date | T::Timestamp);
    if !is_time && !is_integral(&common) {
        return Err(wrong_kind(&call, "whole numbers, DATEs or TIMESTAMPs"));
    }
    let step = call.arguments.get(2);
    let common = match step {
        Some(step) if !is_time => match wider_of([&common, &step.data_type].into_iter()).filter(is_integral) {
            Some(common) => common,
            None => return Err(BuildError::operand(&call.text(), step, "a whole number")),
        },
        Some(step) if !matches!(step.data_type, T::Interval(_)) => {
            return Err(BuildError::operand(&call.text(), step, "INTERVAL"));
        }
        _ => common,
    };
    let mut arguments: Vec<Typed> =
        call.arguments.iter().take(2).map(|argument| argument.clone().converted(&common)).collect();
    let gives = T::Array(Arc::new(common.clone()));
    match step {
        Some(step) if is_time => arguments.push(step.clone()),
        Some(step) => arguments.push(step.clone().converted(&common)),
        None => return Ok(call.over(arguments, gives, Function::Two(arrays::sequence_by_one))),
    }
    Ok(call.over(arguments, gives, Function::Three(arrays::sequence)))
}

fn str_to_map(call: Call) -> Built {
    let text = |text: &str| Value::String(text.as_bytes().to_vec().into());
    let call = call.or_default(2, text(","), T::String, ",").or_default(3, text(":"), T::String, ":");
    let gives = T::Map(Arc::new(T::String), Arc::new(T::String));
    call.strict(&[String], gives, Function::Three(arrays::str_to_map))
}
