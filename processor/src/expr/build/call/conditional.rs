//! Functions that choose between their arguments: `FunctionArgumentConversion`, `IfCoercion`.

use super::{ANY_NUMBER, Call, Entry, custom};
use crate::expr::build::coerce::{Takes, is_orderable, wider_of, wider_of_without_strings};
use crate::expr::build::conditional::{choose, no_common_type};
use crate::expr::build::{Binary, Built, Typed, binary, is_not_null, is_null};
use crate::expr::functions::{Function, conditional as functions};
use crate::types::DataType;

pub(super) const TABLE: &[Entry] = &[
    custom("if", 3, 3, condition).shown("IF"),
    custom("coalesce", 1, ANY_NUMBER, coalesce),
    custom("ifnull", 2, 2, coalesce),
    custom("nvl", 2, 2, coalesce),
    custom("nvl2", 3, 3, choose_by_null),
    custom("nullif", 2, 2, null_if),
    custom("isnull", 1, 1, |call| null_check(call, is_null)),
    custom("isnotnull", 1, 1, |call| null_check(call, is_not_null)),
    custom("equal_null", 2, 2, equal_null),
    custom("isnan", 1, 1, is_nan),
    custom("nanvl", 2, 2, |call| call.strict_double(functions::nan_or)),
    custom("greatest", 2, ANY_NUMBER, |call| extreme(call, functions::greatest)),
    custom("least", 2, ANY_NUMBER, |call| extreme(call, functions::least)),
    custom("typeof", 1, 1, type_of),
];

impl Call {
    fn strict_double(self, function: super::Two) -> Built {
        self.strict(&[Takes::Double, Takes::Double], DataType::Double, Function::Two(function))
    }
}

fn condition(call: Call) -> Built {
    let text = format!("({})", call.text());
    let [condition, value, otherwise] = call.take()?;
    choose(vec![(condition, value)], Some(otherwise), text)
}

fn coalesce(call: Call) -> Built {
    let Some(common) = wider_of(call.arguments.iter().map(|argument| &argument.data_type)) else {
        return Err(no_common_type(&call.text(), call.arguments.iter()));
    };
    let arguments = call.arguments.iter().map(|argument| argument.clone().converted(&common)).collect();
    Ok(call.over(arguments, common, Function::Coalesce))
}

fn choose_by_null(call: Call) -> Built {
    let text = call.text();
    let [tested, value, otherwise] = call.take()?;
    choose(vec![(is_not_null(tested), value)], Some(otherwise), text)
}

/// NULL where the two are equal.
fn null_if(call: Call) -> Built {
    let text = call.text();
    let [value, other] = call.take()?;
    let equal = binary(Binary::Eq, value.clone(), other)?;
    let null = crate::expr::build::literal(crate::types::Value::Null, DataType::Null, "NULL".to_owned());
    choose(vec![(equal, null)], Some(value), text)
}

fn null_check(call: Call, check: fn(Typed) -> Typed) -> Built {
    let [operand] = call.take()?;
    Ok(check(operand))
}

fn equal_null(call: Call) -> Built {
    let text = call.text();
    let [left, right] = call.take()?;
    let equal = binary(Binary::NullSafeEq, left, right)?;
    Ok(Typed::new(equal.expr, equal.data_type, text))
}

/// False for NULL too.
fn is_nan(call: Call) -> Built {
    call.strict(&[Takes::Double], DataType::Boolean, Function::Nullable(functions::is_nan))
}

fn extreme(call: Call, function: for<'a> fn(Vec<crate::types::Value<'a>>) -> crate::types::Value<'a>) -> Built {
    let types = call.arguments.iter().map(|argument| &argument.data_type);
    let Some(common) = wider_of_without_strings(types).filter(is_orderable) else {
        return Err(no_common_type(&call.text(), call.arguments.iter()));
    };
    let arguments = call.arguments.iter().map(|argument| argument.clone().converted(&common)).collect();
    Ok(call.over(arguments, common, Function::Nullable(function)))
}

fn type_of(call: Call) -> Built {
    let text = call.text();
    let [operand] = call.take()?;
    let name = operand.data_type.to_string().into_bytes();
    let literal = crate::expr::Expr::Literal(crate::types::Value::String(name.into()));
    Ok(Typed::new(literal, DataType::String, text))
}
