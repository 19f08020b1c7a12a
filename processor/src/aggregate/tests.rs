use proptest::prelude::*;

use super::AggregateFunction::*;
use super::*;
use crate::codec::Reader;
use crate::types::{Decimal, Value, equal, to_text};

const DECIMAL: DataType = DataType::Decimal { precision: 5, scale: 2 };

fn decimal(unscaled: i128) -> Value<'static> {
    Value::Decimal(Decimal { unscaled, precision: 5, scale: 2 })
}

fn text(text: &str) -> Value<'_> {
    Value::String(text.as_bytes().into())
}

fn with_row(function: AggregateFunction, input: &DataType) -> (Aggregates, Vec<u64>) {
    let aggregates = Aggregates::new([(function, input)]);
    let mut row = vec![0; aggregates.width()];
    aggregates.clear(&mut row);
    (aggregates, row)
}

/// The result over single arguments, as text; NULL is "NULL". A STRUCT is two arguments, where a function takes two.
fn of(function: AggregateFunction, input: &DataType, values: &[Value<'_>]) -> String {
    let (mut aggregates, mut row) = with_row(function.clone(), input);
    for value in values {
        aggregates.update(&mut row, 0, &arguments(&function, value));
    }
    shown(&aggregates.result(&row, 0), &function, input)
}

fn arguments<'v>(function: &AggregateFunction, value: &'v Value<'_>) -> Vec<Value<'v>> {
    match value {
        Value::Struct(values) if takes_two(function) => values.iter().map(Value::borrowed).collect(),
        Value::Null if takes_two(function) => vec![Value::Null, Value::Null],
        value => vec![value.borrowed()],
    }
}

fn takes_two(function: &AggregateFunction) -> bool {
    matches!(function, MinBy | MaxBy | AggregateFunction::PairMoment(_))
}

fn shown(value: &Value<'_>, function: &AggregateFunction, input: &DataType) -> String {
    let data_type = match value {
        Value::Array(_) if matches!(function, CollectList | CollectSet) => DataType::Array(input.clone().into()),
        _ if matches!(function, MinBy | MaxBy) => match input {
            DataType::Struct(fields) => fields[0].data_type.clone(),
            input => input.clone(),
        },
        Value::BigInt(_) => DataType::BigInt,
        Value::Double(_) => DataType::Double,
        Value::Decimal(value) => DataType::Decimal { precision: value.precision, scale: value.scale },
        _ if matches!(function, AggregateFunction::BoolAnd | AggregateFunction::BoolOr) => DataType::Boolean,
        _ => input.clone(),
    };
    let mut text = Vec::new();
    if to_text(value, &data_type, &mut text) { String::from_utf8_lossy(&text).into_owned() } else { "NULL".to_owned() }
}

#[test]
fn of_no_value_only_a_count_is_not_null() {
    for (function, input) in all() {
        let expected = matches!(function, CountAll | Count | CountIf | CountDistinct | ApproxCountDistinct { .. });
        let lists = matches!(function, CollectList | CollectSet);
        let none = if expected {
            "0"
        } else if lists {
            "[]"
        } else {
            "NULL"
        };
        assert_eq!(of(function.clone(), &input, &[]), none, "{function:?} {input}");
        let nulls = of(function.clone(), &input, &[Value::Null, Value::Null]);
        assert_eq!(nulls, if function == CountAll { "2" } else { none }, "{function:?}");
    }
}

#[test]
fn sums_and_averages_follow_spark() {
    let big = |values: &[i64]| values.iter().map(|value| Value::BigInt(*value)).collect::<Vec<_>>();
    let double = |values: &[f64]| values.iter().map(|value| Value::Double(*value)).collect::<Vec<_>>();
    let decimals = |values: &[i128]| values.iter().map(|value| decimal(*value)).collect::<Vec<_>>();
    assert_eq!(of(Sum, &DataType::BigInt, &big(&[i64::MAX, 1])), i64::MIN.to_string());
    assert_eq!(of(Avg, &DataType::BigInt, &big(&[1, 2])), "1.5");
    assert_eq!(of(Avg, &DataType::BigInt, &big(&[i64::MAX, i64::MAX])), "9.223372036854776E18");
    assert_eq!(of(Sum, &DataType::Double, &double(&[-0.0])), "0.0");
    assert_eq!(of(Sum, &DataType::Double, &double(&[f64::INFINITY, f64::NEG_INFINITY])), "NaN");
    assert_eq!(of(Avg, &DataType::Double, &double(&[1.0, 2.0, 2.0])), "1.6666666666666667");
    assert_eq!(of(Sum, &DECIMAL, &decimals(&[99_999, 99_999])), "1999.98");
    assert_eq!(of(Avg, &DECIMAL, &decimals(&[100, 100, 101])), "1.003333");
    assert_eq!(of(Avg, &DECIMAL, &decimals(&[-100, -100, -102])), "-1.006667");
}

#[test]
fn a_decimal_sum_that_overflows_is_null_for_good() {
    let input = DataType::Decimal { precision: 38, scale: 0 };
    let value = |unscaled| Value::Decimal(Decimal { unscaled, precision: 38, scale: 0 });
    let most = 10i128.pow(38) - 1;
    assert_eq!(of(Sum, &input, &[value(most)]), most.to_string());
    assert_eq!(of(Sum, &input, &[value(most), value(1), value(-most)]), "NULL");
    assert_eq!(of(Avg, &input, &[value(most), value(1), value(-most)]), "NULL");
    // Its average needs four more digits than there are.
    assert_eq!(of(Avg, &input, &[value(most)]), "NULL");
}

#[test]
fn extremes_keep_the_first_of_equal_zeros_and_take_nan_for_the_largest() {
    let double = |values: &[f64]| values.iter().map(|value| Value::Double(*value)).collect::<Vec<_>>();
    assert_eq!(of(Max, &DataType::Double, &double(&[-0.0, 0.0])), "-0.0");
    assert_eq!(of(Min, &DataType::Double, &double(&[0.0, -0.0])), "0.0");
    assert_eq!(of(Max, &DataType::Double, &double(&[f64::NAN, f64::INFINITY])), "NaN");
    assert_eq!(of(Min, &DataType::Double, &double(&[f64::NAN, f64::INFINITY])), "Infinity");
    assert_eq!(of(Max, &DataType::String, &[text("b"), text("Z"), Value::Null, text("ä")]), "ä");
    assert_eq!(of(Min, &DataType::String, &[text("b"), text("Z"), text("")]), "");
    assert_eq!(of(Min, &DataType::Boolean, &[Value::Boolean(true), Value::Boolean(false)]), "false");
    assert_eq!(of(Max, &DECIMAL, &[decimal(-5), decimal(-7)]), "-0.05");
    let list = |values: &[i32]| Value::Array(values.iter().map(|value| Value::Int(*value)).collect());
    assert_eq!(of(Max, &DataType::Array(DataType::Int.into()), &[list(&[2]), list(&[1, 3])]), "[2]");
}

#[test]
fn first_last_and_booleans() {
    let values = [Value::Null, text("a"), text("b"), Value::Null];
    assert_eq!(of(First { ignore_nulls: false }, &DataType::String, &values), "NULL");
    assert_eq!(of(First { ignore_nulls: true }, &DataType::String, &values), "a");
    assert_eq!(of(Last { ignore_nulls: false }, &DataType::String, &values), "NULL");
    assert_eq!(of(Last { ignore_nulls: true }, &DataType::String, &values), "b");
    let (yes, no) = (Value::Boolean(true), Value::Boolean(false));
    assert_eq!(of(BoolAnd, &DataType::Boolean, &[yes.clone(), Value::Null]), "true");
    assert_eq!(of(BoolAnd, &DataType::Boolean, &[yes.clone(), no.clone()]), "false");
    assert_eq!(of(BoolOr, &DataType::Boolean, &[no.clone(), yes.clone()]), "true");
    assert_eq!(of(CountIf, &DataType::Boolean, &[no, yes, Value::Null]), "1");
}

#[test]
fn distinct_rows_are_counted_by_all_their_arguments() {
    let doubles = [0.0, -0.0, f64::NAN, -f64::NAN, 1.0].map(Value::Double);
    assert_eq!(of(CountDistinct, &DataType::Double, &doubles), "3");
    let field = |data_type| crate::types::Field { name: String::new(), data_type };
    let input = DataType::Struct([field(DataType::String), field(DataType::Int)].into());
    let (mut aggregates, mut row) = with_row(CountDistinct, &input);
    for (a, b) in [("x", 1), ("x", 2), ("x", 1), ("y", 1)] {
        aggregates.update(&mut row, 0, &[text(a), Value::Int(b)]);
    }
    aggregates.update(&mut row, 0, &[text("x"), Value::Null]);
    assert!(equal(&aggregates.result(&row, 0), &Value::BigInt(3)));
}

const DAYS: DataType = DataType::Interval(crate::types::IntervalRange::DAY_TO_SECOND);
const MONTHS: DataType = DataType::Interval(crate::types::IntervalRange::YEAR_TO_MONTH);

fn pair(first: DataType, second: DataType) -> DataType {
    let field = |data_type| crate::types::Field { name: String::new(), data_type };
    DataType::Struct([field(first), field(second)].into())
}

fn percentiles(fractions: &[f64], accuracy: Option<u32>) -> super::Percentiles {
    super::Percentiles { fractions: fractions.into(), many: false, accuracy }
}

/// Every function with every kind of type that it takes.
pub(crate) fn all() -> Vec<(AggregateFunction, DataType)> {
    let any = [
        DataType::Boolean,
        DataType::Int,
        DataType::BigInt,
        DataType::Double,
        DECIMAL,
        DataType::String,
        DataType::Binary,
        DataType::Date,
        DataType::Timestamp,
        DataType::Array(DataType::String.into()),
    ];
    let mut all = vec![
        (CountAll, DataType::Null),
        (CountIf, DataType::Boolean),
        (BoolAnd, DataType::Boolean),
        (BoolOr, DataType::Boolean),
    ];
    for input in [DataType::BigInt, DataType::Double, DECIMAL] {
        all.extend([(Sum, input.clone()), (Avg, input)]);
    }
    let (median, p90) = (percentiles(&[0.5], None), percentiles(&[0.1, 0.9], Some(100)));
    for input in [DataType::BigInt, DataType::Double, DECIMAL, DAYS, MONTHS] {
        all.extend([Percentiles(median.clone()), Percentiles(p90.clone())].map(|function| (function, input.clone())));
    }
    for input in [DAYS, MONTHS] {
        all.extend([(Sum, input.clone()), (Avg, input)]);
    }
    all.push((TrySum, DataType::BigInt));
    for input in [DataType::TinyInt, DataType::Int, DataType::BigInt] {
        all.extend([BitAnd, BitOr, BitXor].map(|function| (function, input.clone())));
    }
    for moment in [super::Moment::Variance, super::Moment::Skewness, super::Moment::Kurtosis] {
        all.push((AggregateFunction::Moment(moment), DataType::Double));
    }
    for moment in [super::PairMoment::Covariance, super::PairMoment::Correlation, super::PairMoment::Intercept] {
        all.push((AggregateFunction::PairMoment(moment), pair(DataType::Double, DataType::Double)));
    }
    for (value, by) in [(DataType::String, DataType::Int), (DECIMAL, DataType::String)] {
        all.extend([MinBy, MaxBy].map(|function| (function, pair(value.clone(), by.clone()))));
    }
    for input in any {
        let (first, last) = (First { ignore_nulls: true }, Last { ignore_nulls: false });
        all.extend([Count, CountDistinct, Min, Max, first, last].map(|function| (function, input.clone())));
        let sketch = ApproxCountDistinct { bits: 4 };
        all.extend([CollectList, CollectSet, Mode, sketch].map(|function| (function, input.clone())));
    }
    all
}

fn value(data_type: &DataType) -> BoxedStrategy<Value<'static>> {
    let some = match data_type {
        DataType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        DataType::Int => any::<i32>().prop_map(Value::Int).boxed(),
        DataType::BigInt => any::<i64>().prop_map(Value::BigInt).boxed(),
        // Whole numbers, whose sums are exact whatever the order.
        DataType::Double => (-1000i32..1000).prop_map(|value| Value::Double(f64::from(value))).boxed(),
        DataType::Decimal { .. } => (-99_999i128..=99_999).prop_map(decimal).boxed(),
        DataType::String => "[a-c]{0,3}".prop_map(|text| Value::String(text.into_bytes().into())).boxed(),
        DataType::Binary => prop::collection::vec(any::<u8>(), 0..3).prop_map(|v| Value::Binary(v.into())).boxed(),
        DataType::TinyInt => any::<i8>().prop_map(Value::TinyInt).boxed(),
        // Not so long that a sum is lost: where that happens depends on the order.
        &DAYS => (-1_000_000i64..1_000_000).prop_map(Value::Micros).boxed(),
        &MONTHS => (-1000i32..1000).prop_map(Value::Months).boxed(),
        DataType::Struct(fields) => {
            let (first, second) = (value(&fields[0].data_type), value(&fields[1].data_type));
            (first, second).prop_map(|(first, second)| Value::Struct([first, second].into())).boxed()
        }
        DataType::Date => any::<i32>().prop_map(Value::Date).boxed(),
        DataType::Timestamp => any::<i64>().prop_map(Value::Timestamp).boxed(),
        DataType::Array(element) => {
            prop::collection::vec(value(element), 0..3).prop_map(|values| Value::Array(values.into())).boxed()
        }
        _ => Just(Value::Null).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 4 => some].boxed()
}

