//! What an aggregate gives.

use super::Aggregates;
use super::slot::{BagResult, EMPTY, FULL, Kind, LOST_DECIMAL, NO_DECIMAL, PRECISION_MAX, Slot, Whole, wide, word};
use super::{cardinality, list, percentile};
use crate::types::{Decimal, DecimalType, Value, decode_value};

/// Digits of a count as a DECIMAL.
const COUNT_PRECISION: u8 = 20;

impl Aggregates {
    /// The result of aggregate `number` over the rows that were added; NULL for one that is not there.
    pub(crate) fn result(&self, row: &[u64], number: usize) -> Value<'_> {
        let Some(Slot { place, kind }) = self.slots.get(number) else { return Value::Null };
        let place = *place;
        let first = word(row, place, 0);
        let if_full = |value: Value<'static>| if word(row, place, 1) == EMPTY { Value::Null } else { value };
        match kind {
            Kind::CountAll | Kind::Count | Kind::CountIf => Value::BigInt(first as i64),
            Kind::CountDistinct { .. } => Value::BigInt(self.heap.get_set(first).map_or(0, |set| set.len() as i64)),
            Kind::SumBigInt => if_full(Value::BigInt(first as i64)),
            Kind::SumDouble => if_full(Value::Double(f64::from_bits(first))),
            Kind::AvgDouble => if_full(Value::Double(f64::from_bits(first) / (word(row, place, 1) as i64) as f64)),
            Kind::SumDecimal { precision, scale } => match wide(row, place) {
                NO_DECIMAL | LOST_DECIMAL => Value::Null,
                unscaled => Decimal::new(unscaled, *precision, *scale).map_or(Value::Null, Value::Decimal),
            },
            Kind::AvgDecimal { precision, scale } => {
                average(wide(row, place), word(row, place, 2), *precision, *scale).map_or(Value::Null, Value::Decimal)
            }
            Kind::SumChecked { whole } if word(row, place, 1) == FULL => whole.value(first as i64),
            Kind::SumChecked { .. } => Value::Null,
            Kind::AvgInterval { whole } if word(row, place, 1) == FULL => {
                average_interval(first as i64, word(row, place, 2), *whole)
            }
            Kind::AvgInterval { .. } => Value::Null,
            Kind::Extreme { form, .. }
            | Kind::Kept { form, .. }
            | Kind::Bits { form, .. }
            | Kind::By { value: form, .. } => form.get(row, place, &self.heap).unwrap_or(Value::Null),
            Kind::Moment(moment) => moment.result(row, place).map_or(Value::Null, Value::Double),
            Kind::PairMoment(moment) => moment.result(row, place).map_or(Value::Null, Value::Double),
            Kind::List { element } => {
                let encoded = self.heap.get_list(first).map_or(&[] as &[u8], |list| list.from(0));
                list::array(encoded, element).unwrap_or(Value::Null)
            }
            Kind::Set { element } => {
                let members = self.heap.get_set(first).into_iter().flat_map(|set| set.members(0));
                let value =
                    |mut member: &[u8]| decode_value(element, &mut member).map_or(Value::Null, Value::into_owned);
                Value::Array(members.map(value).collect())
            }
            Kind::Bag { input, result } => match (self.heap.get_bag(first), result) {
                (None, _) => Value::Null,
                (Some(bag), BagResult::Mode) => percentile::mode(bag, input),
                (Some(bag), BagResult::Percentiles(percentiles)) => percentiles.of(bag, input),
            },
            Kind::Registers { bits } => match self.heap.get_bytes(first) {
                [] => Value::BigInt(0),
                registers => Value::BigInt(cardinality::estimate(registers, *bits)),
            },
            Kind::Bool { .. } if first == EMPTY => Value::Null,
            Kind::Bool { .. } => Value::Boolean(first > 1),
        }
    }
}

/// Rounded half up.
fn average_interval(sum: i64, count: u64, whole: Whole) -> Value<'static> {
    let (sum, count) = (i128::from(sum), i128::from(count));
    if count == 0 {
        return Value::Null;
    }
    let (quotient, rest) = (sum / count, sum % count);
    let up = rest.unsigned_abs() * 2 >= count.unsigned_abs();
    let rounded = quotient + if up { rest.signum() } else { 0 };
    i64::try_from(rounded).map_or(Value::Null, |rounded| whole.value(rounded))
}

/// The sum of `count` DECIMALs of this type divided by their number, in Spark's (p+4,s+4).
fn average(sum: i128, count: u64, precision: u8, scale: u8) -> Option<Decimal> {
    if sum == LOST_DECIMAL {
        return None;
    }
    let more = |digits: u8| digits.saturating_add(4).min(PRECISION_MAX);
    let sum = Decimal::new(sum, PRECISION_MAX, scale)?;
    let count = Decimal::from_integer(count as i64, COUNT_PRECISION, 0)?;
    sum.divided_by(count, DecimalType::new(more(precision), more(scale)))
}
