use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Record {
    key: u8,
    time: i64,
    gap: i64,
    value: i64,
}

fn records() -> impl Strategy<Value = Vec<Vec<Record>>> {
    let record =
        (0u8..3, 0i64..60, -1i64..9, 0i64..100).prop_map(|(key, time, gap, value)| Record { key, time, gap, value });
    prop::collection::vec(prop::collection::vec(record, 0..20), 0..6)
}

const COUNT: (AggregateFunction, &DataType) = (AggregateFunction::CountAll, &DataType::Null);
const DISTINCT: (AggregateFunction, &DataType) = (AggregateFunction::CountDistinct, &DataType::BigInt);
const FIRST: (AggregateFunction, &DataType) = (AggregateFunction::First { ignore_nulls: false }, &DataType::BigInt);
const LAST: (AggregateFunction, &DataType) = (AggregateFunction::Last { ignore_nulls: false }, &DataType::BigInt);

fn state(aggregates: &[(AggregateFunction, &DataType)]) -> State {
    let keys = vec![KeyColumn::Value(DataType::String)];
    State::Sessions(SessionTable::new(keys, 0, Aggregates::new(aggregates.iter().cloned())))
}

fn table(state: &mut State) -> &mut SessionTable {
    match state {
        State::Sessions(sessions) => sessions,
        _ => panic!("no sessions"),
    }
}

/// Adds a batch's records but those that are late; their values go to all aggregates.
fn add(table: &mut SessionTable, records: &[Record], late: i64, aggregates: usize) {
    table.begin_batch();
    for Record { key, time, gap, value } in records.iter().filter(|record| record.time + record.gap > late) {
        table.begin_key();
        table.push_key(&text(&key.to_string()));
        if let Some(id) = table.add(*time, time + gap).unwrap() {
            (0..aggregates).for_each(|number| table.update(id, number, &[Value::BigInt(*value)]));
        }
    }
    table.end_input();
}

/// Key, start, end and results.
type Shown = (String, i64, i64, Vec<String>);

fn shown(table: &SessionTable, id: SessionId) -> Shown {
    let (start, end) = table.span(id);
    let mut values = plain(table.values(id));
    let window = values.remove(0);
    assert_eq!(window, plain([super::super::key::window(start, end)].into_iter())[0]);
    (values.remove(0), start, end, values)
}

fn all(state: &mut State) -> Vec<Shown> {
    let table = table(state);
    let mut all: Vec<_> = table.ids().into_iter().map(|id| shown(table, id)).collect();
    all.sort();
    all
}

/// Sessions as their members: start, end, value.
type Members = Vec<(i64, i64, i64)>;

/// What the sessions are if all records come at once: sorted by start, cut where one begins after all before it ended.
fn naive(mut records: Vec<(u8, i64, i64, i64)>) -> Vec<(u8, i64, i64, Members)> {
    records.sort_unstable();
    let mut sessions: Vec<(u8, i64, i64, Members)> = Vec::new();
    for (key, start, end, value) in records {
        match sessions.last_mut().filter(|last| last.0 == key && start <= last.2) {
            Some(last) => {
                last.2 = last.2.max(end);
                last.3.push((start, end, value));
            }
            None => sessions.push((key, start, end, vec![(start, end, value)])),
        }
    }
    sessions
}

