//! Functions of strings.

use std::sync::Arc;

use super::{ANY_NUMBER, Call, Entry, custom, formats, one, three, two};
use crate::expr::build::coerce::{Takes, is_numeric, is_orderable, wider_of};
use crate::expr::build::conditional::{choose, no_common_type};
use crate::expr::build::{Binary as Comparison, Built, binary, literal, sql_type};
use crate::expr::functions::{Function, charset, collections, digest, format, json, search, similar, text, trim, url};
use crate::types::{DataType, Value, parse_schema, parse_type};

use DataType as T;
use Takes::{BigInt, Binary, Int, String, Text};

pub(super) const TABLE: &[Entry] = &[
    one("upper", String, T::String, text::upper),
    one("ucase", String, T::String, text::upper),
    one("lower", String, T::String, text::lower),
    one("lcase", String, T::String, text::lower),
    one("initcap", String, T::String, text::initcap),
    custom("trim", 1, 2, |call| trim(call, "BOTH", trim::trim, trim::trim_set)),
    custom("ltrim", 1, 2, |call| trim(call, "LEADING", trim::trim_start, trim::trim_start_set)),
    custom("rtrim", 1, 2, |call| trim(call, "TRAILING", trim::trim_end, trim::trim_end_set)),
    custom("btrim", 1, 2, both_trim),
    one("length", Text, T::Int, text::length),
    one("char_length", Text, T::Int, text::length),
    one("character_length", Text, T::Int, text::length),
    one("len", Text, T::Int, text::length),
    one("octet_length", Text, T::Int, text::octet_length),
    one("bit_length", Text, T::Int, text::bit_length),
    custom("substring", 2, 3, substring),
    custom("substr", 2, 3, substring).shown("substr"),
    custom("left", 2, 2, |call| same_kind(call, &[Text, Int], Function::Two(text::left))),
    two("right", [String, Int], T::String, text::right),
    custom("concat", 0, ANY_NUMBER, concat),
    custom("concat_ws", 1, ANY_NUMBER, concat_ws),
    custom("reverse", 1, 1, reverse),
    two("repeat", [String, Int], T::String, text::repeat),
    one("space", Int, T::String, text::space),
    custom("lpad", 2, 3, |call| pad(call, trim::pad_start)),
    custom("rpad", 2, 3, |call| pad(call, trim::pad_end)),
    three("translate", [String; 3], T::String, text::translate),
    custom("overlay", 3, 4, overlay),
    two("levenshtein", [String; 2], T::Int, similar::levenshtein),
    one("soundex", String, T::String, similar::soundex),
    custom("startswith", 2, 2, |call| compare(call, search::starts_with)),
    custom("endswith", 2, 2, |call| compare(call, search::ends_with)),
    custom("contains", 2, 2, |call| compare(call, search::contains)),
    two("instr", [String; 2], T::Int, search::instr),
    custom("locate", 2, 3, locate),
    custom("position", 2, 3, locate),
    custom("replace", 2, 3, replace),
    three("substring_index", [String, String, Int], T::String, search::substring_index),
    three("split_part", [String, String, Int], T::String, search::split_part),
    one("md5", Binary, T::String, digest::md5),
    one("sha", Binary, T::String, digest::sha1),
    one("sha1", Binary, T::String, digest::sha1),
    two("sha2", [Binary, Int], T::String, digest::sha2),
    one("crc32", Binary, T::BigInt, digest::crc32),
    custom("hash", 1, ANY_NUMBER, |call| hash(call, T::Int, digest::hash)),
    custom("xxhash64", 1, ANY_NUMBER, |call| hash(call, T::BigInt, digest::xxhash64)),
    one("base64", Binary, T::String, digest::base64),
    one("unbase64", String, T::Binary, digest::unbase64),
    custom("hex", 1, 1, hex),
    one("unhex", String, T::Binary, digest::unhex),
    one("bin", BigInt, T::String, digest::bin),
    three("conv", [String, Int, Int], T::String, digest::conv),
    two("encode", [String; 2], T::Binary, charset::encode),
    custom("decode", 2, ANY_NUMBER, decode),
    one("json_array_length", String, T::Int, json::array_length),
    one("ascii", String, T::Int, digest::ascii),
    one("chr", BigInt, T::String, digest::chr),
    one("char", BigInt, T::String, digest::chr),
    two("format_number", [Takes::Numeric, Int], T::String, format::number),
    custom("format_string", 1, ANY_NUMBER, format_string),
    custom("printf", 1, ANY_NUMBER, format_string),
    custom("parse_url", 2, 3, parse_url),
    one("url_encode", String, T::String, url::encode),
    one("url_decode", String, T::String, url::decode),
    custom("get_json_object", 2, 2, get_json_object),
    custom("to_json", 1, 1, to_json),
    custom("from_json", 2, 2, from_json),
    custom("schema_of_json", 1, 1, schema_of_json),
    custom("json_object_keys", 1, 1, |call| {
        call.strict(&[String], T::Array(Arc::new(T::String)), Function::One(json::object_keys))
    }),
    two("find_in_set", [String; 2], T::Int, search::find_in_set),
    custom("elt", 2, ANY_NUMBER, elt),
    custom("sentences", 1, 3, sentences),
    custom("mask", 1, 5, formats::mask),
    custom("to_binary", 1, 2, |call| formats::to_binary(call, false)),
    custom("try_to_binary", 1, 2, |call| formats::to_binary(call, true)),
    custom("to_number", 2, 2, formats::to_number),
    custom("try_to_number", 2, 2, formats::to_number),
    custom("to_char", 2, 2, formats::to_char),
];

