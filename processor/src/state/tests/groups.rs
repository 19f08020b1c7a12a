use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const SIZE: i64 = 10;

type Key = (i64, Option<String>);

/// A window, a text, and the aggregates that show all ways to keep a value.
fn table() -> GroupTable {
    let keys = vec![KeyColumn::Window { size_micros: SIZE }, KeyColumn::Value(DataType::String)];
    GroupTable::with_aggregates(keys, aggregates(), Some(EventTime::WindowEnd(0)))
}

fn aggregates() -> Aggregates {
    Aggregates::new([
        (AggregateFunction::CountAll, &DataType::Null),
        (AggregateFunction::CountDistinct, &DataType::BigInt),
        (AggregateFunction::Max, &DataType::String),
        (AggregateFunction::Sum, &DataType::BigInt),
    ])
}

#[derive(Clone, Debug)]
struct Batch {
    rows: Vec<(Key, i64)>,
    evict: Option<i64>,
    restart: bool,
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let key = (0i64..8, prop::option::of("[ab]{0,20}"));
    let rows = prop::collection::vec((key, 0i64..5), 0..30);
    let batch = (rows, prop::option::of(0i64..12), prop::bool::weighted(0.2));
    prop::collection::vec(batch, 0..8).prop_map(|batches| {
        let mut watermark = 0;
        let mut all = Vec::new();
        for (rows, evict, restart) in batches {
            let late = |start: i64| start * SIZE + SIZE <= watermark;
            let rows = rows.into_iter().filter(|((start, _), _)| !late(*start)).collect();
            let evict = evict.map(|to| (to * SIZE).max(watermark));
            watermark = evict.unwrap_or(watermark);
            all.push(Batch { rows, evict, restart });
        }
        all
    })
}

fn groups(state: &State) -> &GroupTable {
    match state {
        State::Groups(groups) => groups,
        _ => panic!("no groups"),
    }
}

fn row_of((start, text): &Key, values: &[i64]) -> Vec<String> {
    let window = super::super::key::window(start * SIZE, start * SIZE + SIZE);
    let text = text.as_ref().map_or(Value::Null, |text| super::text(text));
    let mut distinct = values.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let most = values.iter().map(i64::to_string).max().unwrap();
    let count = |count: usize| Value::BigInt(count as i64);
    let results = [
        window,
        text,
        count(values.len()),
        count(distinct.len()),
        super::text(&most),
        Value::BigInt(values.iter().sum()),
    ];
    plain(results.iter().map(Value::borrowed))
}

fn table_of(state: &State) -> Vec<Vec<String>> {
    let groups = groups(state);
    let mut rows: Vec<_> = groups.ids().map(|id| plain(groups.values(id))).collect();
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
    #[test]
    fn groups_are_those_of_a_plain_map(batches in batches()) {
        let mut state = State::Groups(table());
        let mut followed = State::Groups(table());
        let mut model: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
        for Batch { rows, evict, restart } in batches {
            state.begin_batch();
            let State::Groups(table) = &mut state else { unreachable!() };
            let mut touched: Vec<&Key> = Vec::new();
            for (key, value) in &rows {
                table.begin_key();
                table.push_window(key.0 * SIZE);
                table.push_key(&key.1.as_ref().map_or(Value::Null, |key| text(key)));
                let id = table.touch_key().unwrap();
                let shown = value.to_string();
                for (number, argument) in [Value::Null, Value::BigInt(*value), text(&shown), Value::BigInt(*value)].iter().enumerate() {
                    table.update(id, number, std::slice::from_ref(argument));
                }
                model.entry(key.clone()).or_default().push(*value);
                if !touched.contains(&key) {
                    touched.push(key);
                }
            }
            let told: Vec<_> = table.touched().iter().map(|id| plain(table.values(*id))).collect();
            prop_assert_eq!(told, touched.iter().map(|key| row_of(key, &model[*key])).collect::<Vec<_>>());
            if let Some(watermark) = evict {
                let evicted = table.evict(watermark).to_vec();
                let evicted: Vec<_> = evicted.iter().map(|id| plain(table.values(*id))).collect();
                let late = |key: &Key| key.0 * SIZE + SIZE <= watermark;
                // By time and then by the key's bytes, in which a text's length comes first.
                let mut expected: Vec<_> = model.iter().filter(|(key, _)| late(key)).collect();
                expected.sort_by_key(|((start, text), _)| (*start, text.as_ref().map(|text| (text.len(), text))));
                prop_assert_eq!(evicted, expected.iter().map(|(key, values)| row_of(key, values)).collect::<Vec<_>>());
                model.retain(|key, _| !late(key));
            }
            write_changes(&state, &mut followed);
            let mut expected: Vec<_> = model.iter().map(|(key, values)| row_of(key, values)).collect();
            expected.sort();
            prop_assert_eq!(&table_of(&state), &expected);
            prop_assert_eq!(&table_of(&followed), &expected);
            prop_assert_eq!(state.len(), model.len());
            if restart {
                let mut restored = State::Groups(self::table());
                read(&snapshot(&state), &mut restored);
                prop_assert_eq!(&table_of(&restored), &expected);
                state = restored;
            }
        }
    }
}

