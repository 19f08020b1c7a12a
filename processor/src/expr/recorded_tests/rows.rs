//! The rows that the expressions were recorded over, as in `tests/spark-parity/record_functions.py`.

use std::sync::{Arc, LazyLock};

use super::Values;
use crate::types::{DataType, Value, cast, parse_schema};

pub(super) const SCHEMA: &str = "s STRING, u STRING, a INT, b BIGINT, d DOUBLE, e DECIMAL(10,2), f DECIMAL(38,18), p BOOLEAN, \
     dt DATE, t TIMESTAMP, arr ARRAY<INT>, words ARRAY<STRING>, m MAP<STRING, INT>, st STRUCT<x: INT, y: STRING>, \
     bin BINARY";

type Texts = [Option<&'static str>; 10];

static COLUMNS: LazyLock<Vec<(String, DataType)>> = LazyLock::new(|| {
    let schema = parse_schema(SCHEMA).unwrap();
    schema.iter().map(|field| (field.name.clone(), field.data_type.clone())).collect()
});

fn columns() -> &'static [(String, DataType)] {
    &COLUMNS
}

/// The column's place in a row.
pub(super) fn number(name: &str) -> usize {
    COLUMNS.iter().position(|(column, _)| column == name).unwrap_or_else(|| panic!("there is no column {name}"))
}

fn text(text: &str) -> Value<'static> {
    Value::String(text.as_bytes().to_vec().into())
}

fn ints(values: &[Option<i32>]) -> Value<'static> {
    Value::Array(values.iter().map(|value| value.map_or(Value::Null, Value::Int)).collect())
}

fn texts(values: &[Option<&str>]) -> Value<'static> {
    Value::Array(values.iter().map(|value| value.map_or(Value::Null, text)).collect())
}

fn map(entries: &[(&str, Option<i32>)]) -> Value<'static> {
    Value::Map(entries.iter().map(|(key, value)| (text(key), value.map_or(Value::Null, Value::Int))).collect())
}

fn pair(x: Option<i32>, y: Option<&str>) -> Value<'static> {
    Value::Struct(Arc::from([x.map_or(Value::Null, Value::Int), y.map_or(Value::Null, text)]))
}

fn row(simple: Texts, nested: [Value<'static>; 4]) -> Values {
    let types = columns();
    let mut values: Vec<Value<'static>> = simple
        .into_iter()
        .zip(types)
        .map(|(value, (_, data_type))| match value {
            Some(value) => cast(text(value), &DataType::String, data_type).into_owned(),
            None => Value::Null,
        })
        .collect();
    values.extend(nested);
    values.push(simple[0].map_or(Value::Null, |s| Value::Binary(s.as_bytes().to_vec().into())));
    Values(values)
}

static ROWS: LazyLock<Vec<Values>> = LazyLock::new(|| {
    let simple: [Texts; 6] = [
        [
            Some("Hello World"),
            Some("12"),
            Some("1"),
            Some("10"),
            Some("1.5"),
            Some("12.34"),
            Some("1.000000000000000001"),
            Some("true"),
            Some("2024-02-29"),
            Some("2024-02-29 12:34:56.789012"),
        ],
        [
            Some(""),
            Some(" -7 "),
            Some("-3"),
            Some("-9223372036854775808"),
            Some("-2.5"),
            Some("-0.05"),
            Some("-99999999999999999999.5"),
            Some("false"),
            Some("1969-12-31"),
            Some("1969-12-31 23:59:59.5"),
        ],
        [
            Some("naïve日本 x"),
            Some("1.9"),
            Some("2147483647"),
            Some("9223372036854775807"),
            Some("NaN"),
            Some("99999999.99"),
            Some("0"),
            Some("true"),
            Some("2000-01-01"),
            Some("2000-01-01 00:00:00"),
        ],
        [
            Some("a,b,c"),
            Some("abc"),
            Some("0"),
            Some("0"),
            Some("-0.0"),
            Some("0"),
            Some("5.5"),
            None,
            Some("2023-12-31"),
            Some("2023-12-31 23:00:00.000001"),
        ],
        [None; 10],
        [
            Some("2024-03-10 05:06:07"),
            Some("1e3"),
            Some("-2147483648"),
            Some("1709211296"),
            Some("1e300"),
            Some("2.50"),
            Some("2.5"),
            Some("false"),
            Some("0001-01-01"),
            Some("9999-12-31 23:59:59.999999"),
        ],
    ];
    let nested = [
        [
            ints(&[Some(3), Some(1), None, Some(2)]),
            texts(&[Some("b"), Some("a")]),
            map(&[("k", Some(1)), ("z", Some(2))]),
            pair(Some(1), Some("in")),
        ],
        [ints(&[]), texts(&[]), map(&[]), pair(None, Some(""))],
        [ints(&[Some(1), Some(1)]), texts(&[Some("x"), None, Some("x")]), map(&[("a", None)]), pair(Some(7), None)],
        [ints(&[None]), texts(&[Some("a,b"), Some("")]), map(&[("k", Some(5))]), pair(Some(0), Some("q"))],
        [Value::Null, Value::Null, Value::Null, Value::Null],
        [
            ints(&[Some(5), Some(4)]),
            texts(&[Some("http://u:p@h.com/p?q=1#f")]),
            map(&[("", Some(0))]),
            pair(Some(-1), Some("z")),
        ],
    ];
    simple.into_iter().zip(nested).map(|(simple, nested)| row(simple, nested)).collect()
});

pub(super) fn rows() -> &'static [Values] {
    &ROWS
}
