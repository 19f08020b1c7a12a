//! `from_json` of Spark 3.4.0 for columns of every type, recorded by `tests/spark-parity/record_typed_json.py`.

use std::fmt::Write;

use super::Scanner;
use crate::types::{DataType, Value, parse_schema};

/// A value as the recording has it.
fn show(value: &Value<'_>, out: &mut String) {
    let hex = |bytes: &[u8], out: &mut String| bytes.iter().for_each(|byte| write!(out, "{byte:02x}").unwrap());
    let list = |open: char, values: &mut dyn Iterator<Item = &Value<'static>>, close: char, out: &mut String| {
        out.push(open);
        for (index, value) in values.enumerate() {
            out.push_str(if index == 0 { "" } else { "," });
            show(value, out);
        }
        out.push(close);
    };
    match value {
        Value::Null => out.push('~'),
        Value::Boolean(value) => out.push(if *value { 'T' } else { 'F' }),
        Value::TinyInt(value) => write!(out, "{value}").unwrap(),
        Value::SmallInt(value) => write!(out, "{value}").unwrap(),
        Value::Float(value) => write!(out, "{:08x}", value.to_bits()).unwrap(),
        Value::Int(value) | Value::Date(value) | Value::Months(value) => write!(out, "{value}").unwrap(),
        Value::BigInt(value) | Value::Timestamp(value) | Value::Micros(value) => write!(out, "{value}").unwrap(),
        Value::Double(value) if value.is_nan() => out.push_str("7ff8000000000000"),
        Value::Double(value) => write!(out, "{:016x}", value.to_bits()).unwrap(),
        Value::Decimal(value) => write!(out, "{}", value.unscaled).unwrap(),
        Value::String(text) => {
            out.push('s');
            hex(text, out);
        }
        Value::Binary(bytes) => {
            out.push('x');
            hex(bytes, out);
        }
        Value::Array(values) => list('[', &mut values.iter(), ']', out),
        Value::Struct(values) => list('(', &mut values.iter(), ')', out),
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                let Value::String(key) = key else { panic!("{key:?} is no key") };
                hex(key, out);
                out.push(':');
                show(value, out);
            }
            out.push('}');
        }
    }
}

/// The flags and columns of a record, as the recording has them.
fn scanned(scanner: &mut Scanner, columns: usize, value: &[u8]) -> String {
    let scanned = scanner.scan(Some(value));
    let mut out = String::new();
    out.push_str(if scanned.malformed() || scanned.unconverted() { "b" } else { "-" });
    out.push_str(if scanned.outdated() { "u" } else { "" });
    for index in 0..columns {
        out.push('\t');
        show(&scanned.value(index), &mut out);
    }
    out
}

fn typed(ddl: &str) -> (Scanner, usize) {
    // A schema in text cannot have this type, but the scanner can.
    let void = ddl.contains("VOID");
    let fields = parse_schema(&ddl.replace("VOID", "STRING")).unwrap();
    let data_type = |data_type: &DataType| match data_type {
        DataType::String if void => DataType::Null,
        DataType::Array(element) if void && **element == DataType::String => DataType::Array(DataType::Null.into()),
        other => other.clone(),
    };
    let columns: Vec<(&str, DataType)> =
        fields.iter().map(|field| (field.name.as_str(), data_type(&field.data_type))).collect();
    (Scanner::typed(&columns), columns.len())
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let padded = text.to_owned() + &"=".repeat((4 - text.len() % 4) % 4);
    super::base64::decode(&mut super::base64::Text(padded.as_bytes()), &mut out).unwrap();
    out
}

fn in_every_column(ddl: &str, token: &[u8]) -> Vec<u8> {
    let fields = parse_schema(ddl).unwrap();
    let members = fields.iter().map(|field| [b"\"", field.name.as_bytes(), b"\":", token].concat());
    [b"{", members.collect::<Vec<_>>().join(&b","[..]).as_slice(), b"}"].concat()
}

#[test]
fn recorded_values_give_what_spark_gave() {
    let recording = match std::env::var("BROOKLET_SPARK_TYPED_RECORDING") {
        Ok(path) => std::fs::read_to_string(path).unwrap(),
        Err(_) => include_str!("../../tests/data/typed_json-3.4.0.tsv").to_owned(),
    };
    let mut differences = Vec::new();
    let mut values = 0;
    let (mut ddl, mut scanner, mut columns) = ("", Scanner::new(&[]), 0);
    for line in recording.lines() {
        if let Some(schema) = line.strip_prefix("# ") {
            ddl = schema;
            (scanner, columns) = typed(schema);
            continue;
        }
        let (flags, rest) = line.split_once('\t').unwrap();
        let (value, cells) = rest.split_once('\t').unwrap();
        let value = match value.strip_prefix('*') {
            Some(token) => in_every_column(ddl, &from_base64(token)),
            None => from_base64(value),
        };
        let got = scanned(&mut scanner, columns, &value);
        let expected = format!("{flags}\t{cells}");
        if got != expected {
            let value = String::from_utf8_lossy(&value);
            differences.push(format!("{ddl}: {value}\n   got {got}\n spark {expected}"));
        }
        values += 1;
    }
    let count = differences.len();
    differences.sort_by_key(String::len);
    differences.truncate(30);
    assert!(count == 0, "{count} of {values} values differ:\n{}", differences.join("\n"));
    assert!(values > 3_000, "only {values} values");
}