fn expected((key, start, end, members): &(u8, i64, i64, Members)) -> Shown {
    let mut distinct: Vec<i64> = members.iter().map(|member| member.2).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let results = [members.len(), distinct.len()].map(|count| Value::BigInt(count as i64));
    (plain([text(&key.to_string())].into_iter()).remove(0), *start, *end, plain(results.into_iter()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
    #[test]
    fn sessions_are_those_of_all_records_at_once(batches in records()) {
        let mut state = state(&[COUNT, DISTINCT]);
        let mut ordered = self::state(&[COUNT, DISTINCT, LAST]);
        let mut followed = self::state(&[COUNT, DISTINCT]);
        let mut seen = Vec::new();
        for batch in &batches {
            add(table(&mut state), batch, i64::MIN, 2);
            add(table(&mut ordered), batch, i64::MIN, 3);
            seen.extend(batch.iter().filter(|r| r.gap > 0).map(|r| (r.key, r.time, r.time + r.gap, r.value)));
            write_changes(&state, &mut followed);
            let mut wanted: Vec<Shown> = naive(seen.clone()).iter().map(expected).collect();
            wanted.sort();
            prop_assert_eq!(&all(&mut state), &wanted);
            prop_assert_eq!(&all(&mut followed), &wanted);
            let without_last: Vec<Shown> =
                all(&mut ordered).into_iter().map(|(key, start, end, mut values)| { values.pop(); (key, start, end, values) }).collect();
            prop_assert_eq!(&without_last, &wanted);
            let mut restored = self::state(&[COUNT, DISTINCT]);
            read(&snapshot(&state), &mut restored);
            prop_assert_eq!(&all(&mut restored), &wanted);
        }
    }

    #[test]
    fn the_order_of_a_batch_does_not_matter(batches in records(), turn in 0usize..20) {
        // Records of one time and gap come in the order of the log; here they are all one.
        let unique = |batch: &[Record]| {
            let mut by_time = BTreeMap::new();
            for record in batch {
                by_time.insert((record.key, record.time, record.gap), record.clone());
            }
            by_time.into_values().collect::<Vec<_>>()
        };
        let aggregates = [COUNT, FIRST, LAST];
        let (mut one, mut other) = (state(&aggregates), state(&aggregates));
        let mut late = i64::MIN;
        let mut watermark = i64::MIN;
        for (number, batch) in batches.iter().enumerate() {
            let mut batch = unique(batch);
            add(table(&mut one), &batch, late, 3);
            let middle = turn.min(batch.len());
            batch.rotate_left(middle);
            batch.reverse();
            add(table(&mut other), &batch, late, 3);
            prop_assert_eq!(all(&mut one), all(&mut other));
            late = watermark;
            watermark = number as i64 * 9;
            let evict = |state: &mut State| {
                let ids = table(state).evict(watermark).to_vec();
                ids.into_iter().map(|id| shown(table(state), id)).collect::<Vec<_>>()
            };
            let evicted = evict(&mut one);
            prop_assert!(evicted.iter().all(|session| session.2 <= watermark));
            prop_assert!(evicted.is_sorted_by_key(|session| (session.2, session.1)));
            prop_assert!(all(&mut one).iter().all(|session| session.2 > watermark));
            prop_assert_eq!(evict(&mut other), evicted);
            // A restart in the middle changes nothing.
            let mut restored = state(&aggregates);
            read(&snapshot(&other), &mut restored);
            other = restored;
        }
    }
}

fn record(time: i64, gap: i64, value: i64) -> Record {
    Record { key: 0, time, gap, value }
}

fn spans(state: &mut State) -> Vec<(i64, i64, Vec<String>)> {
    all(state).into_iter().map(|(_, start, end, values)| (start, end, values)).collect()
}

fn results(values: [i64; 2]) -> Vec<String> {
    plain(values.map(Value::BigInt).into_iter())
}

#[test]
fn a_record_at_the_very_end_joins_and_a_bridge_merges() {
    let mut state = state(&[COUNT, DISTINCT]);
    add(table(&mut state), &[record(0, 10, 1), record(10, 10, 2), record(21, 10, 1)], i64::MIN, 2);
    assert_eq!(spans(&mut state), [(0, 20, results([2, 2])), (21, 31, results([1, 1]))]);
    add(table(&mut state), &[record(15, 10, 1), record(5, 0, 9), record(5, -1, 9)], i64::MIN, 2);
    assert_eq!(spans(&mut state), [(0, 31, results([4, 2]))]);
}

#[test]
fn first_and_last_follow_the_starts_with_what_was_known_first() {
    let mut state = state(&[FIRST, LAST]);
    add(table(&mut state), &[record(20, 10, 3), record(10, 10, 1)], i64::MIN, 2);
    assert_eq!(spans(&mut state), [(10, 30, results([1, 3]))]);
    // Spark sees the session [10, 30) and then the record of 15, which so is the last.
    add(table(&mut state), &[record(15, 10, 7)], i64::MIN, 2);
    assert_eq!(spans(&mut state), [(10, 30, results([1, 7]))]);
    add(table(&mut state), &[record(10, 30, 8), record(5, 5, 9)], i64::MIN, 2);
    assert_eq!(spans(&mut state), [(5, 40, results([9, 8]))]);
}

#[test]
fn a_session_that_was_emitted_is_gone() {
    let mut state = state(&[COUNT, DISTINCT]);
    add(table(&mut state), &[record(0, 10, 1), record(50, 10, 1)], i64::MIN, 2);
    assert_eq!(table(&mut state).evict(9).len(), 0);
    assert_eq!(table(&mut state).evict(10).len(), 1);
    assert_eq!(state.len(), 1);
    add(table(&mut state), &[record(5, 10, 1)], 10, 2);
    assert_eq!(spans(&mut state), [(5, 15, results([1, 1])), (50, 60, results([1, 1]))]);
    // Late by its own end, though the open session would take it.
    add(table(&mut state), &[record(4, 4, 1)], 10, 2);
    assert_eq!(state.len(), 2);
    table(&mut state).evict(60);
    state.begin_batch();
    assert_eq!(state.len(), 0);
    let mut followed = self::state(&[COUNT, DISTINCT]);
    read(&snapshot(&state), &mut followed);
    assert_eq!(followed.len(), 0);
}
