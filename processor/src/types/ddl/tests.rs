use super::*;

/// Columns as Spark 3.4.0 reads them (`StructType.fromDDL`); `!!` where it refuses them.
const CASES: &str = include_str!("../spark/ddl.json");

/// Spark has these types, and this does not.
const NOT_SUPPORTED: [&str; 7] = ["INTERVAL", "CHAR", "CHARACTER", "VARCHAR", "TIMESTAMP_NTZ", "VOID", "NULL"];

#[test]
fn columns_are_read_as_in_spark() {
    let cases: Vec<(String, String)> = serde_json::from_str(CASES).unwrap();
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let found = match parse_schema(&text) {
            Ok(fields) => DataType::Struct(fields.into()).to_string(),
            Err(error) if NOT_SUPPORTED.iter().any(|name| error.message.starts_with(&format!("the type {name} "))) => {
                continue;
            }
            Err(_) => "!!".to_owned(),
        };
        if found != expected {
            wrong.push(format!("{text:?}: {found}, Spark {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const INTERVAL_WITHOUT_UNITS: &str = "the type INTERVAL is not supported; write INTERVAL DAY TO SECOND or INTERVAL YEAR \
     TO MONTH, or some of their units";

#[test]
fn errors_say_where_and_what_instead() {
    for (text, position, message) in [
        ("a INT, b INTERVAL", 9, INTERVAL_WITHOUT_UNITS),
        ("a INTERVAL MONTH TO DAY", 2, INTERVAL_WITHOUT_UNITS),
        ("a INTERVAL SECOND TO DAY", 2, INTERVAL_WITHOUT_UNITS),
        ("a STRUCT<b: VARCHAR(5)>", 12, "the type VARCHAR is not supported; write STRING"),
        ("a DECIMAL(39, 0)", 2, "DECIMAL has at most 38 digits, not 39"),
        ("a DECIMAL(5, 6)", 2, "DECIMAL(5,6) has more digits after the point than in all"),
        ("a INT b", 6, "expected a comma, found `b`"),
        ("a", 1, "expected a type, found the end"),
        ("", 0, "expected a column and its type, found the end"),
        ("a ARRAY<INT", 11, "expected `>`, found the end"),
        ("`a INT", 0, "the backquote is not closed"),
    ] {
        let error = parse_schema(text).unwrap_err();
        assert_eq!((error.position, error.message.as_str()), (position, message), "{text}");
    }
}

#[test]
fn types_are_not_nested_without_end() {
    let text = "ARRAY<".repeat(100_000);
    assert!(parse_type(&text).unwrap_err().message.contains("100 deep"));
}