fn trim(call: Call, side: &str, blanks: super::One, set: super::Two) -> Built {
    if call.arguments.len() == 1 {
        return call.strict(&[String], T::String, Function::One(blanks));
    }
    // The characters come first, as in TRIM(characters FROM text).
    let mut arguments = call.converted(&[String])?;
    arguments.reverse();
    let mut typed = call.over(arguments, T::String, Function::Two(set));
    let [characters, text] = call.take()?;
    typed.text = format!("TRIM({side} {} FROM {})", characters.text, text.text);
    typed.name.clone_from(&typed.text);
    Ok(typed)
}

fn both_trim(call: Call) -> Built {
    let function = if call.arguments.len() == 1 { Function::One(trim::trim) } else { Function::Two(trim::trim_set) };
    call.strict(&[String], T::String, function)
}

/// BINARY of BINARY, STRING of all else.
fn same_kind(call: Call, takes: &[Takes], function: Function) -> Built {
    let arguments = call.converted(takes)?;
    let gives = arguments.first().map_or(T::String, |first| first.data_type.clone());
    Ok(call.over(arguments, gives, function))
}

fn substring(call: Call) -> Built {
    let call = call.or_default(3, Value::Int(i32::MAX), T::Int, "2147483647");
    same_kind(call, &[Text, Int, Int], Function::Three(text::substring))
}

fn concat(call: Call) -> Built {
    let is_array = |data_type: &DataType| matches!(data_type, T::Array(_));
    if call.arguments.is_empty() {
        return Ok(call.named(crate::expr::Expr::Literal(Value::String(Vec::new().into())), T::String));
    }
    if call.arguments.iter().any(|argument| is_array(&argument.data_type)) {
        let types = call.arguments.iter().map(|argument| &argument.data_type);
        let all = call.arguments.iter().all(|argument| is_array(&argument.data_type));
        let Some(common) = wider_of(types).filter(|_| all) else {
            return Err(no_common_type(&call.text(), call.arguments.iter()));
        };
        let arguments = call.arguments.iter().map(|argument| argument.clone().converted(&common)).collect();
        return Ok(call.over(arguments, common, Function::Many(collections::concat)));
    }
    let takes = if call.arguments.iter().all(|argument| argument.data_type == T::Binary) { Text } else { String };
    same_kind(call, &[takes], Function::Many(text::concat))
}

