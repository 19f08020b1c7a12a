//! The types that operands have in common, by the rules of `org.apache.spark.sql.catalyst.analysis.TypeCoercion`.

use std::sync::Arc;

use super::Typed;
use crate::expr::Expr;
use crate::types::{DataType, Field, Value};

const PRECISION_MAX: u8 = 38;

pub(super) fn decimal(precision: u8, scale: u8) -> DataType {
    DataType::Decimal { precision: precision.min(PRECISION_MAX), scale: scale.min(PRECISION_MAX) }
}

pub(super) fn is_numeric(data_type: &DataType) -> bool {
    is_integral(data_type) || matches!(data_type, DataType::Float | DataType::Double | DataType::Decimal { .. })
}

pub(super) fn is_integral(data_type: &DataType) -> bool {
    matches!(data_type, DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt)
}

pub(super) fn is_atomic(data_type: &DataType) -> bool {
    !matches!(data_type, DataType::Null | DataType::Array(_) | DataType::Map(..) | DataType::Struct(_))
}

/// Whether values of the type can be compared: all but maps, and what holds maps.
pub(super) fn is_orderable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => false,
        DataType::Array(element) => is_orderable(element),
        DataType::Struct(fields) => fields.iter().all(|field| is_orderable(&field.data_type)),
        _ => true,
    }
}

/// The digits of an integral type, `DecimalType.forType`; of a decimal, its own.
pub(super) fn digits(data_type: &DataType) -> Option<(u8, u8)> {
    match data_type {
        DataType::TinyInt => Some((3, 0)),
        DataType::SmallInt => Some((5, 0)),
        DataType::Int => Some((10, 0)),
        DataType::BigInt => Some((20, 0)),
        DataType::Decimal { precision, scale } => Some((*precision, *scale)),
        _ => None,
    }
}

/// The digits that an operand beside a decimal has: of an integral literal those it is written with,
/// `DecimalType.fromLiteral`.
pub(super) fn operand_digits(operand: &Typed) -> Option<(u8, u8)> {
    let value = match &operand.expr {
        Expr::Literal(Value::SmallInt(value)) => i64::from(*value),
        Expr::Literal(Value::Int(value)) => i64::from(*value),
        Expr::Literal(Value::BigInt(value)) => *value,
        _ => return digits(&operand.data_type),
    };
    let written = value.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
    Some((u8::try_from(written).unwrap_or(PRECISION_MAX), 0))
}

/// A decimal type that holds all values of both.
pub(super) fn wider_decimal(left: (u8, u8), right: (u8, u8)) -> DataType {
    let scale = left.1.max(right.1);
    let whole = left.0.saturating_sub(left.1).max(right.0.saturating_sub(right.1));
    decimal(whole.saturating_add(scale), scale)
}

/// `findTightestCommonType`: a type that holds all values of both without loss.
pub(super) fn tightest(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Date, Interval, Null, Timestamp};
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (Null, other) | (other, Null) => Some(other.clone()),
        (DataType::Decimal { precision, scale }, whole) | (whole, DataType::Decimal { precision, scale })
            if is_integral(whole) =>
        {
            let (digits, _) = digits(whole)?;
            (precision.saturating_sub(*scale) >= digits).then(|| decimal(*precision, *scale))
        }
        (left, right) if width(left) > 0 && width(right) > 0 => {
            Some(if width(left) > width(right) { left.clone() } else { right.clone() })
        }
        (Interval(left), Interval(right)) => left.with(*right).map(Interval),
        (Date, Timestamp) | (Timestamp, Date) => Some(Timestamp),
        _ => nested(left, right, tightest),
    }
}

/// `numericPrecedence`: the place of a number's type among those that hold each other's values; 0 of all others.
fn width(data_type: &DataType) -> u8 {
    match data_type {
        DataType::TinyInt => 1,
        DataType::SmallInt => 2,
        DataType::Int => 3,
        DataType::BigInt => 4,
        DataType::Float => 5,
        DataType::Double => 6,
        _ => 0,
    }
}

/// `findWiderTypeWithoutStringPromotionForTwo`: decimals may grow, or become DOUBLE beside one.
pub(super) fn wider_without_strings(left: &DataType, right: &DataType) -> Option<DataType> {
    tightest(left, right)
        .or_else(|| wider_with_decimal(left, right))
        .or_else(|| nested(left, right, wider_without_strings))
}

/// `findWiderTypeForTwo`: beside a STRING, everything but BOOLEAN and BINARY becomes one.
pub(super) fn wider(left: &DataType, right: &DataType) -> Option<DataType> {
    let promoted = || match (left, right) {
        (DataType::String, other) | (other, DataType::String)
            if is_atomic(other) && !matches!(other, DataType::Binary | DataType::Boolean) =>
        {
            Some(DataType::String)
        }
        _ => None,
    };
    tightest(left, right)
        .or_else(|| wider_with_decimal(left, right))
        .or_else(promoted)
        .or_else(|| nested(left, right, wider))
}

/// `findWiderCommonType`: strings go first, so that what stands before them cannot fail to join.
pub(super) fn wider_of<'t>(types: impl Iterator<Item = &'t DataType> + Clone) -> Option<DataType> {
    let strings = types.clone().filter(|data_type| has_string(data_type));
    let others = types.filter(|data_type| !has_string(data_type));
    strings.chain(others).try_fold(DataType::Null, |common, data_type| wider(&common, data_type))
}

