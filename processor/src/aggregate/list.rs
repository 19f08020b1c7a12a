//! The values of a COLLECT_LIST.

use crate::types::{DataType, Value, decode_value};

/// Encoded values, one after the other.
#[derive(Debug, Default)]
pub(super) struct List {
    bytes: Vec<u8>,
}

impl List {
    pub(super) fn push(&mut self, encoded: &[u8]) {
        self.bytes.extend_from_slice(encoded);
    }

    /// From this byte on.
    pub(super) fn from(&self, byte: usize) -> &[u8] {
        self.bytes.get(byte..).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Memory in bytes, as allocated.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Encoded values as an ARRAY; `None` if they are not of this type.
pub(super) fn array(mut encoded: &[u8], element: &DataType) -> Option<Value<'static>> {
    let mut values = Vec::new();
    while !encoded.is_empty() {
        values.push(decode_value(element, &mut encoded)?.into_owned());
    }
    Some(Value::Array(values.into()))
}
