//! For fuzz/: any bytes as a changelog of any query.

use brooklet_model::Offset;

use super::entry::{Entry, Rows};
use super::replay::Replay;
use crate::aggregate::{AggregateFunction, Aggregates, Moment, PairMoment, Percentiles};
use crate::codec::Reader;
use crate::state::{EventTime, GroupTable, KeyColumn, SessionTable, State, Stores};
use crate::types::{DataType, Field, IntervalRange};

const BYTES_MAX: usize = 64 << 20;

/// Takes the first byte for the kind of query, and what follows for the values of a changelog's records, each behind
/// its length in two bytes. If they are read, what they tell is written and read again.
///
/// # Panics
/// If that does not tell the same, or the state cannot be worked with.
#[doc(hidden)]
pub fn replay_bytes(input: &[u8]) {
    let Some((kind, mut rest)) = input.split_first() else { return };
    let mut stores = stores(*kind);
    let mut replay = Replay::new(&mut stores, BYTES_MAX);
    while let Some((len, after)) = rest.split_first_chunk() {
        let (value, after) = after.split_at_checked(u16::from_be_bytes(*len).into()).unwrap_or((after, &[]));
        rest = after;
        let entry = Entry::decode(value);
        if entry.and_then(|entry| replay.record(Offset(0), value.len() as u64, entry).map_err(drop_reason)).is_err() {
            return;
        }
    }
    if replay.finish().is_none() {
        return;
    }
    let mut again = self::stores(*kind);
    for (number, state) in (0..).zip(stores.all()) {
        let rows = snapshot(state);
        let Some(again) = again.store(number) else { return };
        again.begin_restore();
        let mut reader = Reader::new(&rows);
        while !reader.is_empty() {
            let restored = again.restore(Rows::new(number, &rows).format, &mut reader, true);
            assert!(restored.is_ok(), "what was written is not read");
        }
        again.end_restore();
        assert_eq!(snapshot(again), rows, "what was read differs from what was written");
    }
    stores.levels.iter_mut().chain(&mut stores.tables).for_each(forget_all);
}

fn drop_reason(error: super::ChangelogError) -> crate::codec::Malformed {
    crate::codec::Malformed::new(error.to_string())
}

fn snapshot(state: &State) -> Vec<u8> {
    let mut rows = Vec::new();
    state.rows().for_each(|row| state.put_whole(row, &mut rows));
    rows
}

/// Reads every value, and evicts whatever has a time.
fn forget_all(state: &mut State) {
    match state {
        State::None => {}
        State::Groups(groups) => {
            groups.ids().for_each(|id| groups.values(id).for_each(drop));
            groups.evict(i64::MAX);
        }
        State::Sessions(sessions) => {
            sessions.ids().into_iter().for_each(|id| sessions.values(id).for_each(drop));
            sessions.evict(i64::MAX);
            assert_eq!(sessions.len(), 0, "a session cannot be evicted");
        }
    }
    state.begin_batch();
    state.begin_batch();
}

/// One store, or of the last kind two: groups of groups, say.
pub(super) fn stores(kind: u8) -> Stores {
    match kind {
        4 => Stores { levels: vec![state(1)], tables: vec![state(0)] },
        kind => state(kind).into(),
    }
}

pub(super) fn state(kind: u8) -> State {
    let decimal = DataType::Decimal { precision: 20, scale: 2 };
    let list = DataType::Array(DataType::String.into());
    let aggregates = || {
        Aggregates::new([
            (AggregateFunction::CountAll, &DataType::Null),
            (AggregateFunction::CountDistinct, &DataType::BigInt),
            (AggregateFunction::Sum, &decimal),
            (AggregateFunction::Avg, &DataType::Double),
            (AggregateFunction::Max, &DataType::String),
            (AggregateFunction::Min, &DataType::Timestamp),
            (AggregateFunction::First { ignore_nulls: true }, &list),
        ])
    };
    let text = || KeyColumn::Value(DataType::String);
    match kind {
        0 => State::Groups(GroupTable::new(1)),
        1 => {
            let keys = vec![KeyColumn::Window { size_micros: 10 }, text(), KeyColumn::Value(list.clone())];
            State::Groups(GroupTable::with_aggregates(keys, aggregates(), Some(EventTime::WindowEnd(0))))
        }
        2 => State::Sessions(SessionTable::new(vec![text()], 1, aggregates())),
        3 => State::Groups(GroupTable::new(0)),
        6 => State::Sessions(SessionTable::new(vec![text()], 1, collections())),
        _ => State::None,
    }
}