fn concat_ws(call: Call) -> Built {
    let mut arguments = Vec::new();
    for (index, argument) in call.arguments.iter().enumerate() {
        let argument = argument.clone();
        arguments.push(match &argument.data_type {
            T::Array(_) if index > 0 => {
                let texts = T::Array(Arc::new(T::String));
                argument.converted(&texts)
            }
            _ => call.convert(argument, String)?,
        });
    }
    Ok(call.over(arguments, T::String, Function::Nullable(text::concat_with_separator)))
}

fn reverse(call: Call) -> Built {
    match call.arguments.first().map(|argument| argument.data_type.clone()) {
        Some(array @ T::Array(_)) => call.strict(&[Takes::Array], array, Function::One(collections::reverse)),
        _ => call.strict(&[String], T::String, Function::One(text::reverse)),
    }
}

fn pad(call: Call, function: super::Three) -> Built {
    let is_binary = call.arguments.first().is_some_and(|argument| argument.data_type == T::Binary);
    if is_binary && call.arguments.len() == 2 {
        let call = call.or_default(3, Value::Binary(vec![0].into()), T::Binary, "X'00'");
        return same_kind(call, &[Text, Int, Text], Function::Three(function));
    }
    let call = call.or_default(3, Value::String(vec![b' '].into()), T::String, " ");
    same_kind(call, &[Text, Int, Text], Function::Three(function))
}

fn overlay(call: Call) -> Built {
    let call = call.or_default(4, Value::Int(-1), T::Int, "-1");
    same_kind(call, &[Text, Text, Int, Int], Function::Many(text::overlay))
}

fn compare(call: Call, function: super::Two) -> Built {
    let takes = if call.arguments.iter().all(|argument| argument.data_type == T::Binary) { Text } else { String };
    call.strict(&[takes], T::Boolean, Function::Two(function))
}

fn locate(call: Call) -> Built {
    let call = call.or_default(3, Value::Int(1), T::Int, "1");
    call.strict(&[String, String, Int], T::Int, Function::Nullable(search::locate))
}

fn replace(call: Call) -> Built {
    let call = call.or_default(3, Value::String(Vec::new().into()), T::String, "");
    call.strict(&[String], T::String, Function::Three(search::replace))
}

fn hash(call: Call, gives: DataType, function: for<'a> fn(Vec<Value<'a>>) -> Value<'a>) -> Built {
    // Equal maps may have their entries in different orders.
    if let Some(map) = call.arguments.iter().find(|argument| !is_orderable(&argument.data_type)) {
        return Err(super::BuildError::operand(&call.text(), map, "all but MAP"));
    }
    call.strict(&[Takes::Any], gives, Function::Nullable(function))
}

fn hex(call: Call) -> Built {
    let takes = match call.arguments.first().map(|argument| &argument.data_type) {
        Some(T::Null) => BigInt,
        Some(number) if is_numeric(number) => BigInt,
        _ => Text,
    };
    call.strict(&[takes], T::String, Function::One(digest::hex))
}

fn format_string(call: Call) -> Built {
    let mut arguments = call.arguments.clone();
    let Some(first) = arguments.first_mut() else { return Err(call.error("it has no format", "a format")) };
    *first = call.convert(first.clone(), String)?;
    Ok(call.over(arguments, T::String, Function::Nullable(format::printf)))
}

fn parse_url(call: Call) -> Built {
    let function = if call.arguments.len() == 2 { Function::Two(url::part) } else { Function::Three(url::query_key) };
    call.strict(&[String], T::String, function)
}

/// Bytes in a charset; or, of more arguments, as Oracle's: a value, keys and what they stand for in turn, and what all
/// others do.
fn decode(call: Call) -> Built {
    if call.arguments.len() == 2 {
        return call.strict(&[Binary, String], T::String, Function::Two(charset::decode));
    }
    let text = call.text();
    let mut arguments = call.arguments.into_iter();
    let Some(value) = arguments.next() else { return Err(super::wrong_number("decode", 2, ANY_NUMBER, 0)) };
    let mut branches = Vec::new();
    let mut otherwise = None;
    while let Some(key) = arguments.next() {
        match arguments.next() {
            Some(result) => branches.push((binary(Comparison::NullSafeEq, value.clone(), key)?, result)),
            None => otherwise = Some(key),
        }
    }
    choose(branches, otherwise, text)
}

