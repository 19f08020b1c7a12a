//! `from_json` as Spark 3.4.4 really answered: recorded values and the column that came out of each.

#![allow(clippy::unwrap_used)]

mod common;

use brooklet_processor::Scanner;
use common::from_base64;
use serde::Deserialize;

#[derive(Deserialize)]
struct Recording {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    value_base64: Option<String>,
    level: Option<String>,
}

#[test]
fn every_recorded_value_gives_the_level_that_spark_gave() {
    let recording: Recording = serde_json::from_str(include_str!("data/from_json-3.4.4.json")).unwrap();
    assert_eq!(recording.cases.len(), 124);
    let mut scanner = Scanner::new(&["level"]);
    for case in recording.cases {
        let value = case.value_base64.as_deref().map(from_base64);
        let scanned = scanner.scan(value.as_deref());
        let level = scanned.column(0).map(|level| std::str::from_utf8(level).unwrap());
        assert_eq!(level, case.level.as_deref(), "{}", case.name);
    }
}
