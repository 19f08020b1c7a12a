//! Literals: `'text'`, `5`, `5L`, `2.5`, `1e3`, `TRUE`, `NULL`, `X'1F'`, `DATE '2024-01-02'`.

use sqlparser::ast::{self, TypedString};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal;
use super::lowered::Lowered;
use crate::expr::build;
use crate::types::{DataType, Decimal, Value, cast, to_text};

/// Numbers, texts and the like. See `AstBuilder.visitNumericConstant` and its neighbours.
pub(super) fn value(value: &ast::Value, place: Span) -> Result<Lowered, PlanError> {
    match value {
        ast::Value::SingleQuotedString(raw) => Ok(string(&literal::string(raw, '\''))),
        ast::Value::DoubleQuotedString(raw) => Ok(string(&literal::string(raw, '"'))),
        ast::Value::SingleQuotedRawStringLiteral(raw) | ast::Value::DoubleQuotedRawStringLiteral(raw) => {
            Ok(string(raw))
        }
        ast::Value::Number(digits, long) => {
            let suffixed = if *long { format!("{digits}L") } else { digits.clone() };
            number(&suffixed, place)
        }
        ast::Value::Boolean(truth) => Ok(constant(Value::Boolean(*truth), DataType::Boolean, truth.to_string())),
        ast::Value::Null => Ok(constant(Value::Null, DataType::Null, "NULL".to_owned())),
        ast::Value::HexStringLiteral(digits) => {
            let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.clone() };
            let pairs = padded.as_bytes().chunks(2).map(|pair| {
                let pair = std::str::from_utf8(pair).ok()?;
                u8::from_str_radix(pair, 16).ok()
            });
            let Some(bytes) = pairs.collect::<Option<Vec<u8>>>() else {
                return Err(refuse(place, "X holds hexadecimal digits", "write X'1F'"));
            };
            let name = format!("X'{}'", padded.to_ascii_uppercase());
            Ok(constant(Value::Binary(bytes.into()), DataType::Binary, name))
        }
        _ => Err(refuse(place, "a literal of this kind is not supported", "write a number or a string: 'text'")),
    }
}

/// A text.
pub(super) fn string(text: &str) -> Lowered {
    let typed = build::literal(Value::String(text.as_bytes().to_vec().into()), DataType::String, text.to_owned());
    Lowered::new(typed, format!("'{}'", text.escape_debug()))
}

/// A number as it is written, with its sign and suffix.
pub(super) fn number(written: &str, place: Span) -> Result<Lowered, PlanError> {
    let end = written.trim_end_matches(|sign: char| sign.is_ascii_alphabetic());
    let (digits, suffix) = match written.split_at(end.len()) {
        (digits, suffix) if !suffix.is_empty() => (digits, suffix.to_ascii_uppercase()),
        (digits, _) => (digits, String::new()),
    };
    let exponent = digits.contains(['e', 'E']);
    let whole = !exponent && !digits.contains('.');
    let bad = |instead: &str| Err(refuse(place, format!("{written} is no number that is supported"), instead));
    match suffix.as_str() {
        "" if whole => {
            if let Ok(value) = digits.parse::<i32>() {
                return Ok(numeric(Value::Int(value), DataType::Int, ""));
            }
            match digits.parse::<i64>() {
                Ok(value) => Ok(numeric(Value::BigInt(value), DataType::BigInt, "L")),
                Err(_) => decimal(digits, place),
            }
        }
        "L" if whole => match digits.parse::<i64>() {
            Ok(value) => Ok(numeric(Value::BigInt(value), DataType::BigInt, "L")),
            Err(_) => bad("a BIGINT is at most 9223372036854775807"),
        },
        "" if exponent => double(digits, place),
        "D" => double(digits, place),
        "" | "BD" => decimal(digits, place),
        "S" if whole => match digits.parse::<i16>() {
            Ok(value) => Ok(numeric(Value::SmallInt(value), DataType::SmallInt, "S")),
            Err(_) => bad("a SMALLINT is from -32768 to 32767"),
        },
        "Y" if whole => match digits.parse::<i8>() {
            Ok(value) => Ok(numeric(Value::TinyInt(value), DataType::TinyInt, "Y")),
            Err(_) => bad("a TINYINT is from -128 to 127"),
        },
        "F" => match digits.parse::<f32>() {
            Ok(value) if value.is_finite() => Ok(numeric(Value::Float(value), DataType::Float, "F")),
            _ => bad("a FLOAT is at most 3.4028235e38"),
        },
        _ => bad("put a name that starts with a digit in backquotes"),
    }
}

fn double(digits: &str, place: Span) -> Result<Lowered, PlanError> {
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(numeric(Value::Double(value), DataType::Double, "D")),
        _ => Err(refuse(place, format!("{digits} is no DOUBLE"), "write a number such as 1.5e3")),
    }
}

fn decimal(digits: &str, place: Span) -> Result<Lowered, PlanError> {
    match Decimal::literal(digits.as_bytes()) {
        Some(value) => {
            let data_type = DataType::Decimal { precision: value.precision, scale: value.scale };
            Ok(numeric(Value::Decimal(value), data_type, "BD"))
        }
        None => {
            Err(refuse(place, format!("{digits} has more than 38 digits"), "write it with an exponent, as a DOUBLE"))
        }
    }
}

/// `DATE '…'` and `TIMESTAMP '…'`.
pub(super) fn typed_string(typed: &TypedString) -> Result<Lowered, PlanError> {
    let place = typed.value.span;
    let data_type = match typed.data_type {
        ast::DataType::Date => DataType::Date,
        ast::DataType::Timestamp(None, ast::TimezoneInfo::None) => DataType::Timestamp,
        _ => {
            let what = format!("a literal of type {} is not supported", typed.data_type);
            return Err(refuse(place, what, "write DATE '…', TIMESTAMP '…' or CAST('…' AS TYPE)"));
        }
    };
    let raw = match &typed.value.value {
        ast::Value::SingleQuotedString(raw) => literal::string(raw, '\''),
        ast::Value::DoubleQuotedString(raw) => literal::string(raw, '"'),
        _ => return Err(refuse(place, "the literal's value is not in quotes", "write DATE '2024-01-02'")),
    };
    let value = cast(Value::String(raw.as_bytes().to_vec().into()), &DataType::String, &data_type);
    let kind = if data_type == DataType::Date { "DATE" } else { "TIMESTAMP" };
    if value.is_null() {
        let what = format!("{raw:?} is no {kind}");
        return Err(refuse(place, what, "write DATE '2024-01-02', or TIMESTAMP '2024-01-02 03:04:05'"));
    }
    let name = format!("{kind} '{}'", shown(&value, &data_type));
    Ok(constant(value, data_type, name))
}

fn numeric(value: Value<'static>, data_type: DataType, suffix: &str) -> Lowered {
    let name = shown(&value, &data_type);
    let text = format!("{name}{suffix}");
    Lowered::new(build::literal(value, data_type, name), text)
}

fn constant(value: Value<'static>, data_type: DataType, name: String) -> Lowered {
    let text = name.clone();
    Lowered::new(build::literal(value, data_type, name), text)
}

fn shown(value: &Value<'_>, data_type: &DataType) -> String {
    let mut text = Vec::new();
    to_text(value, data_type, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