fn case() -> impl Strategy<Value = (AggregateFunction, DataType, Vec<Vec<Value<'static>>>)> {
    prop::sample::select(all()).prop_flat_map(|(function, input)| {
        let value = match (&function, &input) {
            // Their sums as DOUBLEs are exact, whatever the order.
            (Avg | TrySum, DataType::BigInt) => (-1000i64..1000).prop_map(Value::BigInt).boxed(),
            _ => value(&input),
        };
        let parts = prop::collection::vec(prop::collection::vec(value, 0..6), 1..4);
        (Just(function), Just(input), parts)
    })
}

/// Moments may differ in their last digits, by the order in which they are joined.
fn alike(left: &str, right: &str, function: &AggregateFunction) -> bool {
    let are_moments = matches!(function, AggregateFunction::Moment(_) | AggregateFunction::PairMoment(_));
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) if are_moments => (left - right).abs() <= 1e-6 * (1.0 + left.abs().max(right.abs())),
        _ => left == right,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn parts_that_are_merged_or_read_back_give_what_the_whole_gives((function, input, parts) in case()) {
        let (mut aggregates, mut whole) = with_row(function.clone(), &input);
        let (mut merged, mut stored) = (whole.clone(), whole.clone());
        let mut bytes = Vec::new();
        for part in &parts {
            let mut row = vec![0; aggregates.width()];
            aggregates.clear(&mut row);
            aggregates.mark(&mut stored);
            for value in part {
                let arguments = arguments(&function, value);
                for row in [&mut whole, &mut row, &mut stored] {
                    aggregates.update(row, 0, &arguments);
                }
            }
            aggregates.merge(&mut merged, &mut row);
            aggregates.encode_change(&stored, &mut bytes);
        }
        let result = shown(&aggregates.result(&whole, 0), &function, &input);
        let joined = shown(&aggregates.result(&merged, 0), &function, &input);
        prop_assert!(alike(&joined, &result, &function), "{joined} of parts, {result} of the whole");

        // From the changes of each part, and from all at once.
        let (mut other, mut changed) = with_row(function.clone(), &input);
        let mut reader = Reader::new(&bytes);
        for _ in &parts {
            other.decode(&mut changed, &mut reader).unwrap();
        }
        reader.end().unwrap();
        prop_assert_eq!(&shown(&other.result(&changed, 0), &function, &input), &result);
        bytes.clear();
        aggregates.encode(&whole, &mut bytes);
        let (mut other, mut read) = with_row(function.clone(), &input);
        other.decode(&mut read, &mut Reader::new(&bytes)).unwrap();
        prop_assert_eq!(&shown(&other.result(&read, 0), &function, &input), &result);
        let mut again = Vec::new();
        other.encode(&read, &mut again);
        prop_assert_eq!(&again, &bytes);

        // All memory beside the rows is given back.
        for row in [&mut whole, &mut merged, &mut stored] {
            aggregates.release(row);
        }
        prop_assert!(aggregates.heap.is_empty());
        prop_assert_eq!(aggregates.bytes(), Heap::default().bytes());
    }

    #[test]
    fn damaged_bytes_do_no_harm((function, input, parts) in case(), at: prop::sample::Index, to: u8, cut: prop::sample::Index) {
        let (mut aggregates, mut row) = with_row(function.clone(), &input);
        for value in parts.iter().flatten() {
            aggregates.update(&mut row, 0, &arguments(&function, value));
        }
        let mut bytes = Vec::new();
        aggregates.encode(&row, &mut bytes);
        let cut = &bytes[..cut.index(bytes.len())];
        let (mut other, mut read) = with_row(function, &input);
        prop_assert!(other.decode(&mut read, &mut Reader::new(cut)).is_err());
        let place = at.index(bytes.len());
        bytes[place] = to;
        let _ = other.decode(&mut read, &mut Reader::new(&bytes));
        let _ = other.result(&read, 0);
    }
}
