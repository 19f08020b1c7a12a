use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::types::{Field, IntervalRange, equal};

fn encoded(value: &Value<'_>, data_type: &DataType) -> Vec<u8> {
    let mut out = Vec::new();
    encode_value(value, data_type, &mut out);
    out
}

/// A type, and values of it.
fn typed() -> impl Strategy<Value = (DataType, Vec<Value<'static>>)> {
    data_type().prop_flat_map(|data_type| {
        let values = prop::collection::vec(value_of(&data_type), 1..4);
        (Just(data_type), values)
    })
}

fn data_type() -> BoxedStrategy<DataType> {
    let leaf = prop_oneof![
        Just(DataType::Null),
        Just(DataType::Boolean),
        Just(DataType::TinyInt),
        Just(DataType::SmallInt),
        Just(DataType::Float),
        Just(DataType::Interval(IntervalRange::YEAR_TO_MONTH)),
        Just(DataType::Interval(IntervalRange::DAY_TO_SECOND)),
        Just(DataType::Int),
        Just(DataType::BigInt),
        Just(DataType::Double),
        Just(DataType::Decimal { precision: 38, scale: 3 }),
        Just(DataType::Decimal { precision: 5, scale: 5 }),
        Just(DataType::String),
        Just(DataType::Binary),
        Just(DataType::Date),
        Just(DataType::Timestamp),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|element| DataType::Array(Arc::new(element))),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| DataType::Map(Arc::new(key), Arc::new(value))),
            prop::collection::vec(inner, 0..3).prop_map(|types| {
                let fields = types.into_iter().enumerate();
                DataType::Struct(
                    fields.map(|(index, data_type)| Field { name: format!("f{index}"), data_type }).collect(),
                )
            }),
        ]
    })
    .boxed()
}

fn value_of(data_type: &DataType) -> BoxedStrategy<Value<'static>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..5).prop_map(Cow::Owned);
    let value = match data_type {
        DataType::Null => Just(Value::Null).boxed(),
        DataType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        DataType::TinyInt => any::<i8>().prop_map(Value::TinyInt).boxed(),
        DataType::SmallInt => any::<i16>().prop_map(Value::SmallInt).boxed(),
        DataType::Float => prop_oneof![any::<f32>(), Just(0.0), Just(-0.0), Just(f32::NAN), Just(-f32::NAN)]
            .prop_map(Value::Float)
            .boxed(),
        DataType::Interval(range) if range.is_of_months() => any::<i32>().prop_map(Value::Months).boxed(),
        DataType::Interval(_) => any::<i64>().prop_map(Value::Micros).boxed(),
        DataType::Int => any::<i32>().prop_map(Value::Int).boxed(),
        DataType::BigInt => any::<i64>().prop_map(Value::BigInt).boxed(),
        DataType::Double => prop_oneof![any::<f64>(), Just(0.0), Just(-0.0), Just(f64::NAN), Just(-f64::NAN)]
            .prop_map(Value::Double)
            .boxed(),
        DataType::Decimal { precision, scale } => {
            let (precision, scale) = (*precision, *scale);
            let bound = 10i128.pow(u32::from(precision)) - 1;
            (-bound..=bound).prop_map(move |unscaled| Value::Decimal(Decimal { unscaled, precision, scale })).boxed()
        }
        DataType::String => bytes().prop_map(Value::String).boxed(),
        DataType::Binary => bytes().prop_map(Value::Binary).boxed(),
        DataType::Date => any::<i32>().prop_map(Value::Date).boxed(),
        DataType::Timestamp => any::<i64>().prop_map(Value::Timestamp).boxed(),
        DataType::Array(element) => {
            prop::collection::vec(value_of(element), 0..4).prop_map(|values| Value::Array(values.into())).boxed()
        }
        DataType::Map(key, value) => prop::collection::vec((value_of(key), value_of(value)), 0..4)
            .prop_map(|entries| Value::Map(entries.into()))
            .boxed(),
        DataType::Struct(fields) => {
            let values: Vec<_> = fields.iter().map(|field| value_of(&field.data_type)).collect();
            values.prop_map(|values| Value::Struct(values.into())).boxed()
        }
    };
    prop_oneof![1 => Just(Value::Null), 5 => value].boxed()
}

proptest! {
    #[test]
    fn values_come_back_and_leave_what_follows((data_type, values) in typed()) {
        let mut bytes = Vec::new();
        for value in &values {
            encode_value(value, &data_type, &mut bytes);
        }
        let mut rest = bytes.as_slice();
        for value in &values {
            let decoded = decode_value(&data_type, &mut rest).unwrap();
            prop_assert!(equal(&decoded, value), "{decoded:?} {value:?}");
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn values_of_one_group_have_the_same_bytes_and_others_do_not((data_type, values) in typed()) {
        let (first, last) = (&values[0], values.last().unwrap());
        prop_assert_eq!(equal(first, last), encoded(first, &data_type) == encoded(last, &data_type));
    }

    #[test]
    fn any_bytes_are_read_without_harm(data_type in data_type(), bytes: Vec<u8>) {
        let mut rest = bytes.as_slice();
        if let Some(value) = decode_value(&data_type, &mut rest) {
            // What is taken for a value is what that value is written as, save for a NaN or a zero of another form.
            let read = &bytes[..bytes.len() - rest.len()];
            let again = encoded(&value, &data_type);
            prop_assert_eq!(again.len(), read.len());
        }
    }
}

#[test]
fn the_format_does_not_change() {
    let list = DataType::Array(Arc::new(DataType::String));
    let text = |text: &'static str| Value::String(Cow::Borrowed(text.as_bytes()));
    for (value, data_type, bytes) in [
        (Value::Null, DataType::Int, &[0][..]),
        (Value::Boolean(false), DataType::Boolean, &[1]),
        (Value::Boolean(true), DataType::Boolean, &[2]),
        (Value::Int(-1), DataType::Int, &[1, 1]),
        (Value::BigInt(150), DataType::BigInt, &[1, 0xac, 2]),
        (Value::Double(-0.0), DataType::Double, &[1, 0, 0, 0, 0, 0, 0, 0, 0]),
        (Value::Double(1.0), DataType::Double, &[1, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        (text("ab"), DataType::String, &[3, b'a', b'b']),
        (text(""), DataType::String, &[1]),
        (Value::Array([text("a"), Value::Null].into()), list, &[3, 2, b'a', 0]),
    ] {
        assert_eq!(encoded(&value, &data_type), bytes, "{value:?}");
    }
}

#[test]
fn a_claimed_length_makes_no_memory() {
    for data_type in [DataType::String, DataType::Array(Arc::new(DataType::Null))] {
        let mut bytes: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0];
        assert!(decode_value(&data_type, &mut bytes).is_none());
    }
    // A needless byte, and a varint that never ends.
    assert!(decode_value(&DataType::Int, &mut &[1, 0x80, 0][..]).is_none());
    assert!(decode_value(&DataType::Int, &mut &[0xff; 64][..]).is_none());
    assert!(decode_value(&DataType::BigInt, &mut &[[1].as_slice(), &[0xff; 64]].concat()[..]).is_none());
}