#[test]
fn typed_keys_give_their_values_back_and_zeros_are_one_group() {
    let keys = vec![KeyColumn::Value(DataType::Double), KeyColumn::Value(DataType::Boolean)];
    let count = [(AggregateFunction::CountAll, &DataType::Null)];
    let mut table = GroupTable::with_aggregates(keys, Aggregates::new(count), None);
    assert!(table.is_count_alone());
    for value in [0.0, -0.0, f64::NAN, -f64::NAN] {
        table.begin_key();
        table.push_key(&Value::Double(value));
        table.push_key(&Value::Boolean(true));
        table.count_key().unwrap();
    }
    let rows: Vec<_> = table.ids().map(|id| plain(table.values(id))).collect();
    assert_eq!(rows, [["Double(0.0)", "Boolean(true)", "BigInt(2)"], ["Double(NaN)", "Boolean(true)", "BigInt(2)"]]);
}

#[test]
fn a_time_that_is_a_key_expires_by_itself_and_null_never_does() {
    let keys = vec![KeyColumn::Value(DataType::String), KeyColumn::Value(DataType::Timestamp)];
    let count = [(AggregateFunction::CountAll, &DataType::Null)];
    let mut table = GroupTable::with_aggregates(keys, Aggregates::new(count), Some(EventTime::Time(1)));
    for time in [Value::Timestamp(5), Value::Null, Value::Timestamp(-1), Value::Timestamp(6)] {
        table.begin_key();
        table.push_key(&text("a"));
        table.push_key(&time);
        table.count_key().unwrap();
    }
    let evicted = table.evict(5).to_vec();
    let evicted: Vec<_> = evicted.iter().map(|id| plain(table.key_values(*id)).remove(1)).collect();
    assert_eq!(evicted, ["Timestamp(-1)", "Timestamp(5)"]);
    assert_eq!(table.evict(i64::MAX).len(), 1);
    assert_eq!(table.len(), 1);
}

#[test]
fn memory_of_groups_that_are_gone_is_used_again_or_given_back() {
    let mut table = table();
    let mut after_first = 0;
    for window in 0..30 {
        table.begin_batch();
        for number in 0..20_000 {
            table.begin_key();
            table.push_window(window * SIZE);
            table.push_key(&text(&format!("the group of number {number}")));
            let id = table.touch_key().unwrap();
            table.update(id, 2, &[text("a text that is kept beside the rows")]);
        }
        table.evict(window * SIZE);
        if window == 2 {
            after_first = table.bytes();
        }
        assert!(window < 2 || table.bytes() < after_first * 3 / 2, "{window}: {} {after_first}", table.bytes());
    }
    table.evict(i64::MAX);
    table.begin_batch();
    table.begin_batch();
    assert!(table.is_empty());
    assert!(table.bytes() < after_first / 10, "{} of {after_first}", table.bytes());
    // It is as good as new.
    table.begin_key();
    table.push_window(0);
    let id = table.touch_key().unwrap();
    assert_eq!(table.evict(SIZE), [id]);
}

#[test]
fn an_old_batch_number_is_not_taken_for_the_present_one() {
    let mut table = table();
    let touch = |table: &mut GroupTable| {
        table.begin_key();
        table.push_window(0);
        table.touch_key().unwrap()
    };
    let id = touch(&mut table);
    table.set_batch(u32::MAX - 1);
    table.begin_batch();
    assert_eq!(touch(&mut table), id);
    assert_eq!(table.touched(), [id]);
    assert_eq!(table.evict(SIZE), [id]);
    assert_eq!(table.evict(SIZE), []);
}

#[test]
fn a_count_of_texts_takes_few_bytes() {
    let mut table = GroupTable::new(1);
    for number in 0..1_000_000 {
        table.count_one([Some(format!("{number:010}").as_bytes())]).unwrap();
    }
    table.begin_batch();
    table.begin_batch();
    let bytes = table.bytes() / 1_000_000;
    assert!(bytes < 60, "{bytes} bytes a group with a key of ten bytes");
}
