//! Operators and functions: what they do to values. A file is a family.

pub(super) mod arithmetic;
pub(super) mod arrays;
pub(super) mod calendar;
pub(super) mod charset;
pub(super) mod clock;
pub(super) mod collections;
pub(super) mod conditional;
pub(super) mod decimal;
pub(super) mod digest;
pub(super) mod format;
pub(super) mod interval;
mod java_regex;
pub(super) mod json;
pub(super) mod like;
pub(super) mod mask;
pub(super) mod matching;
pub(super) mod math;
pub(super) mod number_format;
pub(super) mod regex;
pub(super) mod rounding;
pub(super) mod search;
pub(super) mod similar;
pub(super) mod text;
pub(super) mod time_parts;
pub(super) mod trim;
pub(super) mod url;
mod utf8;

use std::sync::Arc;

use self::like::LikePattern;
use self::regex::{Pattern, Replacement};
use super::Expr;
use crate::types::{DataType, Decimal, Value};

/// What a call does to the values of its arguments. All but those that say so are NULL where an argument is, and see
/// no NULL.
#[derive(Clone, Debug)]
pub(crate) enum Function {
    One(for<'a> fn(Value<'a>) -> Value<'a>),
    Two(for<'a> fn(Value<'a>, Value<'a>) -> Value<'a>),
    Three(for<'a> fn(Value<'a>, Value<'a>, Value<'a>) -> Value<'a>),
    Many(for<'a> fn(Vec<Value<'a>>) -> Value<'a>),
    /// Sees NULLs.
    Nullable(for<'a> fn(Vec<Value<'a>>) -> Value<'a>),
    /// The first argument that is not NULL.
    Coalesce,
    /// Of a window, its last microsecond.
    WindowTime,
    Decimal(decimal::Operation),
    Round(rounding::Round),
    TimestampAdd(interval::Step),
    TimestampDiff(interval::Step),
    DateTrunc(calendar::Unit),
    Like(LikePattern),
    Ilike(LikePattern),
    Rlike(Pattern),
    RegexpExtract(Pattern, usize),
    RegexpExtractAll(Pattern, usize),
    /// From a character, from 1, on.
    RegexpReplace(Pattern, Replacement, i32),
    RegexpCount(Pattern),
    RegexpSubstr(Pattern),
    FormatTime(clock::TimePattern),
    ParseTime(clock::TimePattern),
    JsonPath(json::Path),
    /// Of a text.
    FromJson(Arc<json::FromJson>),
    /// From one type to another, NULL where ANSI mode fails.
    TryCast(DataType, DataType),
    /// As the text of its type.
    ToJson(DataType),
    Mask(mask::Mask),
    ToNumber(number_format::NumberFormat),
    /// Of a DECIMAL.
    ToChar(number_format::NumberFormat),
    Split(Pattern, i32),
    /// The field of this number of each STRUCT in an ARRAY.
    ArrayField(usize),
}

impl Function {
    pub(super) fn over(self, arguments: Vec<Expr>) -> Expr {
        Expr::Call { function: Arc::new(self), arguments }
    }

    pub(super) fn takes_nulls(&self) -> bool {
        matches!(self, Self::Nullable(_) | Self::Coalesce)
    }

    pub(super) fn one<'a>(&'a self, value: Value<'a>) -> Value<'a> {
        match self {
            Self::One(function) => function(value),
            Self::WindowTime => clock::window_time(value),
            Self::Like(pattern) => match value {
                Value::String(text) => Value::Boolean(pattern.matches(&text)),
                _ => Value::Null,
            },
            Self::Ilike(pattern) => match text::lower(value) {
                Value::String(text) => Value::Boolean(pattern.matches(&text)),
                _ => Value::Null,
            },
            Self::Rlike(pattern) => match value {
                Value::String(text) => Value::Boolean(pattern.is_match(&text)),
                _ => Value::Null,
            },
            Self::RegexpExtract(pattern, group) => matching::extract(pattern, *group, value),
            Self::RegexpExtractAll(pattern, group) => matching::extract_all(pattern, *group, value),
            Self::RegexpReplace(pattern, replacement, from) => matching::replace(pattern, replacement, value, *from),
            Self::RegexpCount(pattern) => matching::count(pattern, value),
            Self::RegexpSubstr(pattern) => matching::first(pattern, value),
            Self::FormatTime(pattern) => clock::format(pattern, value),
            Self::ParseTime(pattern) => clock::parse(pattern, value),
            Self::JsonPath(path) => json::get(path, value),
            Self::FromJson(reader) => reader.read(&value),
            Self::TryCast(from, to) => crate::types::try_cast(value, from, to),
            Self::ToJson(data_type) => json::of_value(&value, data_type),
            Self::Mask(mask) => mask.apply(&value),
            Self::ToNumber(format) => format.read(&value),
            Self::ToChar(format) => format.write(&value),
            Self::Split(pattern, limit) => matching::split(pattern, value, *limit),
            Self::Round(round) => round.apply(value),
            Self::DateTrunc(unit) => calendar::truncate(*unit, value),
            Self::ArrayField(index) => collections::field_of_each(value, *index),
            Self::Many(function) => function(vec![value]),
            Self::Nullable(function) => function(vec![value]),
            Self::Coalesce => value,
            Self::Two(_) | Self::Three(_) | Self::Decimal(_) | Self::TimestampAdd(_) | Self::TimestampDiff(_) => {
                Value::Null
            }
        }
    }

    pub(super) fn two<'a>(&'a self, left: Value<'a>, right: Value<'a>) -> Value<'a> {
        match self {
            Self::Two(function) => function(left, right),
            Self::TimestampAdd(step) => step.add(left, right),
            Self::TimestampDiff(step) => step.count(left, right),
            Self::Decimal(operation) => match (left, right) {
                (Value::Decimal(left), Value::Decimal(right)) => operation.apply(left, right),
                _ => Value::Null,
            },
            _ => self.many(vec![left, right]),
        }
    }

    pub(super) fn many<'a>(&'a self, values: Vec<Value<'a>>) -> Value<'a> {
        match self {
            Self::Many(function) | Self::Nullable(function) => function(values),
            Self::Three(function) => match <[Value<'a>; 3]>::try_from(values) {
                Ok([first, second, third]) => function(first, second, third),
                Err(_) => Value::Null,
            },
            _ => Value::Null,
        }
    }
}

/// A STRING of bytes that are its own.
fn string(bytes: Vec<u8>) -> Value<'static> {
    Value::String(bytes.into())
}

/// A decimal, or NULL where it has none.
fn decimal_or_null(decimal: Option<Decimal>) -> Value<'static> {
    decimal.map_or(Value::Null, Value::Decimal)
}

/// A signed count as INT, cut to its bounds.
fn int(count: usize) -> Value<'static> {
    Value::Int(i32::try_from(count).unwrap_or(i32::MAX))
}
