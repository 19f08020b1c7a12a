//! Values as `to_json` writes them with `ignoreNullFields` false. Follows `JacksonGenerator`, and Jackson's escapes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{write_cast, write_integer};
use crate::types::datetime::{write_date, write_json_timestamp};
use crate::types::{DataType, Value, double_text, float_text};

/// Appends a value of this type as JSON; a struct is an object with all its fields, NULL is `null`.
pub(crate) fn to_json(value: &Value<'_>, data_type: &DataType, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::TinyInt(value) => write_integer(i64::from(*value), out),
        Value::SmallInt(value) => write_integer(i64::from(*value), out),
        Value::Int(value) => write_integer(i64::from(*value), out),
        Value::BigInt(value) => write_integer(*value, out),
        Value::Float(value) if value.is_finite() => float_text(*value, out),
        Value::Float(value) => quoted(out, |out| float_text(*value, out)),
        Value::Months(_) | Value::Micros(_) => quoted(out, |out| write_cast(value, data_type, out)),
        Value::Double(value) if value.is_finite() => double_text(*value, out),
        Value::Double(value) => quoted(out, |out| double_text(*value, out)),
        Value::Decimal(value) => value.write(out),
        Value::String(text) => write_json_string(text, out),
        Value::Binary(bytes) => {
            quoted(out, |out| out.extend_from_slice(STANDARD.encode(bytes.as_ref()).as_bytes()));
        }
        Value::Date(days) => quoted(out, |out| write_date(*days, out)),
        Value::Timestamp(micros) => quoted(out, |out| write_json_timestamp(*micros, out)),
        Value::Array(values) => {
            let element = if let DataType::Array(element) = data_type { element } else { data_type };
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                put_comma(index, out);
                to_json(value, element, out);
            }
            out.push(b']');
        }
        Value::Struct(values) => {
            let fields = if let DataType::Struct(fields) = data_type { fields.as_ref() } else { &[] };
            out.push(b'{');
            for (index, (value, field)) in values.iter().zip(fields).enumerate() {
                put_comma(index, out);
                write_json_string(field.name.as_bytes(), out);
                out.push(b':');
                to_json(value, &field.data_type, out);
            }
            out.push(b'}');
        }
        Value::Map(entries) => write_map(entries, data_type, out),
    }
}

/// Keys are written as Java shows Spark's own form of them: days of a DATE, microseconds of a TIMESTAMP.
fn write_map(entries: &[(Value<'static>, Value<'static>)], data_type: &DataType, out: &mut Vec<u8>) {
    let (key_type, value_type) =
        if let DataType::Map(key, value) = data_type { (key.as_ref(), value.as_ref()) } else { (data_type, data_type) };
    out.push(b'{');
    let mut name = Vec::new();
    for (index, (key, value)) in entries.iter().enumerate() {
        put_comma(index, out);
        name.clear();
        match key {
            Value::Date(days) => write_integer(i64::from(*days), &mut name),
            Value::Timestamp(micros) => write_integer(*micros, &mut name),
            other => write_cast(other, key_type, &mut name),
        }
        write_json_string(&name, out);
        out.push(b':');
        to_json(value, value_type, out);
    }
    out.push(b'}');
}

fn put_comma(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Appends text in quotes, with the escapes that Jackson uses; what is no UTF-8 becomes U+FFFD.
pub(crate) fn write_json_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        write_escaped(chunk.valid(), out);
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
}

fn write_escaped(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(length) = rest.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        let (plain, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((&escaped, after)) = after.split_first() else { return };
        out.push(b'\\');
        match escaped {
            b'\n' => out.push(b'n'),
            b'\t' => out.push(b't'),
            b'\r' => out.push(b'r'),
            0x8 => out.push(b'b'),
            0xc => out.push(b'f'),
            b'"' | b'\\' => out.push(escaped),
            control => {
                let digit = control & 0xf;
                out.extend_from_slice(if control < 0x10 { b"u000" } else { b"u001" });
                out.push(if digit < 10 { b'0' + digit } else { b'A' - 10 + digit });
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}
