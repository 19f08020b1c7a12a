//! Where an aggregate's state stands in the words of a row, and what the words mean.

use super::form::Form;
use super::heap::Heap;
use super::{AggregateFunction, Moment, PairMoment, Percentiles};
use crate::types::{DataType, Value};

/// The first word of an aggregate in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: usize,
}

/// An aggregate of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What its words are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// The count.
    CountAll,
    /// The count.
    Count,
    /// The count.
    CountIf,
    /// A set's place in the heap, and how many of its members the changelog has.
    CountDistinct { input: DataType },
    /// The sum, and [`EMPTY`] or [`FULL`].
    SumBigInt,
    /// The sum, and [`EMPTY`] or [`FULL`].
    SumDouble,
    /// The sum, and [`EMPTY`], [`FULL`], or [`NULL`] once it is too large.
    SumChecked { whole: Whole },
    /// The sum in two words; of no value [`NO_DECIMAL`], and after an overflow [`LOST_DECIMAL`].
    SumDecimal { precision: u8, scale: u8 },
    /// The sum, and the count of values.
    AvgDouble,
    /// The sum in two words, [`LOST_DECIMAL`] after an overflow, and the count of values.
    AvgDecimal { precision: u8, scale: u8 },
    /// As of [`Kind::SumChecked`], and the count of values.
    AvgInterval { whole: Whole },
    /// The least or the greatest value so far.
    Extreme { greatest: bool, form: Form },
    /// [`EMPTY`], or 1 more than the BOOLEAN. `all`: AND instead of OR.
    Bool { all: bool },
    /// The first or the last value so far.
    Kept { last: bool, ignore_nulls: bool, form: Form },
    /// The bits so far.
    Bits { operator: Bits, form: Form },
    /// Its own words.
    Moment(Moment),
    /// Its own words.
    PairMoment(PairMoment),
    /// The value of the least or the greatest so far, and behind it that.
    By { greatest: bool, value: Form, by: Form },
    /// A list's place in the heap, and how many of its bytes the changelog has.
    List { element: DataType },
    /// As of [`Kind::CountDistinct`].
    Set { element: DataType },
    /// A bag's place in the heap.
    Bag { input: DataType, result: BagResult },
    /// The place of the registers in the heap, a byte each.
    Registers { bits: u8 },
}

/// What is made of a bag.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum BagResult {
    Mode,
    Percentiles(Percentiles),
}

/// What a whole number is that is kept within its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    BigInt,
    /// Of 32 bits.
    Months,
    Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
    And,
    Or,
    Xor,
}

/// No value came so far.
pub(super) const EMPTY: u64 = 0;
/// There is a value.
pub(super) const FULL: u64 = 1;
/// The value is NULL.
pub(super) const NULL: u64 = 2;

/// Past what 38 digits can be.
pub(super) const NO_DECIMAL: i128 = i128::MAX;
pub(super) const LOST_DECIMAL: i128 = i128::MIN;

/// The most digits of a DECIMAL.
pub(super) const PRECISION_MAX: u8 = 38;

impl Slot {
    /// Adds the words of an empty aggregate to `empty`.
    pub(super) fn new(function: AggregateFunction, input: &DataType, empty: &mut Vec<u64>) -> Self {
        let place = Place { at: empty.len() };
        let kind = Kind::new(function, input);
        let zeros = match &kind {
            Kind::CountAll | Kind::Count | Kind::CountIf | Kind::Bool { .. } | Kind::Bag { .. } => 1,
            Kind::Registers { .. } => 1,
            Kind::CountDistinct { .. } | Kind::Set { .. } | Kind::List { .. } => 2,
            Kind::SumBigInt | Kind::SumDouble | Kind::SumChecked { .. } | Kind::AvgDouble => 2,
            Kind::AvgDecimal { .. } | Kind::AvgInterval { .. } => 3,
            Kind::Extreme { form, .. } | Kind::Kept { form, .. } | Kind::Bits { form, .. } => form.words(),
            Kind::By { value, by, .. } => value.words() + by.words(),
            Kind::Moment(moment) => moment.words(),
            Kind::PairMoment(moment) => moment.words(),
            Kind::SumDecimal { .. } => {
                empty.extend(words(NO_DECIMAL));
                0
            }
        };
        empty.extend(std::iter::repeat_n(0, zeros));
        Self { place, kind }
    }

    /// Gives back what stands in the heap; the words are stale then.
    pub(super) fn release(&self, row: &[u64], heap: &mut Heap) {
        match &self.kind {
            Kind::CountDistinct { .. } | Kind::Set { .. } => heap.release_set(word(row, self.place, 0)),
            Kind::List { .. } => heap.release_list(word(row, self.place, 0)),
            Kind::Bag { .. } => heap.release_bag(word(row, self.place, 0)),
            Kind::Registers { .. } => heap.release_bytes(word(row, self.place, 0)),
            Kind::Extreme { form, .. } | Kind::Kept { form, .. } => form.release(row, self.place, heap),
            Kind::By { value, by, .. } => {
                value.release(row, self.place, heap);
                by.release(row, value.after(self.place), heap);
            }
            _ => {}
        }
    }
}

