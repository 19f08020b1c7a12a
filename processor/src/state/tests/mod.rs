mod groups;
mod sessions;

use super::*;
use crate::aggregate::{AggregateFunction, Aggregates};
use crate::codec::Reader;
use crate::types::{DataType, Value};

/// Takes the changes of a batch, and the whole state, into states of their own, which must be the same again.
fn write_changes(state: &State, into: &mut State) {
    let mut bytes = Vec::new();
    state.changes().for_each(|row| state.put_change(row, &mut bytes));
    read(&bytes, into);
}

fn snapshot(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.rows().for_each(|row| state.put_whole(row, &mut bytes));
    bytes
}

fn read(bytes: &[u8], into: &mut State) {
    into.begin_restore();
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        into.restore(2, &mut reader, false).unwrap();
    }
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        into.restore(2, &mut reader, true).unwrap();
    }
    into.end_restore();
}

fn text(text: &str) -> Value<'_> {
    Value::String(text.as_bytes().into())
}

/// Values in a form that can be compared and ordered.
fn plain<'a>(values: impl Iterator<Item = Value<'a>>) -> Vec<String> {
    values.map(|value| format!("{value:?}")).collect()
}
