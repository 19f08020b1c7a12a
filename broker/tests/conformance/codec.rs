//! Messages between JSON and bytes, by their layout. A field that has its default is left out of the JSON, either way.

use bytes::{Buf, BufMut, Bytes};
use serde_json::{Map, Value, json};

use crate::batches;
use crate::schema::{Field, Kind, ZERO_UUID};

/// Appends a message. Fields that its version does not have are left out.
pub(crate) fn encode(fields: &[Field], value: &Value, version: i16, flexible: bool, out: &mut Vec<u8>) {
    let empty = Map::new();
    let given = value.as_object().unwrap_or(&empty);
    for name in given.keys() {
        assert!(fields.iter().any(|field| field.name == *name), "no field {name} in {value}");
    }
    let of = |field: &Field| given.get(&field.name).cloned().unwrap_or_else(|| field.default.clone());
    let here = || fields.iter().filter(|field| field.versions.has(version));
    for field in here().filter(|field| field.tag.is_none()) {
        encode_field(field, &of(field), version, flexible, out);
    }
    if !flexible {
        return;
    }
    let tagged: Vec<_> = here().filter_map(|field| Some((field.tag?, field))).collect();
    let tagged: Vec<_> = tagged.into_iter().filter(|(_, field)| of(field) != field.default).collect();
    put_varint(out, tagged.len() as u32);
    for (tag, field) in tagged {
        let mut bytes = Vec::new();
        encode_field(field, &of(field), version, flexible, &mut bytes);
        put_varint(out, tag);
        put_varint(out, bytes.len() as u32);
        out.extend(bytes);
    }
}

fn encode_field(field: &Field, value: &Value, version: i16, flexible: bool, out: &mut Vec<u8>) {
    if !field.list {
        let null = field.null.is_some_and(|null| null.has(version));
        return encode_one(&field.kind, value, version, flexible, null, out);
    }
    match value.as_array() {
        None => put_count(out, None, flexible),
        Some(elements) => {
            put_count(out, Some(elements.len()), flexible);
            for element in elements {
                encode_one(&field.kind, element, version, flexible, false, out);
            }
        }
    }
}

fn encode_one(kind: &Kind, value: &Value, version: i16, flexible: bool, null: bool, out: &mut Vec<u8>) {
    match kind {
        Kind::Bool => out.put_u8(u8::from(value.as_bool().unwrap_or_else(|| panic!("{value} is no bool")))),
        Kind::Int(size) => {
            out.put_int(value.as_i64().unwrap_or_else(|| panic!("{value} is no number")), *size);
        }
        Kind::Unsigned(size) => out.put_uint(value.as_u64().unwrap(), *size),
        Kind::Float => out.put_f64(value.as_f64().unwrap()),
        Kind::Uuid => {
            let id = uuid::Uuid::parse_str(value.as_str().unwrap_or_else(|| panic!("{value} is no id")));
            out.extend_from_slice(id.unwrap().as_bytes());
        }
        Kind::Text => {
            let text = value.as_str();
            assert!(text.is_some() || value.is_null(), "{value} is no text");
            put_text(out, text, flexible);
        }
        Kind::Bytes | Kind::Records => {
            let bytes = match kind {
                Kind::Records if !value.is_null() => Some(batches::encode(value)),
                _ => to_bytes(value),
            };
            put_count(out, bytes.as_ref().map(Vec::len), flexible);
            out.extend(bytes.unwrap_or_default());
        }
        Kind::Struct(fields) if null => match value {
            Value::Null => out.put_i8(-1),
            value => {
                out.put_i8(1);
                encode(fields, value, version, flexible, out);
            }
        },
        Kind::Struct(fields) => encode(fields, value, version, flexible, out),
    }
}

/// A length or a count; none is null.
fn put_count(out: &mut Vec<u8>, count: Option<usize>, flexible: bool) {
    match flexible {
        true => put_varint(out, count.map_or(0, |count| count as u32 + 1)),
        false => out.put_i32(count.map_or(-1, |count| count as i32)),
    }
}

/// A text with its length.
pub(crate) fn put_text(out: &mut Vec<u8>, text: Option<&str>, flexible: bool) {
    match (text, flexible) {
        (text, true) => put_count(out, text.map(str::len), true),
        (None, false) => out.put_i16(-1),
        (Some(text), false) => out.put_i16(i16::try_from(text.len()).unwrap()),
    }
    out.extend_from_slice(text.unwrap_or_default().as_bytes());
}

fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes as scripts write them: text, `{"hex": …}`, or null.
pub(crate) fn to_bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        value => {
            let hex = value["hex"].as_str().unwrap_or_else(|| panic!("{value} is no bytes")).replace(' ', "");
            Some((0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect())
        }
    }
}

/// Bytes as scripts write them.
pub(crate) fn from_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|each: char| each.is_control()) => text.into(),
        _ => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
    }
}

/// Takes a message off the front; `None` where the bytes end early.
pub(crate) fn decode(fields: &[Field], bytes: &mut Bytes, version: i16, flexible: bool) -> Option<Value> {
    let mut object = Map::new();
    let mut keep = |field: &Field, value: Value| {
        if value != field.default {
            object.insert(field.name.clone(), value);
        }
    };
    let here = || fields.iter().filter(|field| field.versions.has(version));
    for field in here().filter(|field| field.tag.is_none()) {
        let value = decode_field(field, bytes, version, flexible)?;
        keep(field, value);
    }
    if flexible {
        for _ in 0..take_varint(bytes)? {
            let (tag, len) = (take_varint(bytes)?, take_varint(bytes)? as usize);
            let mut inner = take(bytes, len)?;
            let field = here().find(|field| field.tag == Some(tag))?;
            let value = decode_field(field, &mut inner, version, flexible)?;
            assert!(inner.is_empty(), "tag {tag} is longer than {}", field.name);
            keep(field, value);
        }
    }
    Some(Value::Object(object))
}

fn decode_field(field: &Field, bytes: &mut Bytes, version: i16, flexible: bool) -> Option<Value> {
    if !field.list {
        let null = field.null.is_some_and(|null| null.has(version));
        return decode_one(&field.kind, bytes, version, flexible, null);
    }
    let Some(count) = take_count(bytes, flexible)? else { return Some(Value::Null) };
    (0..count).map(|_| decode_one(&field.kind, bytes, version, flexible, false)).collect()
}

fn decode_one(kind: &Kind, bytes: &mut Bytes, version: i16, flexible: bool, null: bool) -> Option<Value> {
    Some(match kind {
        Kind::Bool => (take(bytes, 1)?.get_u8() != 0).into(),
        Kind::Int(size) => take(bytes, *size)?.get_int(*size).into(),
        Kind::Unsigned(size) => take(bytes, *size)?.get_uint(*size).into(),
        Kind::Float => take(bytes, 8)?.get_f64().into(),
        Kind::Uuid => match uuid::Uuid::from_slice(&take(bytes, 16)?).unwrap() {
            id if id.is_nil() => ZERO_UUID.into(),
            id => id.to_string().into(),
        },
        Kind::Text => {
            let len = match flexible {
                true => take_count(bytes, true)?,
                false => usize::try_from(take(bytes, 2)?.get_i16()).ok(),
            };
            match len {
                None => Value::Null,
                Some(len) => std::str::from_utf8(&take(bytes, len)?).ok()?.into(),
            }
        }
        Kind::Bytes | Kind::Records => match take_count(bytes, flexible)? {
            None => Value::Null,
            Some(len) if matches!(kind, Kind::Records) => batches::decode(take(bytes, len)?),
            Some(len) => from_bytes(&take(bytes, len)?),
        },
        Kind::Struct(_) if null && take(bytes, 1)?.get_i8() < 0 => Value::Null,
        Kind::Struct(fields) => decode(fields, bytes, version, flexible)?,
    })
}

/// A length or a count; the inner none is null.
fn take_count(bytes: &mut Bytes, flexible: bool) -> Option<Option<usize>> {
    match flexible {
        true => Some((take_varint(bytes)? as usize).checked_sub(1)),
        false => Some(usize::try_from(take(bytes, 4)?.get_i32()).ok()),
    }
}

fn take_varint(bytes: &mut Bytes) -> Option<u32> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let byte = take(bytes, 1)?.get_u8();
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take(bytes: &mut Bytes, len: usize) -> Option<Bytes> {
    (len <= bytes.len()).then(|| bytes.split_to(len))
}