impl Kind {
    fn new(function: AggregateFunction, input: &DataType) -> Self {
        match function {
            AggregateFunction::CountAll => Self::CountAll,
            AggregateFunction::Count => Self::Count,
            AggregateFunction::CountIf => Self::CountIf,
            AggregateFunction::CountDistinct => Self::CountDistinct { input: input.clone() },
            AggregateFunction::Sum => match *input {
                DataType::Decimal { precision, scale } => {
                    Self::SumDecimal { precision: sum_precision(precision), scale }
                }
                DataType::Double => Self::SumDouble,
                DataType::Interval(_) => Self::SumChecked { whole: Whole::of(input) },
                _ => Self::SumBigInt,
            },
            AggregateFunction::TrySum => Self::SumChecked { whole: Whole::of(input) },
            AggregateFunction::Avg => match *input {
                DataType::Decimal { precision, scale } => Self::AvgDecimal { precision, scale },
                DataType::Interval(_) => Self::AvgInterval { whole: Whole::of(input) },
                _ => Self::AvgDouble,
            },
            AggregateFunction::Min => Self::Extreme { greatest: false, form: Form::of(input) },
            AggregateFunction::Max => Self::Extreme { greatest: true, form: Form::of(input) },
            AggregateFunction::BoolAnd => Self::Bool { all: true },
            AggregateFunction::BoolOr => Self::Bool { all: false },
            AggregateFunction::First { ignore_nulls } => {
                Self::Kept { last: false, ignore_nulls, form: Form::of(input) }
            }
            AggregateFunction::Last { ignore_nulls } => Self::Kept { last: true, ignore_nulls, form: Form::of(input) },
            AggregateFunction::BitAnd => Self::Bits { operator: Bits::And, form: Form::of(input) },
            AggregateFunction::BitOr => Self::Bits { operator: Bits::Or, form: Form::of(input) },
            AggregateFunction::BitXor => Self::Bits { operator: Bits::Xor, form: Form::of(input) },
            AggregateFunction::Moment(moment) => Self::Moment(moment),
            AggregateFunction::PairMoment(moment) => Self::PairMoment(moment),
            AggregateFunction::MinBy => Self::by(false, input),
            AggregateFunction::MaxBy => Self::by(true, input),
            AggregateFunction::CollectList => Self::List { element: input.clone() },
            AggregateFunction::CollectSet => Self::Set { element: input.clone() },
            AggregateFunction::Mode => Self::Bag { input: input.clone(), result: BagResult::Mode },
            AggregateFunction::Percentiles(percentiles) => {
                // With how often it counts, it is the first of two.
                let input = first_of(input).unwrap_or(input).clone();
                Self::Bag { input, result: BagResult::Percentiles(percentiles) }
            }
            AggregateFunction::ApproxCountDistinct { bits } => Self::Registers { bits },
        }
    }

    fn by(greatest: bool, input: &DataType) -> Self {
        let second = match input {
            DataType::Struct(fields) => fields.get(1).map(|field| &field.data_type),
            _ => None,
        };
        let form = |data_type: Option<&DataType>| Form::of(data_type.unwrap_or(&DataType::Null));
        Self::By { greatest, value: form(first_of(input)), by: form(second) }
    }
}

/// The type of the first of several arguments.
fn first_of(input: &DataType) -> Option<&DataType> {
    match input {
        DataType::Struct(fields) => fields.first().map(|field| &field.data_type),
        _ => None,
    }
}

impl Whole {
    fn of(input: &DataType) -> Self {
        match input {
            DataType::Interval(range) if range.is_of_months() => Self::Months,
            DataType::Interval(_) => Self::Micros,
            _ => Self::BigInt,
        }
    }

    pub(super) fn number(self, value: &Value<'_>) -> Option<i64> {
        match (self, value) {
            (Self::BigInt, Value::BigInt(value)) | (Self::Micros, Value::Micros(value)) => Some(*value),
            (Self::Months, Value::Months(value)) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// `None` if it has too many bits.
    pub(super) fn sum(self, left: i64, right: i64) -> Option<i64> {
        let sum = left.checked_add(right)?;
        (self != Self::Months || i32::try_from(sum).is_ok()).then_some(sum)
    }

    pub(super) fn value(self, number: i64) -> Value<'static> {
        match self {
            Self::BigInt => Value::BigInt(number),
            Self::Months => i32::try_from(number).map_or(Value::Null, Value::Months),
            Self::Micros => Value::Micros(number),
        }
    }
}

/// Digits of a sum of DECIMALs with so many.
pub(super) fn sum_precision(precision: u8) -> u8 {
    precision.saturating_add(10).min(PRECISION_MAX)
}

/// A word of an aggregate, counted from its first.
#[inline]
pub(super) fn word(row: &[u64], place: Place, number: usize) -> u64 {
    row.get(place.at + number).copied().unwrap_or(0)
}

#[inline]
pub(super) fn set(row: &mut [u64], place: Place, number: usize, value: u64) {
    if let Some(word) = row.get_mut(place.at + number) {
        *word = value;
    }
}

/// The number in an aggregate's first two words.
#[inline]
pub(super) fn wide(row: &[u64], place: Place) -> i128 {
    (u128::from(word(row, place, 0)) | u128::from(word(row, place, 1)) << 64) as i128
}

#[inline]
pub(super) fn set_wide(row: &mut [u64], place: Place, value: i128) {
    let [low, high] = words(value);
    set(row, place, 0, low);
    set(row, place, 1, high);
}

fn words(value: i128) -> [u64; 2] {
    [value as u64, (value as u128 >> 64) as u64]
}
