//! The scanner on any input: it agrees with a strict parser where that one has an answer, and never fails otherwise.

#![allow(clippy::unwrap_used)]

use brooklet_processor::Scanner;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn columns(names: &[&str], value: &[u8]) -> (Vec<Option<Vec<u8>>>, bool) {
    let mut scanner = Scanner::new(names);
    let scanned = scanner.scan(Some(value));
    (scanned.columns().map(|column| column.map(<[u8]>::to_vec)).collect(), scanned.malformed())
}

/// A column's text where both parsers write it alike: no float, and nothing nested.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        other if other.is_null() => None,
        other => Some(other.to_string()),
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => any::<String>().prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn document() -> impl Strategy<Value = Map<String, Value>> {
    let nested = scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let name = prop_oneof![Just("level".to_owned()), Just("a".to_owned()), any::<String>()];
    let wanted = prop::option::of(scalar());
    (prop::collection::vec((name, nested), 0..5), wanted).prop_map(|(members, level)| {
        let mut document: Map<String, Value> = members.into_iter().collect();
        document.remove("level");
        document.extend(level.map(|level| ("level".to_owned(), level)));
        document
    })
}

/// Bytes that look like JSON often enough to get somewhere.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"level\":", "\"a\":", "\"x\"", "'y'", "\\", "\"", "1.5", "-0", "tru", "null", " ", "NaN", "\\ud83d",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn well_formed_json_gives_what_a_strict_parser_gives(document in document(), pretty: bool, trailing in noise()) {
        let level = document.get("level").and_then(text).map(String::into_bytes);
        let mut value = if pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) }.unwrap();
        value.extend(trailing);
        prop_assert_eq!(columns(&["level"], &value), (vec![level.clone()], false));
        let (three, malformed) = columns(&["none", "level", "a"], &value);
        prop_assert!(!malformed);
        prop_assert_eq!(&three[1], &level);
    }

    #[test]
    fn any_bytes_give_columns_of_utf8(value in noise()) {
        let (one, malformed) = columns(&["level"], &value);
        let (two, two_malformed) = columns(&["a", "level"], &value);
        prop_assert_eq!(malformed, two_malformed);
        prop_assert!(malformed || one[0] == two[1]);
        for column in one.iter().chain(&two).flatten() {
            prop_assert!(std::str::from_utf8(column).is_ok());
        }
        // A strict parser's objects are never called malformed.
        if serde_json::from_slice::<Map<String, Value>>(&value).is_ok() {
            prop_assert!(!malformed);
        }
        // What is left of one record does not show in the next.
        let mut scanner = Scanner::new(&["level"]);
        scanner.scan(Some(br#"{"level":"\u0041","x":[[[["#));
        prop_assert_eq!(scanner.scan(Some(&value)).column(0), one[0].as_deref());
    }
}

#[test]
fn depth_costs_neither_stack_nor_much_memory() {
    const DEPTH: usize = 2_000_000;
    let deep = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
    for name in ["level", "other"] {
        let whole = format!(r#"{{"{name}":{deep}}}"#);
        let (column, malformed) = columns(&["level"], whole.as_bytes());
        assert!(!malformed);
        assert_eq!(column[0].as_deref(), (name == "level").then_some(deep.as_bytes()));
        let (column, malformed) = columns(&["level"], &whole.as_bytes()[..DEPTH]);
        assert!(malformed);
        assert_eq!(column, [None]);
    }
}

#[test]
fn only_a_value_that_is_there_and_no_object_is_bad() {
    let mut scanner = Scanner::new(&["level"]);
    assert!(!scanner.scan(None).malformed());
    for (value, malformed) in [
        ("", false),
        (" \n", false),
        ("{}", false),
        (r#"{"level":1}x"#, false),
        ("null", true),
        ("[]", true),
        ("{", true),
        ("text", true),
        (r#"{"x":1,}"#, true),
    ] {
        assert_eq!(scanner.scan(Some(value.as_bytes())).malformed(), malformed, "{value:?}");
    }
}
