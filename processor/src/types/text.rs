//! Values as text: as CAST to STRING and `Dataset.show` have it, and as JSON.

mod json;

pub(crate) use json::{to_json, write_json_string};

use super::datetime::{write_date, write_timestamp};
use super::interval::{write_micros, write_months};
use super::{DataType, IntervalRange, Value, double_text, float_text};

/// Appends a value as `Dataset.show` prints it: as CAST to STRING, but for BINARY, which is shown as `[61 62]`. False,
/// and nothing is appended, if it is NULL.
pub(crate) fn to_text(value: &Value<'_>, data_type: &DataType, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Null => return false,
        Value::Binary(bytes) => write_hex(bytes, out),
        other => write_cast(other, data_type, out),
    }
    true
}

/// `47 69`, in brackets.
fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        for digit in [byte >> 4, byte & 0xf] {
            out.push(if digit < 10 { b'0' + digit } else { b'A' - 10 + digit });
        }
    }
    out.push(b']');
}

/// Appends a value as CAST to STRING gives it, and NULL, which stands only inside other values, as `null`.
pub(super) fn write_cast(value: &Value<'_>, data_type: &DataType, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::TinyInt(value) => write_integer(i64::from(*value), out),
        Value::SmallInt(value) => write_integer(i64::from(*value), out),
        Value::Int(value) => write_integer(i64::from(*value), out),
        Value::BigInt(value) => write_integer(*value, out),
        Value::Float(value) => float_text(*value, out),
        Value::Double(value) => double_text(*value, out),
        Value::Decimal(value) => value.write(out),
        Value::String(bytes) | Value::Binary(bytes) => out.extend_from_slice(bytes),
        Value::Date(days) => write_date(*days, out),
        Value::Timestamp(micros) => write_timestamp(*micros, out),
        Value::Months(months) => {
            let range = if let DataType::Interval(range) = data_type { *range } else { IntervalRange::YEAR_TO_MONTH };
            write_months(*months, range, out);
        }
        Value::Micros(micros) => {
            let range = if let DataType::Interval(range) = data_type { *range } else { IntervalRange::DAY_TO_SECOND };
            write_micros(*micros, range, out);
        }
        Value::Array(values) => {
            let element = if let DataType::Array(element) = data_type { element } else { data_type };
            write_list(b"[", values.iter().map(|value| (value, element as &DataType)), b"]", out);
        }
        Value::Struct(values) => {
            let fields = if let DataType::Struct(fields) = data_type { fields.as_ref() } else { &[] };
            let types = fields.iter().map(|field| &field.data_type);
            write_list(b"{", values.iter().zip(types), b"}", out);
        }
        Value::Map(entries) => {
            let (key_type, value_type) = if let DataType::Map(key, value) = data_type {
                (key.as_ref(), value.as_ref())
            } else {
                (data_type, data_type)
            };
            out.push(b'{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b", " } else { b"" });
                write_cast(key, key_type, out);
                out.extend_from_slice(b" -> ");
                write_cast(value, value_type, out);
            }
            out.push(b'}');
        }
    }
}

fn write_list<'v>(
    open: &[u8],
    values: impl Iterator<Item = (&'v Value<'static>, &'v DataType)>,
    close: &[u8],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(open);
    for (index, (value, data_type)) in values.enumerate() {
        out.extend_from_slice(if index > 0 { b", " } else { b"" });
        write_cast(value, data_type, out);
    }
    out.extend_from_slice(close);
}

pub(super) fn write_integer(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut rest = value.unsigned_abs();
    let mut count = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}
