//! SQL's types and values, with Spark 3.4's meaning (ANSI mode off, session time zone UTC).

mod blank;
mod cast;
mod codec;
mod compare;
pub(crate) mod datetime;
mod ddl;
mod decimal;
mod hash;
mod interval;
mod text;
mod xxhash;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

pub(crate) use cast::{can_cast, cast, try_cast};
pub(crate) use codec::{decode_value, encode_exactly, encode_value};
pub(crate) use compare::{equal, order};
pub(crate) use ddl::{parse_schema, parse_type};
pub(crate) use decimal::{DIGITS_MAX, Decimal, DecimalType, take_digit};
pub(crate) use hash::hash_value;
pub(crate) use interval::parse as parse_interval;
pub use interval::{IntervalRange, IntervalUnit};
pub(crate) use text::{to_json, to_text, write_json_string};
pub(crate) use xxhash::xxhash_value;

/// A column's type. Every column is nullable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataType {
    /// The type of a bare NULL (`void`).
    Null,
    /// `boolean`
    Boolean,
    /// `tinyint`, 8 bits.
    TinyInt,
    /// `smallint`, 16 bits.
    SmallInt,
    /// `int`, 32 bits.
    Int,
    /// `bigint`, 64 bits.
    BigInt,
    /// `float`
    Float,
    /// `double`
    Double,
    /// `decimal(precision,scale)`: 1 to 38 digits, `scale` of them after the point.
    Decimal {
        /// All digits.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `string`
    String,
    /// `binary`
    Binary,
    /// `date`, days since 1970-01-01.
    Date,
    /// `timestamp`, microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// `interval day to second` and the like: months, or microseconds.
    Interval(IntervalRange),
    /// `array<element>`
    Array(Arc<DataType>),
    /// `map<key,value>`
    Map(Arc<DataType>, Arc<DataType>),
    /// `struct<name:type,…>`
    Struct(Arc<[Field]>),
}

/// A field of a struct, or a column of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As written.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
}

/// A value of any type; text is borrowed from the record where it can be.
///
/// Strings are bytes, as Spark's `UTF8String`: what comes from JSON is UTF-8, what is cast from BINARY may not be.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    TinyInt(i8),
    SmallInt(i16),
    Int(i32),
    BigInt(i64),
    Float(f32),
    Double(f64),
    Decimal(Decimal),
    String(Cow<'a, [u8]>),
    Binary(Cow<'a, [u8]>),
    Date(i32),
    Timestamp(i64),
    /// An interval of years and months, in months.
    Months(i32),
    /// An interval of days and smaller units, in microseconds.
    Micros(i64),
    Array(Arc<[Value<'static>]>),
    /// Entries in order.
    Map(Arc<[(Value<'static>, Value<'static>)]>),
    /// One value for each field of its type.
    Struct(Arc<[Value<'static>]>),
}

impl Value<'_> {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value by itself.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Binary(bytes) => Value::Binary(Cow::Owned(bytes.into_owned())),
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Boolean(value),
            Self::TinyInt(value) => Value::TinyInt(value),
            Self::SmallInt(value) => Value::SmallInt(value),
            Self::Int(value) => Value::Int(value),
            Self::BigInt(value) => Value::BigInt(value),
            Self::Float(value) => Value::Float(value),
            Self::Double(value) => Value::Double(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::Date(value) => Value::Date(value),
            Self::Timestamp(value) => Value::Timestamp(value),
            Self::Months(value) => Value::Months(value),
            Self::Micros(value) => Value::Micros(value),
            Self::Array(values) => Value::Array(values),
            Self::Map(entries) => Value::Map(entries),
            Self::Struct(values) => Value::Struct(values),
        }
    }

    /// The same value, borrowed from this one.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::String(text) => Value::String(Cow::Borrowed(text)),
            Self::Binary(bytes) => Value::Binary(Cow::Borrowed(bytes)),
            other => other.clone().into_owned(),
        }
    }
}

/// Spark's `simpleString`: `decimal(10,2)`, `struct<a:int,b:array<string>>`.
impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("void"),
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Interval(range) => write!(f, "interval {range}"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{}", field.name, field.data_type)?;
                }
                f.write_str(">")
            }
        }
    }
}

/// Appends a float as Java's `Float.toString` prints it.
pub(crate) fn float_text(float: f32, out: &mut Vec<u8>) {
    if float.is_finite() {
        crate::java_double::write_float(float, out);
    } else {
        double_text(f64::from(float), out);
    }
}

/// Appends a double as Java's `Double.toString` prints it.
pub(crate) fn double_text(double: f64, out: &mut Vec<u8>) {
    if double.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if double.is_infinite() {
        out.extend_from_slice(if double > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else {
        crate::java_double::write(double, out);
    }
}

#[cfg(test)]
mod tests;
