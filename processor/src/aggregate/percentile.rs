//! Percentiles and the most frequent value, out of all values with their numbers.

use std::sync::Arc;

use super::bag::Bag;
use crate::types::{DataType, Value, cast, decode_value, order};

/// Which percentiles. Follows `Percentile` and `ApproximatePercentile` of Spark 3.4.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Percentiles {
    /// Each from 0.0 to 1.0.
    pub(crate) fractions: Arc<[f64]>,
    /// Whether the result is an ARRAY.
    pub(crate) many: bool,
    /// Of `percentile_approx`, its accuracy; `None` lies between two values where `percentile` does.
    ///
    /// The values are exact: Spark's sketch gives the same up to half as many values as its accuracy (5,000 by default),
    /// and beyond that values that are as near as it promises.
    pub(crate) accuracy: Option<u32>,
}

impl Percentiles {
    /// Of values of this type. NULL of none.
    pub(super) fn of(&self, bag: &Bag, data_type: &DataType) -> Value<'static> {
        let mut values: Vec<(Value<'_>, u64)> = bag
            .entries()
            .filter_map(|(mut member, count)| Some((decode_value(data_type, &mut member)?, count)))
            .collect();
        values.retain(|(_, count)| *count > 0);
        values.sort_by(|left, right| order(&left.0, &right.0));
        if values.is_empty() || self.fractions.is_empty() {
            return Value::Null;
        }
        // Counts become places: of a value, that of the first after it.
        let mut end: u64 = 0;
        for (_, count) in &mut values {
            end = end.saturating_add(*count);
            *count = end;
        }
        let mut results = self.fractions.iter().map(|fraction| match self.accuracy {
            Some(accuracy) => at(&values, nearest(*fraction, end, accuracy)).clone().into_owned(),
            None => between(&values, (end - 1) as f64 * fraction, data_type),
        });
        if self.many { Value::Array(results.collect()) } else { results.next().unwrap_or(Value::Null) }
    }
}

/// The value at a place, from 0.
fn at<'v, 'b>(values: &'v [(Value<'b>, u64)], place: u64) -> &'v Value<'b> {
    let index = values.partition_point(|(_, end)| *end <= place);
    values.get(index).or(values.last()).map_or(&Value::Null, |(value, _)| value)
}

/// The place of the smallest value with so many below it or like it (`QuantileSummaries.query`).
fn nearest(fraction: f64, count: u64, accuracy: u32) -> u64 {
    let error = 1.0 / f64::from(accuracy);
    if fraction <= error {
        0
    } else if fraction >= 1.0 - error {
        count - 1
    } else {
        ((fraction * count as f64).ceil() as u64).clamp(1, count) - 1
    }
}

/// The value at a place, or so far between those beside it.
fn between(values: &[(Value<'_>, u64)], place: f64, data_type: &DataType) -> Value<'static> {
    let number = |value: &Value<'_>| match value {
        Value::Months(months) => f64::from(*months),
        Value::Micros(micros) => *micros as f64,
        value => match cast(value.borrowed(), data_type, &DataType::Double) {
            Value::Double(number) => number,
            _ => f64::NAN,
        },
    };
    let (lower, higher) = (at(values, place.floor() as u64), at(values, place.ceil() as u64));
    let result = if place.floor() == place.ceil() || order(lower, higher).is_eq() {
        number(lower)
    } else {
        (place.ceil() - place) * number(lower) + (place - place.floor()) * number(higher)
    };
    match data_type {
        DataType::Interval(range) if range.is_of_months() => Value::Months(result as i32),
        DataType::Interval(_) => Value::Micros(result as i64),
        _ => Value::Double(result),
    }
}

/// The value that came most often; of several the one that came first. (Spark takes one of them.)
pub(super) fn mode(bag: &Bag, data_type: &DataType) -> Value<'static> {
    let most = bag.entries().reduce(|most, entry| if entry.1 > most.1 { entry } else { most });
    let value = most.and_then(|(mut member, _)| decode_value(data_type, &mut member));
    value.map_or(Value::Null, Value::into_owned)
}