fn get_json_object(call: Call) -> Built {
    let mut arguments = call.converted(&[String])?;
    match arguments.last().and_then(super::Typed::value) {
        Some(Value::String(path)) => {
            arguments.pop();
            match json::Path::parse(&path) {
                Some(path) => Ok(call.over(arguments, T::String, Function::JsonPath(path))),
                // As Spark: a path that is none finds nothing.
                None => Ok(literal_null(&call)),
            }
        }
        _ => Ok(call.over(arguments, T::String, Function::Two(json::get_any))),
    }
}

fn to_json(call: Call) -> Built {
    let [operand] = call.arguments.as_slice() else { return Err(call.error("it takes one argument", "one")) };
    let data_type = operand.data_type.clone();
    if !matches!(data_type, T::Struct(_) | T::Map(..) | T::Array(_)) {
        return Err(super::BuildError::operand(&call.text(), operand, "STRUCT, MAP or ARRAY"));
    }
    call.strict(&[Takes::Any], T::String, Function::ToJson(data_type))
}

/// The schema is a literal: of columns, or one type.
fn from_json(call: Call) -> Built {
    let [operand, schema] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let schema = match schema.value() {
        Some(Value::String(schema)) => std::string::String::from_utf8_lossy(&schema).into_owned(),
        _ => return Err(call.error("its schema differs from row to row", "a text, as 'a INT, b STRING'")),
    };
    let parsed = parse_type(&schema).or_else(|_| parse_schema(&schema).map(|fields| T::Struct(fields.into())));
    let data_type = parsed.map_err(|error| call.error(&error.message, "'a INT, b STRING'"))?;
    if !matches!(data_type, T::Struct(_) | T::Array(_) | T::Map(..)) {
        return Err(call.error(&format!("{data_type} is no schema"), "'a INT, b STRING'"));
    }
    // So Spark calls it.
    let text = match data_type {
        T::Map(..) => "entries".to_owned(),
        _ => format!("from_json({})", operand.text),
    };
    let operand = call.convert(operand.clone(), String)?;
    let function = Function::FromJson(Arc::new(json::FromJson::new(&data_type)));
    let typed = call.over(vec![operand], data_type, function);
    Ok(super::Typed::new(typed.expr, typed.data_type, text))
}

fn schema_of_json(call: Call) -> Built {
    let value = call.arguments.first().and_then(super::Typed::value);
    let Some(Value::String(text)) = value else {
        return Err(call.error("its text differs from row to row", "a text between quotes"));
    };
    match json::infer(&text) {
        Some(data_type) => {
            let shown = sql_type(&data_type);
            Ok(literal(Value::String(shown.into_bytes().into()), T::String, call.text()))
        }
        None => Err(call.error("this is no JSON", "a JSON text between quotes")),
    }
}

/// The argument of a number, from 1.
fn elt(call: Call) -> Built {
    let binary = call.arguments.iter().skip(1).all(|argument| argument.data_type == T::Binary);
    let takes = if binary { Text } else { String };
    let mut arguments = call.converted(&[Int, takes])?;
    let gives = if binary { T::Binary } else { T::String };
    let Some(number) = arguments.first_mut() else { return Err(call.error("it has no number", "a number")) };
    *number = number.clone().converted(&T::Int);
    Ok(call.over(arguments, gives, Function::Nullable(search::elt)))
}

fn sentences(call: Call) -> Built {
    let none = || Value::String(Vec::new().into());
    let call = call.or_default(2, none(), T::String, "").or_default(3, none(), T::String, "");
    let words = T::Array(Arc::new(T::Array(Arc::new(T::String))));
    call.strict(&[String], words, Function::Nullable(search::sentences))
}

fn literal_null(call: &Call) -> super::Typed {
    literal(Value::Null, T::String, call.text())
}
