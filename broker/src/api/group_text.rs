//! Strings of the protocol crate to those of the coordinators, and back.

use std::sync::Arc;

use kafka_protocol::protocol::StrBytes;

pub(super) fn shared_str(text: &str) -> Arc<str> {
    text.into()
}

pub(super) fn optional(text: Option<&StrBytes>) -> Option<Arc<str>> {
    text.map(|text| shared_str(text))
}

pub(super) fn wire(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(super) fn optional_wire(text: Option<&str>) -> Option<StrBytes> {
    text.map(wire)
}