/// The aggregates that hold more than words, and those of several words.
fn collections() -> Aggregates {
    let pair = |first, second| {
        let field = |data_type| Field { name: String::new(), data_type };
        DataType::Struct([field(first), field(second)].into())
    };
    let percentiles = Percentiles { fractions: [0.5, 0.9].into(), many: true, accuracy: None };
    let functions = [
        (AggregateFunction::CollectList, DataType::String),
        (AggregateFunction::CollectSet, DataType::BigInt),
        (AggregateFunction::Mode, DataType::String),
        (AggregateFunction::Percentiles(percentiles), DataType::Double),
        (AggregateFunction::ApproxCountDistinct { bits: 4 }, DataType::String),
        (AggregateFunction::Moment(Moment::Kurtosis), DataType::Double),
        (AggregateFunction::PairMoment(PairMoment::Slope), pair(DataType::Double, DataType::Double)),
        (AggregateFunction::MaxBy, pair(DataType::String, DataType::BigInt)),
        (AggregateFunction::Sum, DataType::Interval(IntervalRange::DAY_TO_SECOND)),
        (AggregateFunction::Avg, DataType::Interval(IntervalRange::YEAR_TO_MONTH)),
        (AggregateFunction::TrySum, DataType::BigInt),
        (AggregateFunction::BitXor, DataType::TinyInt),
    ];
    Aggregates::new(functions.iter().map(|(function, input)| (function.clone(), input)))
}

/// As [`stores`], with a row or two in each.
#[cfg(test)]
pub(super) fn examples(kind: u8) -> Stores {
    match kind {
        4 => Stores { levels: vec![example(1)], tables: vec![example(0)] },
        kind => example(kind).into(),
    }
}

/// A state with a row or two, to make seeds from.
#[cfg(test)]
pub(super) fn example(kind: u8) -> State {
    use crate::types::{Decimal, Value};

    let text = |text: &'static str| Value::String(text.as_bytes().into());
    let list = Value::Array([text("x"), Value::Null].into());
    let arguments = match kind {
        6 => vec![
            vec![text("first")],
            vec![Value::BigInt(7)],
            vec![text("often")],
            vec![Value::Double(2.5)],
            vec![text("one")],
            vec![Value::Double(-0.5)],
            vec![Value::Double(1.0), Value::Double(2.0)],
            vec![text("most"), Value::BigInt(9)],
            vec![Value::Micros(-1)],
            vec![Value::Months(14)],
            vec![Value::BigInt(i64::MAX)],
            vec![Value::TinyInt(-3)],
        ],
        _ => vec![
            vec![Value::Null],
            vec![Value::BigInt(7)],
            vec![Value::Decimal(Decimal { unscaled: -125, precision: 20, scale: 2 })],
            vec![Value::Double(1.5)],
            vec![text("most")],
            vec![Value::Timestamp(-1)],
            vec![list.clone()],
        ],
    };
    let mut state = state(kind);
    state.begin_batch();
    for key in ["a", "b", "a"].map(text) {
        match &mut state {
            State::None => {}
            State::Groups(groups) if groups.is_count_alone() => {
                groups.begin_key();
                groups.push_key(&key);
                let _ = groups.count_key();
            }
            State::Groups(groups) => {
                groups.begin_key();
                groups.push_window(20);
                groups.push_key(&key);
                groups.push_key(&list);
                if let Ok(id) = groups.touch_key() {
                    arguments.iter().enumerate().for_each(|(number, values)| groups.update(id, number, values));
                }
            }
            State::Sessions(sessions) => {
                sessions.begin_key();
                sessions.push_key(&key);
                if let Ok(Some(id)) = sessions.add(20, 30) {
                    arguments.iter().enumerate().for_each(|(number, values)| sessions.update(id, number, values));
                }
            }
        }
    }
    state.end_input();
    state
}
