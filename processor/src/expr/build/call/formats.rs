//! Functions whose forms are literals: `mask`, `to_binary`, `to_number`, `to_char`.

use super::Call;
use crate::expr::build::coerce::{Takes, decimal, digits};
use crate::expr::build::{BuildError, Built, Typed, literal};
use crate::expr::functions::mask::Mask;
use crate::expr::functions::number_format::NumberFormat;
use crate::expr::functions::{Function, charset, digest};
use crate::types::{DataType, Value};

/// An argument's text, which is the same for every row; `None` if it is NULL.
fn constant(call: &Call, argument: &Typed) -> Result<Option<String>, BuildError> {
    match argument.value() {
        Some(Value::String(text)) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
        Some(_) => Ok(None),
        None => Err(call.error(&format!("{} differs from row to row", argument.text), "a text between quotes")),
    }
}

/// Nothing becomes a STRING here but NULL.
fn exact_text(call: &Call, argument: &Typed) -> Result<(), BuildError> {
    match argument.data_type {
        DataType::String | DataType::Null => Ok(()),
        _ => Err(BuildError::operand(&call.text(), argument, "STRING")),
    }
}

pub(super) fn mask(mut call: Call) -> Built {
    let text = |text: &str| literal(Value::String(text.as_bytes().to_vec().into()), DataType::String, text.to_owned());
    let null = || literal(Value::Null, DataType::Null, "NULL".to_owned());
    let defaults = [text("X"), text("x"), text("n"), null()];
    let given = call.arguments.len().max(1);
    call.arguments.extend(defaults.into_iter().skip(given - 1));
    let mut masks = Vec::new();
    for argument in &call.arguments {
        exact_text(&call, argument)?;
    }
    for argument in call.arguments.iter().skip(1) {
        let mask = constant(&call, argument)?;
        let mut chars = mask.iter().flat_map(|mask| mask.chars());
        masks.push(chars.next());
        if mask.is_some() && (masks.last() == Some(&None) || chars.next().is_some()) {
            return Err(call.error(&format!("'{}' is not one character", argument.text), "one character, as 'X'"));
        }
    }
    let kind = |index: usize| masks.get(index).copied().flatten();
    let mask = Mask { upper: kind(0), lower: kind(1), digit: kind(2), other: kind(3) };
    let operand = call.arguments.first().cloned().unwrap_or_else(null);
    let operand = call.convert(operand, Takes::String)?;
    Ok(call.over(vec![operand], DataType::String, Function::Mask(mask)))
}

pub(super) fn to_binary(call: Call, lenient: bool) -> Built {
    let mut arguments = call.converted(&[Takes::String])?;
    let format = match call.arguments.get(1) {
        Some(format) => {
            exact_text(&call, format)?;
            arguments.pop();
            constant(&call, format)?
        }
        None => Some("hex".to_owned()),
    };
    let function: super::One = match format.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("hex") => digest::unhex,
        Some("utf-8" | "utf8") => charset::utf8,
        Some("base64") => digest::strict_unbase64,
        // As Spark: a format that is none, or NULL, finds nothing.
        None => |_| Value::Null,
        Some(_) if lenient => |_| Value::Null,
        Some(format) => return Err(call.error(&format!("'{format}' is no format"), "'hex', 'utf-8' or 'base64'")),
    };
    Ok(call.over(arguments, DataType::Binary, Function::One(function)))
}

fn number_format(call: &Call, format: &Typed) -> Result<Option<NumberFormat>, BuildError> {
    let format = call.convert(format.clone(), Takes::String)?;
    let Some(form) = constant(call, &format)? else { return Ok(None) };
    let parsed = NumberFormat::parse(&form);
    parsed.map(Some).map_err(|error| call.error(&format!("the form '{form}': {error}"), "a form, as '$9,999.99'"))
}

/// A DECIMAL with the digits of the form.
pub(super) fn to_number(call: Call) -> Built {
    let [text, format] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let text = call.convert(text.clone(), Takes::String)?;
    match number_format(&call, format)? {
        Some(format) => {
            let (precision, scale) = format.digits();
            Ok(call.over(vec![text], decimal(precision, scale), Function::ToNumber(format)))
        }
        None => Ok(literal(Value::Null, decimal(10, 0), call.text())),
    }
}

pub(super) fn to_char(call: Call) -> Built {
    let [number, format] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let (precision, scale) = match number.data_type {
        DataType::Float => (14, 7),
        DataType::Double => (30, 15),
        DataType::String => (38, 18),
        DataType::Null => (10, 0),
        ref given => match digits(given) {
            Some(digits) => digits,
            None => return Err(BuildError::operand(&call.text(), number, "DECIMAL")),
        },
    };
    let number = number.clone().converted(&decimal(precision, scale));
    match number_format(&call, format)? {
        Some(format) => Ok(call.over(vec![number], DataType::String, Function::ToChar(format))),
        None => Ok(literal(Value::Null, DataType::String, call.text())),
    }
}
