//! Any bytes as a record's value: the scanner gives valid UTF-8, says the same twice, and where a strict parser reads
//! an object, the scanner reads the same text from it.
#![no_main]

use brooklet_processor::Scanner;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

const COLUMNS: [&str; 2] = ["level", "m"];

fuzz_target!(|input: &[u8]| {
    let mut scanner = Scanner::new(&COLUMNS);
    let read = |scanner: &mut Scanner| {
        let scanned = scanner.scan(Some(input));
        let columns: Vec<Option<Vec<u8>>> = scanned.columns().map(|column| column.map(<[u8]>::to_vec)).collect();
        (scanned.malformed(), columns)
    };
    let (malformed, columns) = read(&mut scanner);
    assert_eq!(read(&mut scanner), (malformed, columns.clone()), "a second scan differs");
    assert_eq!(columns.len(), COLUMNS.len());
    for column in columns.iter().flatten() {
        std::str::from_utf8(column).expect("UTF-8");
    }
    let Ok(object) = serde_json::from_slice::<Map<String, Value>>(input) else { return };
    assert!(!malformed, "a strict parser reads it");
    for (name, column) in COLUMNS.iter().zip(&columns) {
        match object.get(*name) {
            None | Some(Value::Null) => assert_eq!(*column, None),
            Some(Value::String(text)) => assert_eq!(column.as_deref(), Some(text.as_bytes())),
            Some(_) => assert!(column.is_some()),
        }
    }
});
