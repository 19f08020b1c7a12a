//! What Spark and Java take off the ends of text before they read a value from it.

/// `java.lang.String.trim`: all that is not above the blank.
pub(super) fn trim_java(text: &[u8]) -> &[u8] {
    trim(text, |byte| byte <= b' ')
}

/// `UTF8String.trimAll`: what `Character.isWhitespace` takes of ASCII.
pub(super) fn trim_all(text: &[u8]) -> &[u8] {
    trim(text, |byte| matches!(byte, b'\t'..=b'\r' | 0x1c..=b' '))
}

#[inline]
fn trim(mut text: &[u8], is_blank: impl Fn(u8) -> bool) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(*last)
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::types::{DataType, Value, cast};
    use std::borrow::Cow;

    /// Bytes, and whether Spark 3.4.0 converts text that begins with one to INT, BOOLEAN, DATE, TIMESTAMP and DOUBLE.
    const CASES: &str = include_str!("spark/blank.json");

    #[test]
    fn blanks_are_those_of_spark() {
        let cases: Vec<Vec<serde_json::Value>> = serde_json::from_str(CASES).unwrap();
        for case in cases {
            let byte = case[0].as_u64().unwrap() as u8;
            let texts = ["1", "true", "2024", "2024", "1"];
            let types = [DataType::Int, DataType::Boolean, DataType::Date, DataType::Timestamp, DataType::Double];
            for ((text, to), expected) in texts.iter().zip(&types).zip(&case[1..]) {
                let text = [&[byte], text.as_bytes()].concat();
                let found = cast(Value::String(Cow::Owned(text)), &DataType::String, to);
                assert_eq!(found.is_null(), expected.is_null(), "byte {byte} before {to}");
            }
        }
    }
}