/// As `wider_of`, without strings taking over.
pub(super) fn wider_of_without_strings<'t>(mut types: impl Iterator<Item = &'t DataType>) -> Option<DataType> {
    types.try_fold(DataType::Null, |common, data_type| wider_without_strings(&common, data_type))
}

fn has_string(data_type: &DataType) -> bool {
    match data_type {
        DataType::String => true,
        DataType::Array(element) => has_string(element),
        _ => false,
    }
}

fn wider_with_decimal(left: &DataType, right: &DataType) -> Option<DataType> {
    match (left, right) {
        (DataType::Decimal { .. }, DataType::Float | DataType::Double)
        | (DataType::Float | DataType::Double, DataType::Decimal { .. }) => Some(DataType::Double),
        _ => Some(wider_decimal(digits(left)?, digits(right)?)),
    }
}

fn nested(left: &DataType, right: &DataType, common: fn(&DataType, &DataType) -> Option<DataType>) -> Option<DataType> {
    match (left, right) {
        (DataType::Array(left), DataType::Array(right)) => Some(DataType::Array(Arc::new(common(left, right)?))),
        (DataType::Map(left_key, left_value), DataType::Map(right_key, right_value)) => {
            let key = common(left_key, right_key)?;
            Some(DataType::Map(Arc::new(key), Arc::new(common(left_value, right_value)?)))
        }
        (DataType::Struct(left), DataType::Struct(right)) if left.len() == right.len() => {
            let fields: Option<Vec<Field>> = left
                .iter()
                .zip(right.iter())
                .map(|(left, right)| {
                    let same = left.name.eq_ignore_ascii_case(&right.name);
                    let data_type = common(&left.data_type, &right.data_type).filter(|_| same)?;
                    Some(Field { name: left.name.clone(), data_type })
                })
                .collect();
            Some(DataType::Struct(fields?.into()))
        }
        _ => None,
    }
}

/// What a function's parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Any,
    Boolean,
    Int,
    BigInt,
    Float,
    Double,
    String,
    Binary,
    Date,
    Timestamp,
    /// Any numeric type.
    Numeric,
    /// TINYINT to BIGINT, with no conversion to them.
    Integral,
    /// INT or BIGINT; others become BIGINT.
    Whole,
    /// BINARY as it is; others become STRING.
    Text,
    /// Any ARRAY.
    Array,
    /// Any MAP.
    Map,
}

impl Takes {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Any => "any type",
            Self::Boolean => "BOOLEAN",
            Self::Int => "INT",
            Self::BigInt => "BIGINT",
            Self::Float => "FLOAT",
            Self::Double => "DOUBLE",
            Self::String => "STRING",
            Self::Binary => "BINARY",
            Self::Date => "DATE",
            Self::Timestamp => "TIMESTAMP",
            Self::Numeric => "a number",
            Self::Integral | Self::Whole => "INT or BIGINT",
            Self::Text => "STRING or BINARY",
            Self::Array => "ARRAY",
            Self::Map => "MAP",
        }
    }

    /// `implicitCast`: the type that an argument is converted to, if it may be.
    pub(crate) fn accept(self, from: &DataType) -> Option<DataType> {
        use DataType as T;
        let exact = |to: T| match (from, &to) {
            _ if *from == to => Some(to),
            (T::Null, _) => Some(to),
            (from, T::Int | T::BigInt | T::Float | T::Double) if is_numeric(from) || *from == T::String => Some(to),
            (T::Date | T::Timestamp | T::String, T::Date | T::Timestamp) => Some(to),
            (T::String, T::Binary) => Some(to),
            (from, T::String) if is_atomic(from) => Some(to),
            _ => None,
        };
        match self {
            Self::Any => Some(from.clone()),
            Self::Boolean => exact(T::Boolean),
            Self::Int => exact(T::Int),
            Self::BigInt => exact(T::BigInt),
            Self::Float => exact(T::Float),
            Self::Double => exact(T::Double),
            Self::String => exact(T::String),
            Self::Binary => exact(T::Binary),
            Self::Date => exact(T::Date),
            Self::Timestamp => exact(T::Timestamp),
            Self::Numeric if is_numeric(from) => Some(from.clone()),
            Self::Numeric => exact(T::Double),
            Self::Integral if is_integral(from) => Some(from.clone()),
            Self::Integral => (*from == T::Null).then_some(T::Int),
            Self::Whole if matches!(from, T::TinyInt | T::SmallInt) => Some(T::Int),
            Self::Whole if is_integral(from) => Some(from.clone()),
            Self::Whole => exact(T::BigInt),
            Self::Text if *from == T::Binary => Some(T::Binary),
            Self::Text => exact(T::String),
            Self::Array => match from {
                T::Array(_) => Some(from.clone()),
                T::Null => Some(T::Array(Arc::new(T::Null))),
                _ => None,
            },
            Self::Map => match from {
                T::Map(..) => Some(from.clone()),
                T::Null => Some(T::Map(Arc::new(T::Null), Arc::new(T::Null))),
                _ => None,
            },
        }
    }
}
