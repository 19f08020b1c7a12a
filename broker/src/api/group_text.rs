//! Strings of the protocol crate to those of the coordinators, and back.

use std::collections::BTreeSet;

use kafka_protocol::messages::GroupId;
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

/// Drops what is named a second time: a short request that repeats a large group must not become a huge response.
pub(super) fn once_each<T>(asked: &mut Vec<T>, group: impl Fn(&T) -> &GroupId) {
    let mut seen = BTreeSet::new();
    asked.retain(|item| seen.insert(group(item).clone()));
}
