//! `from_json` and `schema_of_json`.

use std::sync::Arc;

use super::reader::{Node, Reader};
use crate::json::Scanner;
use crate::types::{DataType, Decimal, Field, Value};

/// Reads texts as values of a type, which is a STRUCT, an ARRAY or a MAP.
#[derive(Debug)]
pub(crate) struct FromJson {
    scanner: parking_lot::Mutex<Scanner>,
    columns: usize,
    is_struct: bool,
}

impl FromJson {
    pub(crate) fn new(data_type: &DataType) -> Self {
        let scanner = match data_type {
            DataType::Struct(fields) => {
                let columns: Vec<_> =
                    fields.iter().map(|field| (field.name.as_str(), field.data_type.clone())).collect();
                Scanner::typed(&columns)
            }
            other => Scanner::typed(&[(ROOT, other.clone())]),
        };
        let columns = if let DataType::Struct(fields) = data_type { fields.len() } else { 1 };
        Self { scanner: parking_lot::Mutex::new(scanner), columns, is_struct: matches!(data_type, DataType::Struct(_)) }
    }

    /// A STRUCT of a text that is none has NULLs alone.
    pub(crate) fn read(&self, value: &Value<'_>) -> Value<'static> {
        let Value::String(text) = value else { return Value::Null };
        if text.trim_ascii().is_empty() {
            return Value::Null;
        }
        let mut scanner = self.scanner.lock();
        if self.is_struct {
            let scanned = scanner.scan(Some(text));
            return Value::Struct((0..self.columns).map(|column| scanned.value(column).into_owned()).collect());
        }
        // What is no object is one's only field.
        let wrapped = [format!("{{\"{ROOT}\":").as_bytes(), text, b"}"].concat();
        scanner.scan(Some(&wrapped)).value(0).into_owned()
    }
}

const ROOT: &str = "root";

/// The names of an object; NULL of what is none.
pub(crate) fn object_keys(value: Value<'_>) -> Value<'_> {
    let Value::String(text) = &value else { return Value::Null };
    match Reader::new(text).document() {
        Some(Node::Object(entries)) => {
            Value::Array(entries.into_iter().map(|(name, _)| super::string(name.into_bytes())).collect())
        }
        _ => Value::Null,
    }
}

/// The type of a JSON text (`JsonInferSchema`); `None` if it is none.
pub(crate) fn infer(text: &[u8]) -> Option<DataType> {
    Some(without_nulls(type_of(&Reader::new(text).document()?)))
}

fn type_of(node: &Node) -> DataType {
    match node {
        Node::Null => DataType::Null,
        Node::Word(_) => DataType::Boolean,
        Node::String(text) if text.is_empty() => DataType::Null,
        Node::String(_) => DataType::String,
        Node::Number(text) => number(text),
        Node::Array(items) => {
            let element = items.iter().map(type_of).fold(DataType::Null, |known, next| joined(&known, &next));
            DataType::Array(Arc::new(element))
        }
        Node::Object(entries) => {
            let mut fields: Vec<Field> =
                entries.iter().map(|(name, value)| Field { name: name.clone(), data_type: type_of(value) }).collect();
            fields.sort_by(|left, right| left.name.cmp(&right.name));
            DataType::Struct(fields.into())
        }
    }
}

/// A whole number of more than 64 bits is a DECIMAL.
fn number(text: &str) -> DataType {
    if text.contains(['.', 'e', 'E']) {
        return DataType::Double;
    }
    match (text.parse::<i64>(), Decimal::literal(text.as_bytes())) {
        (Ok(_), _) => DataType::BigInt,
        (_, Some(decimal)) => DataType::Decimal { precision: decimal.precision, scale: 0 },
        _ => DataType::Double,
    }
}

fn joined(left: &DataType, right: &DataType) -> DataType {
    match (left, right) {
        (left, right) if left == right => left.clone(),
        (DataType::Null, other) | (other, DataType::Null) => other.clone(),
        (DataType::BigInt, DataType::Double) | (DataType::Double, DataType::BigInt) => DataType::Double,
        (DataType::Array(left), DataType::Array(right)) => DataType::Array(Arc::new(joined(left, right))),
        (DataType::Struct(left), DataType::Struct(right)) => {
            let mut fields: Vec<Field> = left.to_vec();
            for field in right.iter() {
                match fields.iter_mut().find(|known| known.name == field.name) {
                    Some(known) => known.data_type = joined(&known.data_type, &field.data_type),
                    None => fields.push(field.clone()),
                }
            }
            fields.sort_by(|left, right| left.name.cmp(&right.name));
            DataType::Struct(fields.into())
        }
        _ => DataType::String,
    }
}

/// What is NULL throughout is a STRING.
fn without_nulls(data_type: DataType) -> DataType {
    match data_type {
        DataType::Null => DataType::String,
        DataType::Array(element) => DataType::Array(Arc::new(without_nulls(element.as_ref().clone()))),
        DataType::Struct(fields) => {
            let plain =
                |field: &Field| Field { name: field.name.clone(), data_type: without_nulls(field.data_type.clone()) };
            DataType::Struct(fields.iter().map(plain).collect())
        }
        other => other,
    }
}
