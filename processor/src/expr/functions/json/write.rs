//! JSON texts of values and of trees.

use super::super::string;
use super::reader::Node;
use crate::types::{DataType, Value, to_json, to_text, write_json_string};

/// `to_json`, which leaves out fields that are NULL.
pub(crate) fn of_value(value: &Value<'_>, data_type: &DataType) -> Value<'static> {
    let mut out = Vec::new();
    write_value(value, data_type, &mut out);
    string(out)
}

fn write_value(value: &Value<'_>, data_type: &DataType, out: &mut Vec<u8>) {
    match (value, data_type) {
        (Value::Struct(values), DataType::Struct(fields)) => {
            let known = values.iter().zip(fields.iter()).filter(|(value, _)| !value.is_null());
            let named = known.map(|(value, field)| (field.name.as_bytes(), value, &field.data_type));
            write_object(named, out);
        }
        (Value::Map(entries), DataType::Map(key_type, value_type)) => {
            let keys: Vec<Vec<u8>> = entries
                .iter()
                .map(|(key, _)| {
                    let mut text = Vec::new();
                    to_text(key, key_type, &mut text);
                    text
                })
                .collect();
            let named = keys.iter().zip(entries.iter());
            write_object(named.map(|(key, (_, value))| (key.as_slice(), value, value_type.as_ref())), out);
        }
        (Value::Array(items), DataType::Array(element)) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write_value(item, element, out);
            }
            out.push(b']');
        }
        (value, data_type) => to_json(value, data_type, out),
    }
}

fn write_object<'v>(fields: impl Iterator<Item = (&'v [u8], &'v Value<'static>, &'v DataType)>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (name, value, data_type)) in fields.enumerate() {
        out.extend_from_slice(if index > 0 { b"," } else { b"" });
        write_json_string(name, out);
        out.push(b':');
        write_value(value, data_type, out);
    }
    out.push(b'}');
}

pub(super) fn write(node: &Node, out: &mut Vec<u8>) {
    match node {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Word(word) => out.extend_from_slice(word.as_bytes()),
        Node::Number(text) => out.extend_from_slice(text.as_bytes()),
        Node::String(text) => write_json_string(text.as_bytes(), out),
        Node::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write(item, out);
            }
            out.push(b']');
        }
        Node::Object(fields) => {
            out.push(b'{');
            for (index, (name, value)) in fields.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write_json_string(name.as_bytes(), out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}
