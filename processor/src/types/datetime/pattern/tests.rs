use super::*;

/// Patterns, and what Spark 3.4.0 writes and reads by them; `!!` where it refuses the pattern.
const CASES: &str = include_str!("../../spark/pattern.json");
const REFUSED: &str = "!!";

fn cases() -> serde_json::Value {
    serde_json::from_str(CASES).unwrap()
}

#[test]
fn times_are_written_as_in_spark() {
    let cases = cases();
    let micros: Vec<i64> = cases["micros"].as_array().unwrap().iter().map(|micros| micros.as_i64().unwrap()).collect();
    for case in cases["format"].as_array().unwrap() {
        let text = case[0].as_str().unwrap();
        let Ok(pattern) = Pattern::new(text) else {
            assert_eq!(case[1], REFUSED, "{text}");
            continue;
        };
        for (&micros, expected) in micros.iter().zip(case[1].as_array().expect(text)) {
            let found = pattern.format(micros).map(|text| String::from_utf8(text).unwrap());
            assert_eq!(found.as_deref(), expected.as_str(), "{text} of {micros}");
        }
    }
}

#[test]
fn times_are_read_as_in_spark() {
    let mut wrong = Vec::new();
    for case in cases()["parse"].as_array().unwrap() {
        let (text, expected) = (case[1].as_str().unwrap(), &case[2]);
        let pattern = case[0].as_str().unwrap();
        let found = match Pattern::for_parsing(pattern) {
            Ok(pattern) => serde_json::to_value(pattern.parse_timestamp(text.as_bytes())).unwrap(),
            Err(_) => REFUSED.into(),
        };
        if found != *expected {
            wrong.push(format!("{text:?} by {pattern:?}: {found}, Spark {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
