//! `from_json` as Spark 3.4.4 really answered: recorded values and the column that came out of each.

#![allow(clippy::unwrap_used)]

use brooklet_processor::Scanner;
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

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        other => panic!("{other} is no base64 digit"),
    };
    let digits: Vec<u8> = text.bytes().filter(|&byte| byte != b'=').map(digit).collect();
    let group = |four: &[u8]| {
        let bits = four.iter().fold(0u32, |bits, &digit| bits << 6 | u32::from(digit)) << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
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
