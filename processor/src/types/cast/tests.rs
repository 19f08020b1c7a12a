use super::*;
use crate::types::datetime::{json_date, json_timestamp};
use crate::types::{parse_type, to_text};

/// Texts, and what Spark 3.4.0 makes of them with `timeParserPolicy=CORRECTED`: by conversion, each with its answer as
/// STRING.
const CASES: &str = include_str!("../spark/text.json");

fn shown(value: &Value<'_>, data_type: &DataType) -> Option<String> {
    let mut out = Vec::new();
    to_text(value, data_type, &mut out).then(|| String::from_utf8(out).unwrap())
}

fn cast_text(text: &str, to: &DataType) -> Value<'static> {
    cast(Value::String(Cow::Borrowed(text.as_bytes())), &DataType::String, to).into_owned()
}

fn converted(conversion: &str, text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    match conversion {
        "string_timestamp_micros" => parse_timestamp(bytes).map(|micros| micros.to_string()),
        "string_date_days" => parse_date(bytes).map(|days| days.to_string()),
        "json_date_days" => json_date(bytes).map(|days| days.to_string()),
        "json_date" => json_date(bytes).and_then(|days| shown(&Value::Date(days), &DataType::Date)),
        "json_timestamp" => {
            json_timestamp(bytes).and_then(|micros| shown(&Value::Timestamp(micros), &DataType::Timestamp))
        }
        _ => {
            let to = parse_type(conversion.strip_prefix("string_").unwrap()).unwrap();
            shown(&cast_text(text, &to), &to)
        }
    }
}

#[test]
fn text_converts_as_in_spark() {
    let cases: serde_json::Map<String, serde_json::Value> = serde_json::from_str(CASES).unwrap();
    let mut wrong = Vec::new();
    for (conversion, cases) in cases {
        for case in cases.as_array().unwrap() {
            let text = case[0].as_str().unwrap();
            let expected = case[1].as_str();
            let found = converted(&conversion, text);
            if found.as_deref() != expected {
                wrong.push(format!("{conversion} of {text:?}: {found:?}, Spark {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
