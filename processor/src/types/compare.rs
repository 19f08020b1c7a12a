//! The order of values of one type, and which of them are one group.

use std::cmp::Ordering;

use super::Value;

/// Spark's order: NULL first, NaN above all other doubles, strings by their bytes, arrays and structs by their first
/// difference. Both are of one type; values of different types are equal, and so are all maps (Spark orders neither).
pub(crate) fn order(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) | (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::TinyInt(left), Value::TinyInt(right)) => left.cmp(right),
        (Value::SmallInt(left), Value::SmallInt(right)) => left.cmp(right),
        (Value::Months(left), Value::Months(right)) => left.cmp(right),
        (Value::BigInt(left), Value::BigInt(right))
        | (Value::Timestamp(left), Value::Timestamp(right))
        | (Value::Micros(left), Value::Micros(right)) => left.cmp(right),
        (Value::Float(left), Value::Float(right)) => order_of_doubles(f64::from(*left), f64::from(*right)),
        (Value::Double(left), Value::Double(right)) => order_of_doubles(*left, *right),
        (Value::Decimal(left), Value::Decimal(right)) => left.compare(*right),
        (Value::String(left), Value::String(right)) | (Value::Binary(left), Value::Binary(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) | (Value::Struct(left), Value::Struct(right)) => {
            let differences = left.iter().zip(right.iter()).map(|(left, right)| order(left, right));
            differences.into_iter().find(|found| found.is_ne()).unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        _ => Ordering::Equal,
    }
}

/// `SQLOrderingUtil.compareDoubles`: the two zeros are equal, NaN equals itself and is the largest.
fn order_of_doubles(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// Whether GROUP BY puts the two into one group: as `order`, and maps by their entries in order.
pub(crate) fn equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    let all = |left: &[Value<'_>], right: &[Value<'_>]| {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
    };
    match (left, right) {
        (Value::Map(left), Value::Map(right)) => {
            let same =
                |((key, value), (other_key, other_value)): (&(Value<'_>, Value<'_>), &(Value<'_>, Value<'_>))| {
                    equal(key, other_key) && equal(value, other_value)
                };
            left.len() == right.len() && left.iter().zip(right.iter()).all(same)
        }
        (Value::Array(left), Value::Array(right)) | (Value::Struct(left), Value::Struct(right)) => all(left, right),
        _ => std::mem::discriminant(left) == std::mem::discriminant(right) && order(left, right).is_eq(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_in_sparks_order() {
        let ascending = [Value::Null, Value::Double(f64::NEG_INFINITY), Value::Double(-0.0), Value::Double(1.0)];
        let ascending = ascending.into_iter().chain([Value::Double(f64::INFINITY), Value::Double(f64::NAN)]);
        let ascending: Vec<_> = ascending.collect();
        for (index, left) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                assert_eq!(order(left, right), index.cmp(&other), "{left:?} {right:?}");
                assert_eq!(equal(left, right), index == other, "{left:?} {right:?}");
            }
        }
        assert!(equal(&Value::Double(0.0), &Value::Double(-0.0)));
        assert!(equal(&Value::Double(f64::NAN), &Value::Double(-f64::NAN)));
    }

    #[test]
    fn structs_and_arrays_differ_where_they_first_do() {
        let list = |values: &[Option<i32>]| {
            Value::Array(values.iter().map(|value| value.map_or(Value::Null, Value::Int)).collect())
        };
        assert_eq!(order(&list(&[Some(1), None]), &list(&[Some(1), Some(0)])), Ordering::Less);
        assert_eq!(order(&list(&[Some(1)]), &list(&[Some(1), None])), Ordering::Less);
        assert_eq!(order(&list(&[Some(2)]), &list(&[Some(1), Some(5)])), Ordering::Greater);
        assert!(equal(&list(&[None]), &list(&[None])));
        assert!(!equal(&list(&[None]), &list(&[])));
        assert!(!equal(&list(&[]), &Value::Null));
    }
}
