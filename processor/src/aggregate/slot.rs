//! Where an aggregate's state stands in the words of a row, and what the words mean.

use super::AggregateFunction;
use super::heap::Heap;
use crate::types::DataType;

/// The first word of an aggregate in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: usize,
}

/// An aggregate of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What its words are.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The sum in two words; of no value [`NO_DECIMAL`], and after an overflow [`LOST_DECIMAL`].
    SumDecimal { precision: u8, scale: u8 },
    /// The sum, and the count of values.
    AvgDouble,
    /// The sum in two words, [`LOST_DECIMAL`] after an overflow, and the count of values.
    AvgDecimal { precision: u8, scale: u8 },
    /// The least or the greatest value so far.
    Extreme { greatest: bool, form: Form },
    /// [`EMPTY`], or 1 more than the BOOLEAN. `all`: AND instead of OR.
    Bool { all: bool },
    /// The first or the last value so far.
    Kept { last: bool, ignore_nulls: bool, form: Form },
}

/// How a value of some type is kept: as words, of which the last is [`EMPTY`], [`FULL`] or [`NULL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Date,
    Timestamp,
    /// Two words of value.
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// The heap has its bytes.
    String,
    /// The heap has its bytes.
    Binary,
    /// The heap has it as it is encoded.
    Encoded(DataType),
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
        match &kind {
            Kind::CountAll | Kind::Count | Kind::CountIf | Kind::Bool { .. } => empty.push(0),
            Kind::CountDistinct { .. } | Kind::SumBigInt | Kind::SumDouble | Kind::AvgDouble => empty.extend([0; 2]),
            Kind::SumDecimal { .. } => empty.extend(words(NO_DECIMAL)),
            Kind::AvgDecimal { .. } => empty.extend([0; 3]),
            Kind::Extreme { form, .. } | Kind::Kept { form, .. } => empty.extend(vec![0; form.state_at() + 1]),
        }
        Self { place, kind }
    }

    /// Gives back what stands in the heap; the words are stale then.
    pub(super) fn release(&self, row: &[u64], heap: &mut Heap) {
        match &self.kind {
            Kind::CountDistinct { .. } => heap.release_set(word(row, self.place, 0)),
            Kind::Extreme { form, .. } | Kind::Kept { form, .. } if form.is_in_heap() => {
                heap.release_bytes(word(row, self.place, 0));
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
                _ => Self::SumBigInt,
            },
            AggregateFunction::Avg => match *input {
                DataType::Decimal { precision, scale } => Self::AvgDecimal { precision, scale },
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
        }
    }
}

/// Digits of a sum of DECIMALs with so many.
pub(super) fn sum_precision(precision: u8) -> u8 {
    precision.saturating_add(10).min(PRECISION_MAX)
}

impl Form {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::TinyInt => Self::TinyInt,
            DataType::SmallInt => Self::SmallInt,
            DataType::Int => Self::Int,
            DataType::BigInt => Self::BigInt,
            DataType::Float => Self::Float,
            DataType::Double => Self::Double,
            DataType::Date => Self::Date,
            DataType::Timestamp => Self::Timestamp,
            DataType::Decimal { precision, scale } => Self::Decimal { precision: *precision, scale: *scale },
            DataType::String => Self::String,
            DataType::Binary => Self::Binary,
            other => Self::Encoded(other.clone()),
        }
    }

    /// How many words stand before the one that tells whether there is a value.
    pub(super) fn state_at(&self) -> usize {
        if matches!(self, Self::Decimal { .. }) { 2 } else { 1 }
    }

    pub(super) fn is_in_heap(&self) -> bool {
        matches!(self, Self::String | Self::Binary | Self::Encoded(_))
    }
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
